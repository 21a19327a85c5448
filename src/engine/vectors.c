/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <string.h>

struct vec *vec_copy(const struct unit *u, struct frame *f, unsigned row, const struct vec *from)
{
    struct vec *v = frame_vec_room(f, u->out, row, from->n, from->sparse);

    if (!v)
        return NULL;
    v->size = from->size;
    v->n = from->n;
    v->sparse = from->sparse;
    memcpy(v->values, from->values, from->n * sizeof(double));
    if (from->sparse)
        memcpy(v->indices, from->indices, from->n * sizeof(uint32_t));
    return v;
}

void vec_spread(const struct vec *from, struct vec *to)
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

struct vec *vec_densify(const struct unit *u, struct frame *f, unsigned row, const struct vec *from)
{
    struct vec *v = frame_vec_room(f, u->out, row, from->size, false);

    if (v)
        vec_spread(from, v);
    return v;
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
