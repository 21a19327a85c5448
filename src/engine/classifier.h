/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What classifiers share: the columns rawPrediction, probability and prediction, and which of them
 * each is made from. Spark predicts from the first of rawPrediction and probability that is asked
 * for, else by a way of the model's own; under thresholds always from the probability. A column
 * that is needed but has no name is hidden.
 */
#ifndef SCORED_CLASSIFIER_H
#define SCORED_CLASSIFIER_H

#include "engine_priv.h"

struct classifier {
    uint32_t n_classes;
    const double *thresholds; /* NULL: the largest entry wins */
    bool exp;                 /* the probability needs it */
    unit_run *raw;            /* of raw_params and the column raw_in */
    const void *raw_params;
    const uint16_t *raw_in;
    unit_run *probability; /* of rawPrediction */
    /* How to predict without thresholds, with `params`: from rawPrediction, from the probability,
     * and where neither has a name. NULL is the largest entry. The last reads alone_in, or
     * rawPrediction where that is NULL. */
    unit_run *from_raw, *from_probability, *alone;
    const uint16_t *alone_in;
    const void *params;
};

/* Adds the stage's columns, all but leafCol. */
bool classifier_load(struct load *l, const struct classifier *c, struct err *e);

/* params.numClasses, at least `min`, and params.thresholds. */
bool classifier_load_classes(struct load *l, uint32_t min, struct classifier *c, struct err *e);

/* The kernels that rawPrediction needs, checked for every column of the stage. */
bool classifier_load_blas(struct load *l, const struct blas **out, struct err *e);

/* Probabilities. */
unit_run classifier_normalize; /* votes divided by their sum; fails without a positive one */
unit_run classifier_softmax;
unit_run classifier_sigmoid;        /* of two classes: 1 / (1 + exp(-raw)) */
unit_run classifier_sigmoid_double; /* the same of 2 * raw */

#endif
