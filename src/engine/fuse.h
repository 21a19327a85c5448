/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fusion: two units run as one that makes the same, and what would be between them is not made. A
 * rule names the kinds of both and says when they fit; what load finds by the rules stands in the
 * plan, and each program takes of it what it may.
 */
#ifndef SCORED_FUSE_H
#define SCORED_FUSE_H

#include "scored/plan.h"

struct fusion_rule {
    unit_run *first, *second;
    bool (*fits)(const struct plan *p, const struct unit *first, const struct unit *second);
    unit_run *run; /* of a unit whose params are the struct fusion */
};

/* Fills p->fusions, when all units are there. */
bool fusions_find(struct plan *p, struct err *e);

/* From a program to one with fewer steps, in place: it answers `asked` with the same bits. */
void program_fuse(const struct plan *p, const struct column_set *asked, struct program *program);

#endif
