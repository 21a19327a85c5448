/* SPDX-License-Identifier: Apache-2.0 */
/* ElementwiseProduct: each entry times its weight. The vector keeps its kind and stored zeros. */
#include "../vectors.h"

struct product {
    struct doubles weights;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct product *x = u->params;
    uint64_t good = fail_sizes(u, f, fail_nulls(u, f, rows), x->weights.size);

    vec_run_scaled(u, f, good, x->weights.values, x->weights.size);
}

static const struct param params[] = {
    {"scalingVec", PARAM_VECTOR(struct product, weights)},
};

const struct op op_elementwise_product = {
    .name = "elementwise_product",
    .class_name = SPARK_ML("feature.ElementwiseProduct"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct product),
    .run = run,
};
