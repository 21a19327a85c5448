/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that ops of trees share. */
#include "forest.h"

#include <string.h>

uint64_t forest_rows(const struct forest *x, const struct unit *u, struct frame *f, uint64_t rows)
{
    if (!x->stumps)
        return fail_nulls(u, f, rows);
    f->columns[u->out].nulls = 0;
    return rows;
}

void forest_fail(const struct unit *u, struct frame *f, unsigned row)
{
    frame_fail(f, row, u, u->in[0], PROBLEM_SIZE_MISMATCH,
               "a vector of %u entries is too short for the trees",
               (unsigned)f->columns[u->in[0]].vec[row].size);
}

void forest_run_prediction(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        uint32_t leaf = forest_leaf(x, 0, &f->columns[u->in[0]].vec[r]);
        if (leaf == LEAF_NONE)
            forest_fail(u, f, r);
        else
            f->columns[u->out].f64[r] = x->prediction[leaf];
    }
}

/* -- features -- */

enum { DENSE_FEATURES = 1024 }; /* of models with more, walks search the sparse vector */

static void run_features(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        struct vec *v = frame_vec(f, u->out, r);
        v->size = v->n = from->size < x->n_features ? from->size : x->n_features;
        v->sparse = false;
        if (!from->sparse && !x->n_categories) {
            v->values = from->values;
            continue;
        }
        if (!from->sparse) {
            memcpy(v->values, from->values, v->n * sizeof(double));
        } else {
            memset(v->values, 0, v->n * sizeof(double));
            for (uint32_t k = 0; k < from->n && from->indices[k] < v->n; k++)
                v->values[from->indices[k]] = from->values[k];
        }
        if (v->size == x->n_features)
            forest_put_categories(x, v->values);
    }
}

bool forest_add_features(struct load *l, struct forest *x, uint16_t *in, struct err *e)
{
    uint16_t *from = load_new(l, uint16_t, 1);
    const struct unit u = {.run = run_features, .params = x, .in = from, .n_in = 1};
    struct shape shape = shape_vector(SIZE_UNKNOWN, x->n_features + x->n_categories);

    if (x->stumps || x->n_features > DENSE_FEATURES)
        return true;
    if (!from)
        return err_memory(e);
    *from = *in;
    if (!load_unit(l, NULL, shape, false, &u, e))
        return false;
    x->slots = true;
    *in = load_last(l);
    return true;
}

/* -- leafCol -- */

static void run_leaf(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        uint32_t leaf = forest_leaf(x, 0, &f->columns[u->in[0]].vec[r]);
        if (leaf == LEAF_NONE)
            forest_fail(u, f, r);
        else
            f->columns[u->out].f64[r] = leaf;
    }
}

static void run_leaves(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        struct vec *v = frame_vec(f, u->out, r);
        v->size = v->n = x->n_trees;
        v->sparse = false;
        for (uint32_t t = 0, n; t < x->n_trees; t += n) {
            uint32_t leaf[FOREST_GROUP];
            n = forest_leaves(x, t, &f->columns[u->in[0]].vec[r], leaf);
            if (!n) {
                forest_fail(u, f, r);
                break;
            }
            for (uint32_t k = 0; k < n; k++)
                v->values[t + k] = leaf[k] - x->first_leaf[t + k];
        }
    }
}

bool forest_load_leaf_column(struct load *l, const struct forest *x, const uint16_t *in,
                             bool single, struct err *e)
{
    const struct unit u = {.run = single ? run_leaf : run_leaves, .params = x, .in = in, .n_in = 1};
    const char *name;

    if (!load_output(l, "leafCol", &name, e))
        return false;
    return !name || load_unit(l, name, single ? shape_double : shape_vector(x->n_trees, x->n_trees),
                              false, &u, e);
}
