/* SPDX-License-Identifier: Apache-2.0 */
#include "boosted.h"

#include "scored/blas.h"

enum { STATS = 3 };

static void take(const struct forest *x, uint32_t t, uint32_t leaf, double *to)
{
    to[t] = x->prediction[leaf];
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        struct vec *v = frame_dense(f, u->out, r, x->n_trees);
        if (!v)
            return;
        const struct forest_row row = forest_row(x, u, f, r);
        if (!forest_each(x, &row, take, v->values))
            forest_fail(x, u, f, r);
    }
}

bool boosted_load(struct load *l, struct boosted *x, struct made m[OUTPUTS_MAX], struct err *e)
{
    const struct forest_need need = {.n_stats = STATS, .keep = KEEP_PREDICTION};

    if (!forest_load(l, &need, &x->forest, m, e))
        return false;
    struct unit u = m[0].unit;
    struct shape shape = shape_vector(x->forest.n_trees, x->forest.n_trees);
    u.run = run;
    if (!load_unit(l, NULL, shape, false, &u, e))
        return false;
    x->predictions = load_last(l);
    m[0].unit.params = x;
    m[0].unit.in = &x->predictions;
    return true;
}

double boosted_sum(const struct boosted *x, const struct vec *predictions)
{
    return x->blas->ddot(predictions->values, x->forest.tree_weight, x->forest.n_trees);
}
