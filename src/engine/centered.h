/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What StandardScalerModel and RobustScalerModel share: minus a shift, times 1/spread (0 where the
 * spread is 0). With the shift the result is dense; else the vector keeps its kind and its stored
 * zeros. A vector may be shorter than the model; beyond it there is nothing. With neither flag the
 * vector passes as it is, null too.
 */
#ifndef SCORED_CENTERED_H
#define SCORED_CENTERED_H

#include "vectors.h"

/* The op's struct; params of any names fill the first line. */
struct centered {
    bool shifts, scales;
    struct vec middle, spread;
    const double *shift, *scale; /* NULL where the flag is off */
    uint32_t n;
};

bool centered_prepare(struct load *l, void *params, struct made *m, struct err *e);

#endif
