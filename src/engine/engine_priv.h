/* SPDX-License-Identifier: Apache-2.0 */
/* What ops are written with: memory of values, and how rows fail; and what they load with. */
#ifndef SCORED_ENGINE_PRIV_H
#define SCORED_ENGINE_PRIV_H

#include "load.h"

/* Memory for what a unit makes of a row, n items of a size, aligned to 8. All memory of values that
 * is not laid out at load comes from here. NULL: too little is left, and frame.full is set. Then
 * the unit returns: what it made is nothing, and the rows will run again, fewer at a time. */
void *frame_take(struct frame *f, size_t n, size_t size);

struct vec *frame_vec_taken(struct frame *f, unsigned column, unsigned row, size_t n, bool indices);
static inline struct vec *frame_vec_room(struct frame *f, unsigned column, unsigned row, size_t n,
                                         bool indices)
{
    const struct plan_column *c = &f->plan->columns[column];

    if (n > c->room)
        return frame_vec_taken(f, column, row, n, indices);
    struct vec *v = &f->columns[column].vec[row];
    unsigned char *at = (unsigned char *)f + c->entries + (size_t)row * c->stride;
    v->values = (double *)(void *)at;
    v->indices = (uint32_t *)(void *)(v->values + c->room);
    return v;
}

/* The vector that a unit is about to write, with memory for n entries; size, n and sparse are the
 * unit's to set. NULL as above. */
static inline struct vec *frame_vec(struct frame *f, unsigned column, unsigned row, size_t n)
{
    return frame_vec_room(f, column, row, n, true);
}

/* A dense one of n values that are still to be written. */
static inline struct vec *frame_dense(struct frame *f, unsigned column, unsigned row, uint32_t n)
{
    struct vec *v = frame_vec_room(f, column, row, n, false);

    if (v) {
        v->size = v->n = n;
        v->sparse = false;
    }
    return v;
}

/* The text that a unit is about to write, of at most n bytes; `len` is the unit's to set. NULL as
 * above. */
char *frame_text(struct frame *f, unsigned column, unsigned row, size_t n);

/* The list that a unit is about to write, of n elements of the column's element type, none of them
 * null. NULL as above. */
struct list *frame_list(struct frame *f, unsigned column, unsigned row, uint32_t n);
/* An element becomes null. False as NULL above. */
bool frame_list_null(struct frame *f, struct list *l, uint32_t i);

/* Rows whose column is null become null in the unit's column; returns the others. */
static inline uint64_t pass_nulls(const struct unit *u, struct frame *f, uint64_t rows)
{
    uint64_t nulls = f->columns[u->in[0]].nulls;

    f->columns[u->out].nulls = nulls;
    return rows & ~nulls;
}

/* Null vectors fail: Spark's UDF dereferences them. Returns the other rows. */
uint64_t fail_nulls(const struct unit *u, struct frame *f, uint64_t rows);

/* Vectors of another size than `size` fail. Returns the other rows. */
uint64_t fail_sizes(const struct unit *u, struct frame *f, uint64_t rows, uint32_t size);

/* The row's vector is shorter than `least`: it fails. */
void fail_short(const struct unit *u, struct frame *f, unsigned row, uint32_t least);

#endif
