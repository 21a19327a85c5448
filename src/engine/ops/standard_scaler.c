/* SPDX-License-Identifier: Apache-2.0 */
/* StandardScalerModel: minus the mean, times 1/std (centered.h). */
#include "../centered.h"

static const struct param params[] = {
    {"withMean", PARAM_BOOL(struct centered, shifts)},
    {"withStd", PARAM_BOOL(struct centered, scales)},
    {"mean", PARAM_VEC(struct centered, middle)},
    {"std", PARAM_VEC(struct centered, spread), .size_of = "mean"},
};

const struct op op_standard_scaler = {
    .name = "standard_scaler",
    .class_name = SPARK_ML("feature.StandardScalerModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct centered),
    .prepare = centered_prepare,
};
