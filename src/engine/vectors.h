/* SPDX-License-Identifier: Apache-2.0 */
/* What ops do with whole vectors. What makes one of a row in the unit's column gives NULL as
 * frame_take does. */
#ifndef SCORED_VECTORS_H
#define SCORED_VECTORS_H

#include "engine_priv.h"

/* The same vector: its kind and its stored zeros too. */
struct vec *vec_copy(const struct unit *u, struct frame *f, unsigned row, const struct vec *from);

/* The same values, dense. */
struct vec *vec_densify(const struct unit *u, struct frame *f, unsigned row,
                        const struct vec *from);

/* The same into a vector that has the memory. */
void vec_spread(const struct vec *from, struct vec *to);

/* Spark's `compressed` of a dense vector with memory for indices: where it turns sparse, zeros of
 * either sign go. */
void vec_compress(struct vec *v, enum platform_compressed rule);

/* Whether the model has all entries of the row's vector that are looked at, as it has `n`: all, or
 * those that are stored. If not, the row fails. */
bool vec_reaches(const struct unit *u, struct frame *f, unsigned row, uint32_t n, bool all);

/* The unit's rows are the vectors that it reads, by reference; null ones stay null. */
unit_run vec_run_same;

/* Makes dense vectors of lists of floats; null ones stay null. */
unit_run vec_run_widened;

/* Makes vectors of each entry times its factor, of `n`. Kind and stored zeros stay; a vector may be
 * shorter. */
void vec_run_scaled(const struct unit *u, struct frame *f, uint64_t rows, const double *factors,
                    uint32_t n);

/* The first largest entry of a dense vector; 0 where the first is NaN, later ones never win. */
uint32_t vec_argmax(const struct vec *v);

#endif
