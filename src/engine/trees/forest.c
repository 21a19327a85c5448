/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that ops of trees share. */
#include "tiles.h"

#include <string.h>

uint64_t forest_rows(const struct forest *x, const struct unit *u, struct frame *f, uint64_t rows)
{
    if (!x->stumps)
        return fail_nulls(u, f, rows);
    return rows;
}

void forest_fail(const struct forest *x, const struct unit *u, struct frame *f, unsigned row)
{
    frame_fail(f, row, u, u->in[0], PROBLEM_SIZE_MISMATCH,
               "a vector of %u entries is too short for the trees",
               (unsigned)forest_row(x, u, f, row).features->size);
}

void forest_run_prediction(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        const struct forest_row row = forest_row(x, u, f, r);
        uint32_t leaf = forest_leaf(x, 0, &row);
        if (leaf == LEAF_NONE)
            forest_fail(x, u, f, r);
        else
            f->columns[u->out].f64[r] = x->prediction[leaf];
    }
}

/* -- slots of rows -- */

enum { SLOTS_MAX = 1024 }; /* a row of models with more is searched by every walk */

static uint32_t slots_of(const struct forest *x)
{
    return x->category_slot + x->n_categories;
}

bool forest_has_slots(const struct forest *x)
{
    return !x->stumps && slots_of(x) <= SLOTS_MAX;
}

struct forest_row *forest_begin_row(const struct forest *x, void *cell)
{
    uint32_t n_slots = slots_of(x);
    struct forest_row *new = cell;

    new->features = NULL;
    new->keys = (int64_t *)(void *)(new + 1);
    new->shifts = (uint32_t *)(void *)(new->keys + n_slots);
    new->ranks = (uint8_t *)(new->shifts + n_slots); /* not set where there are no tiles */
    memset(new->keys, 0, n_slots * sizeof *new->keys);
    memset(new->shifts, 0, x->category_slot * sizeof *new->shifts);
    new->keys[LEAF_SLOT] = INT64_MAX;
    return new;
}

struct forest_row *forest_new_slots(const struct forest *x, struct frame *f, unsigned column,
                                    unsigned row)
{
    return forest_begin_row(x, f->columns[column].bytes + (size_t)row * x->cell);
}

/* A vector that is too short for the model has none. */
void forest_run_slots(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *features = &f->columns[u->in[0]].vec[r];
        struct forest_row *row = forest_new_slots(x, f, u->out, r);
        row->features = features;
        if (features->size < x->n_features)
            row->keys = NULL;
        else
            forest_put_slots(x, row);
    }
}

static bool add_slots(struct load *l, struct forest *x, uint16_t *column, struct err *e)
{
    const struct unit u = {.run = forest_run_slots, .params = x, .in = l->in, .n_in = 1};
    size_t cell = sizeof(struct forest_row) + slots_of(x) * (sizeof(int64_t) + sizeof(uint32_t)) +
                  (x->tiles ? TILE_LANES : 0);

    *column = l->in[0];
    if (!forest_has_slots(x))
        return true;
    x->cell = (uint32_t)((cell + 7) & ~(size_t)7);
    if (!load_unit(l, NULL, shape_bytes(x->cell), false, &u, e))
        return false;
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
        const struct forest_row row = forest_row(x, u, f, r);
        uint32_t leaf = forest_leaf(x, 0, &row);
        if (leaf == LEAF_NONE)
            forest_fail(x, u, f, r);
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
        const struct forest_row row = forest_row(x, u, f, r);
        if (!forest_each(x, &row, take_number, v->values))
            forest_fail(x, u, f, r);
    }
}
