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

bool vec_reaches(const struct unit *u, struct frame *f, unsigned row, uint32_t n, bool all)
{
    const struct vec *v = &f->columns[u->in[0]].vec[row];

    if (all || !v->sparse ? v->size <= n : v->n == 0 || v->indices[v->n - 1] < n)
        return true;
    frame_fail(f, row, u, u->in[0], PROBLEM_SIZE_MISMATCH,
               "a vector of %u entries, the model has %u", (unsigned)v->size, (unsigned)n);
    return false;
}

void vec_run_widened(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        const struct list *from = &f->columns[u->in[0]].list[r];
        struct vec *v = frame_dense(f, u->out, r, from->n);
        if (!v)
            return;
        for (uint32_t i = 0; i < from->n; i++)
            v->values[i] = (double)((const float *)from->items)[i];
    }
}

void vec_run_scaled(const struct unit *u, struct frame *f, uint64_t rows, const double *factors,
                    uint32_t n)
{
    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        if (!vec_reaches(u, f, r, n, false))
            continue;
        struct vec *v = vec_copy(u, f, r, &f->columns[u->in[0]].vec[r]);
        if (!v)
            return;
        for (uint32_t k = 0; k < v->n; k++)
            v->values[k] *= factors[v->sparse ? v->indices[k] : k];
    }
}

void vec_run_same(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct vec *from = f->columns[u->in[0]].vec;
    struct vec *to = f->columns[u->out].vec;

    FOR_ROWS(r, pass_nulls(u, f, rows))
    to[r] = from[r];
}

uint32_t vec_argmax(const struct vec *v)
{
    uint32_t best = 0;

    for (uint32_t i = 1; i < v->n; i++)
        if (v->values[i] > v->values[best])
            best = i;
    return best;
}
