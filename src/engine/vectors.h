/* SPDX-License-Identifier: Apache-2.0 */
/* What ops do with whole vectors. `to` comes from frame_vec, so it has the room that the unit's
 * shape promises. */
#ifndef SCORED_VECTORS_H
#define SCORED_VECTORS_H

#include "engine_priv.h"

/* The same vector: its kind and its stored zeros too. */
void vec_copy(const struct vec *from, struct vec *to);

/* The same values, dense. */
void vec_densify(const struct vec *from, struct vec *to);

/* Spark's `compressed` of a dense vector: where it turns sparse, zeros of either sign go. */
void vec_compress(struct vec *v, enum platform_compressed rule);

/* Whether the unit's column has room for n stored entries; fails the row where it has not. Needed
 * only where nothing of the model bounds the size. */
bool vec_fits(const struct unit *u, struct frame *f, unsigned row, uint32_t n);

#endif
