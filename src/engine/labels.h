/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns that no stage makes: the label of a prediction's class, as Spark's IndexToString would
 * add it. The column <prediction>_label is there for each double column that has labels
 * (FORMAT.md 3.6) unless another column has the name. It is answered where it is asked for by
 * name.
 */
#ifndef SCORED_LABELS_H
#define SCORED_LABELS_H

#include "scored/plan.h"

/* Adds them behind all columns of the stages. */
bool plan_add_labels(struct plan *p, const struct bundle *b, struct err *e);

#endif
