/* SPDX-License-Identifier: Apache-2.0 */
/* VectorAssembler of numbers and the trees behind it, as one unit. */
#ifndef SCORED_ASSEMBLED_H
#define SCORED_ASSEMBLED_H

#include "../fuse.h"

extern const struct fusion_rule fusion_assembled;

#endif
