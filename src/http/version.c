/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/server.h"

const char scored_version[] = SCORED_VERSION, scored_commit[] = SCORED_COMMIT;
