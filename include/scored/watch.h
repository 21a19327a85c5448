/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes in and goes out of a model, beside what did in training (the bundle's profile): counts
 * of inputs that are missing, have a category that training never saw, or are outside of its range,
 * and a histogram of predictions. Each thread counts in cells of its own.
 */
#ifndef SCORED_WATCH_H
#define SCORED_WATCH_H

#include "scored/plan.h"

/* Of the profile at most so much is read; of a larger one nothing is. */
enum { WATCH_PROFILE = 1 << 20, WATCH_BOUNDS = 20 };

struct watch;

/* In `arena`, where it borrows nothing but the plan. What the profile does not say, or says
 * otherwise than FORMAT.md has it, is not watched. NULL: no memory. */
struct watch *watch_new(const struct plan *p, const char *profile, size_t n, unsigned threads,
                        struct arena *arena);

/* The column whose values the histogram has, or COLUMN_NONE. */
uint16_t watch_column(const struct watch *w);

/* Counts rows of a frame that were decoded and run; where that made the above, `predicted`. */
void watch_rows(struct watch *w, unsigned thread, const struct frame *f, uint64_t rows,
                bool predicted);

/* -- what was counted, by all threads -- */

struct watch_field {
    const char *name;
    bool has_categories, has_range; /* one of them is known, or neither */
    double missing_share;           /* in training, of all rows; negative: not known */
    uint64_t missing;
    uint64_t unlike; /* none of the categories, or outside of the range */
};

unsigned watch_fields(const struct watch *w);
void watch_field(const struct watch *w, unsigned i, struct watch_field *out);

/* Bounds are quantiles of training's predictions, ascending; counts[i] is of those up to bounds[i]
 * and above the one before, the last of those above all. NaN is among the last, and not in `sum`.
 */
struct watch_predictions {
    const char *column; /* NULL: it has none that is a number */
    unsigned n_bounds;
    const double *bounds;
    const double *shares; /* of training's predictions that are at most bounds[i] */
    uint64_t counts[WATCH_BOUNDS + 1];
    double sum;
};
void watch_predictions(const struct watch *w, struct watch_predictions *out);

#endif
