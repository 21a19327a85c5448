/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradient-boosted trees: the dot product, by the BLAS, of the trees' predictions and weights. The
 * predictions are a hidden column of their own, because the kernel wants them side by side.
 */
#ifndef SCORED_BOOSTED_H
#define SCORED_BOOSTED_H

#include "forest.h"

struct boosted {
    struct forest forest;
    const struct blas *blas; /* set by the op */
    uint16_t predictions;    /* the hidden column, which boosted_sum reads */
};

/* Loads the forest and adds the hidden column, from which the first of the stage's outputs is made:
 * its params are x. */
bool boosted_load(struct load *l, struct boosted *x, struct made m[OUTPUTS_MAX], struct err *e);

double boosted_sum(const struct boosted *x, const struct vec *predictions);

#endif
