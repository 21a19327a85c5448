/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/version.h"

const char scored_version[] = SCORED_VERSION, scored_commit[] = SCORED_COMMIT;
