/* SPDX-License-Identifier: Apache-2.0 */
/* BucketedRandomProjectionLSHModel: the floor of each projection / bucketLength, by BLAS.gemv. */
#include "../hash_list.h"
#include "scored/blas.h"

#include <math.h>
#include <string.h>

struct projections {
    const struct blas *blas;
    double bucket_length;
    struct matrix matrix;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct projections *x = u->params;
    uint32_t n = x->matrix.rows;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->matrix.cols))
    {
        double *hashes = hash_list(u, f, r, n);
        if (!hashes)
            return;
        memset(hashes, 0, n * sizeof(double));
        blas_gemv(x->blas, 1.0 / x->bucket_length, &x->matrix, &f->columns[u->in[0]].vec[r], 0.0,
                  hashes);
        for (uint32_t i = 0; i < n; i++)
            hashes[i] = floor(hashes[i]);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    m->shape = hash_shape();
    return load_blas(l, m->name, &((struct projections *)params)->blas, e);
}

static const struct param params[] = {
    {"bucketLength", PARAM_DOUBLE(struct projections, bucket_length)},
    {"randUnitVectors", PARAM_MATRIX(struct projections, matrix), .note = "a row a table"},
};

const struct op op_bucketed_random_projection_lsh = {
    .name = "bucketed_random_projection_lsh",
    .class_name = SPARK_ML("feature.BucketedRandomProjectionLSHModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_ARRAY_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct projections),
    .prepare = prepare,
    .run = run,
};
