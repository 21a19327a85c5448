/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as Java treats them, and tokens as Spark counts them. All texts are valid UTF-8. */
#ifndef SCORED_TEXT_H
#define SCORED_TEXT_H

#include "../engine_priv.h"
#include "scored/value.h"

/* The code point at p, and how many bytes it takes. */
uint32_t text_decode(const char *p, unsigned *length);

/* Bytes that the lower case of a text takes at most. */
size_t text_lower_room(struct text t, enum lower_rules rules);

/* Writes String.toLowerCase of JDK 17; returns its length. */
uint32_t text_lower(struct text t, enum lower_rules rules, char *out);

/* The same of upper case, but for Turkish, Azeri and Lithuanian. */
size_t text_upper_room(struct text t);
uint32_t text_upper(struct text t, char *out);

/* A sparse vector of a size with room for counts of all of the row's tokens, and room for the place
 * of each. NULL as frame_take. */
struct vec *counts_room(const struct unit *u, struct frame *f, unsigned row, uint32_t size,
                        uint32_t **places);
/* Fills it with how often each of n places is there. The room for places is used up. */
void counts_fill(struct vec *v, uint32_t *places, uint32_t n);

/* Null arrays fail: Spark's UDF goes over them. Returns the other rows. */
uint64_t fail_null_lists(const struct unit *u, struct frame *f, uint64_t rows);

#endif
