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

/* How a model predicts. */
struct classifier_way {
    unit_run *raw, *probability; /* the probability is made of rawPrediction */
    /* Without thresholds: from rawPrediction, from the probability, and where neither has a name.
     * NULL is the largest entry. */
    unit_run *from_raw, *from_probability, *alone;
    bool alone_from_input; /* the last reads what `raw` reads, else rawPrediction */
    bool alone_plain;      /* the last knows no thresholds */
    bool exp;              /* the probability needs it, and so does `alone` */
};

/* The struct of every classifier begins with it. */
struct classifier {
    uint32_t n_classes;
    struct doubles thresholds;        /* values NULL: the largest entry wins */
    const struct classifier_way *way; /* set by prepare */
    uint32_t room;                    /* entries that `raw` writes to, where they are more */
};

/* Outputs, in the order of a classifier's ports. */
enum { RAW, PROBABILITY, PREDICTION };
#define CLASSIFIER_PORTS                                       \
    {PORT("rawPredictionCol", IS_VECTOR), .optional = true},   \
        {PORT("probabilityCol", IS_VECTOR), .optional = true}, \
    {                                                          \
        PORT("predictionCol", IS_DOUBLE), .optional = true     \
    }

/* Rows of a table of params. `op` is the op's struct, whose first member is `classifier`. */
#define PARAM_CLASSES(op)                                                         \
    .kind = &kind_int, .at = FIELD(op, classifier.n_classes, uint32_t), .low = 1, \
    .high = BOUND_CLASSES
#define PARAM_THRESHOLDS(op) \
    .kind = &kind_thresholds, .at = FIELD(op, classifier.thresholds, struct doubles)
extern const struct param_kind kind_thresholds;

/* The kernels that rawPrediction needs, checked for every column of the stage. */
bool classifier_load_blas(struct load *l, const struct made *m, const struct blas **out,
                          struct err *e);

/* Makes the row's rawPrediction [-m, m]; false as frame_take gives NULL. */
bool classifier_margin(const struct unit *u, struct frame *f, unsigned row, double m);

/* Probabilities. */
unit_run classifier_normalize; /* votes divided by their sum; fails without a positive one */
unit_run classifier_softmax;
unit_run classifier_sigmoid;        /* of two classes: 1 / (1 + exp(-raw)) */
unit_run classifier_sigmoid_double; /* the same of 2 * raw */

/* Predicts the first largest entry; 0 where the first is NaN, later ones never win. */
unit_run classifier_argmax;

#endif
