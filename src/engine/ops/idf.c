/* SPDX-License-Identifier: Apache-2.0 */
/* IDFModel: each entry times that of its slot. The vector keeps its kind and its stored zeros. */
#include "../vectors.h"

struct idf {
    struct doubles factors;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct idf *x = u->params;

    vec_run_scaled(u, f, rows, x->factors.values, x->factors.size);
}

static const struct param params[] = {
    {"idf", PARAM_VECTOR(struct idf, factors)},
};

const struct op op_idf = {
    .name = "idf",
    .class_name = SPARK_ML("feature.IDFModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct idf),
    .run = run,
};
