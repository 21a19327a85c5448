/* SPDX-License-Identifier: Apache-2.0 */
/* PCAModel: the components, a row each, times the vector, by BLAS.gemv; nothing is centred. */
#include "../engine_priv.h"
#include "scored/blas.h"

#include <string.h>

struct pca {
    const struct blas *blas;
    struct matrix components;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct pca *x = u->params;
    const struct vec *from = f->columns[u->in[0]].vec;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->components.cols))
    {
        struct vec *v = frame_dense(f, u->out, r, x->components.rows);
        if (!v)
            return;
        memset(v->values, 0, v->n * sizeof(double));
        blas_gemv(x->blas, 1.0, &x->components, &from[r], 0.0, v->values);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct pca *x = params;

    m->shape = shape_vector(x->components.rows, x->components.rows);
    return load_blas(l, m->name, &x->blas, e);
}

static const struct param params[] = {
    {"pc", PARAM_MATRIX(struct pca, components), .note = "the transpose of Spark's"},
};

const struct op op_pca = {
    .name = "pca",
    .class_name = SPARK_ML("feature.PCAModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct pca),
    .prepare = prepare,
    .run = run,
};
