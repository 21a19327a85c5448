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

#endif
