/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <string.h>

void vec_copy(const struct vec *from, struct vec *to)
{
    to->size = from->size;
    to->n = from->n;
    to->sparse = from->sparse;
    memcpy(to->values, from->values, from->n * sizeof(double));
    if (from->sparse)
        memcpy(to->indices, from->indices, from->n * sizeof(uint32_t));
}

void vec_densify(const struct vec *from, struct vec *to)
{
    to->size = to->n = from->size;
    to->sparse = false;
    if (!from->sparse) {
        memcpy(to->values, from->values, from->n * sizeof(double));
        return;
    }
    memset(to->values, 0, to->n * sizeof(double));
    for (uint32_t k = 0; k < from->n; k++)
        to->values[from->indices[k]] = from->values[k];
}

void vec_compress(struct vec *v, enum platform_compressed rule)
{
    uint32_t nnz = 0;

    for (uint32_t i = 0; i < v->size; i++)
        nnz += v->values[i] != 0;
    v->sparse = compressed_sparse(rule, nnz, v->size);
    if (!v->sparse)
        return;
    v->n = 0;
    for (uint32_t i = 0; i < v->size; i++) {
        if (v->values[i] == 0)
            continue;
        v->values[v->n] = v->values[i];
        v->indices[v->n++] = i;
    }
}

bool vec_fits(const struct unit *u, struct frame *f, unsigned row, uint32_t n)
{
    uint32_t room = f->plan->columns[u->out].shape.active_max;

    if (n <= room)
        return true;
    frame_fail(f, row, u, u->in[0], PROBLEM_ROW_TOO_LARGE,
               "a vector of %u stored entries, there is room for %u", (unsigned)n, (unsigned)room);
    return false;
}
