/* SPDX-License-Identifier: Apache-2.0 */
#include "boosted.h"

#include "scored/blas.h"

enum { STATS = 3 };

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        struct vec *v = frame_vec(f, u->out, r);
        v->size = v->n = x->n_trees;
        v->sparse = false;
        for (uint32_t t = 0; t < x->n_trees; t++) {
            uint32_t leaf = forest_leaf(x, t, &f->columns[u->in[0]].vec[r]);
            if (leaf == NODE_NONE) {
                forest_fail(u, f, r);
                break;
            }
            v->values[t] = x->prediction[leaf];
        }
    }
}

bool boosted_load(struct load *l, struct boosted *x, struct err *e)
{
    if (!load_input(l, "featuresCol", TYPE_VECTOR, &x->features, e) ||
        !forest_load(l, STATS, false, &x->forest, &x->features, e))
        return false;
    const struct unit u = {.run = run, .params = &x->forest, .in = &x->features, .n_in = 1};
    struct shape shape = shape_vector(x->forest.n_trees, x->forest.n_trees);
    if (!load_unit(l, NULL, shape, false, &u, e))
        return false;
    x->predictions = load_last(l);
    return true;
}

double boosted_sum(const struct boosted *x, const struct vec *predictions)
{
    return x->blas->ddot(predictions->values, x->forest.tree_weight, x->forest.n_trees);
}
