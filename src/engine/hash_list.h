/* SPDX-License-Identifier: Apache-2.0 */
/* What Spark's LSH models make: a list of vectors of one entry each, a hash a table. */
#ifndef SCORED_HASH_LIST_H
#define SCORED_HASH_LIST_H

#include "engine_priv.h"

/* Of n hashes, still to be written, one behind the other; NULL as frame_take. */
static inline double *hash_list(const struct unit *u, struct frame *f, unsigned row, uint32_t n)
{
    struct list *list = frame_list(f, u->out, row, n);
    double *hashes = list ? frame_take(f, n, sizeof(double)) : NULL;

    for (uint32_t i = 0; hashes && i < n; i++)
        ((struct vec *)list->items)[i] = (struct vec){.size = 1, .n = 1, .values = hashes + i};
    return hashes;
}

/* The column's shape: all of it is in the scratch. */
static inline struct shape hash_shape(void)
{
    return (struct shape){.type = TYPE_ARRAY_VECTOR, .size = SIZE_UNKNOWN, .most = MOST_UNKNOWN};
}

#endif
