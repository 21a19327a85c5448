/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The models of Spark's selectors (ChiSqSelector, UnivariateFeatureSelector,
 * VarianceThresholdSelector): chosen entries, ascending. The vector keeps its kind and its stored
 * zeros. Of a sparse vector the size is not looked at.
 */
#include "../vectors.h"

struct selector {
    struct ints selected;
};

static void select_dense(const struct selector *x, const struct vec *from, struct vec *v)
{
    v->n = x->selected.size;
    for (uint32_t i = 0; i < v->n; i++)
        v->values[i] = from->values[x->selected.values[i]];
}

static void select_sparse(const struct selector *x, const struct vec *from, struct vec *v)
{
    uint32_t k = 0;

    v->n = 0;
    for (uint32_t i = 0; i < x->selected.size; i++) {
        while (k < from->n && from->indices[k] < x->selected.values[i])
            k++;
        if (k == from->n || from->indices[k] != x->selected.values[i])
            continue;
        v->indices[v->n] = i;
        v->values[v->n++] = from->values[k];
    }
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct selector *x = u->params;
    uint32_t n = x->selected.size, longest = n ? x->selected.values[n - 1] + 1 : 0;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        if (!from->sparse && from->size < longest) {
            fail_short(u, f, r, longest);
            continue;
        }
        struct vec *v = frame_vec(f, u->out, r, n);
        if (!v)
            return;
        v->size = n;
        v->sparse = from->sparse;
        (from->sparse ? select_sparse : select_dense)(x, from, v);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct ints *selected = &((struct selector *)params)->selected;

    (void)l;
    m->shape = shape_vector(selected->size, selected->size);
    for (uint32_t i = 1; i < selected->size; i++)
        if (selected->values[i] <= selected->values[i - 1])
            return err_set(e, ERR_BAD_BUNDLE, "params.selectedFeatures: element %u does not rise",
                           (unsigned)i);
    return true;
}

static const struct param params[] = {
    {"selectedFeatures", PARAM_INTS(struct selector, selected), .high = BOUND_FEATURES,
     .note = "rising"},
};

const struct op op_feature_selector = {
    .name = "feature_selector",
    .class_name = SPARK_ML("feature.ChiSqSelectorModel"),
    .more_classes = {SPARK_ML("feature.UnivariateFeatureSelectorModel"),
                     SPARK_ML("feature.VarianceThresholdSelectorModel")},
    .form = &form_vector,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("outputCol", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct selector),
    .prepare = prepare,
    .run = run,
};
