/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that ops of trees share. */
#include "forest.h"

#include <string.h>

uint64_t forest_rows(const struct forest *x, const struct unit *u, struct frame *f, uint64_t rows)
{
    if (!x->stumps)
        return fail_nulls(u, f, rows);
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

/* -- slots of rows -- */

enum { SLOTS_MAX = 1024 }; /* a row of models with more is searched by every walk */

/* A vector that is too short for the model stays what it is. */
static void run_slots(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        if (from->size < x->n_features) {
            f->columns[u->out].vec[r] = *from;
            continue;
        }
        struct vec *v = frame_vec(f, u->out, r, x->category_slot + x->n_categories);
        if (!v)
            return;
        v->size = x->n_features;
        forest_put_slots(x, from, v);
    }
}

static bool add_slots(struct load *l, struct forest *x, uint16_t *column, struct err *e)
{
    uint32_t n_slots = x->category_slot + x->n_categories;
    const struct unit u = {.run = run_slots, .params = x, .in = l->in, .n_in = 1};

    *column = l->in[0];
    if (x->stumps || n_slots > SLOTS_MAX)
        return true;
    if (!load_unit(l, NULL, shape_vector(SIZE_UNKNOWN, n_slots), false, &u, e))
        return false;
    x->prepared = true;
    *column = load_last(l);
    return true;
}

bool forest_add_features(struct load *l, struct forest *x, struct made m[OUTPUTS_MAX],
                         struct err *e)
{
    uint16_t *column = load_new(l, uint16_t, 1);

    if (!column)
        return err_memory(e);
    for (unsigned i = 0; i < OUTPUTS_MAX; i++) {
        m[i].unit.params = x;
        m[i].unit.in = column;
        if (m[i].unit.run == forest_run_leaves)
            m[i].shape = shape_vector(x->n_trees, x->n_trees);
    }
    return add_slots(l, x, column, e);
}

/* -- leafCol -- */

void forest_run_leaf(const struct unit *u, struct frame *f, uint64_t rows)
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

static void take_number(const struct forest *x, uint32_t t, uint32_t leaf, double *to)
{
    to[t] = leaf - x->first_leaf[t];
}

void forest_run_leaves(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        struct vec *v = frame_dense(f, u->out, r, x->n_trees);
        if (!v)
            return;
        if (!forest_each(x, &f->columns[u->in[0]].vec[r], take_number, v->values))
            forest_fail(u, f, r);
    }
}
