/* SPDX-License-Identifier: Apache-2.0 */
/* RobustScalerModel: minus the median, times 1/range of quantiles (centered.h). */
#include "../centered.h"

static const struct param params[] = {
    {"withCentering", PARAM_BOOL(struct centered, shifts)},
    {"withScaling", PARAM_BOOL(struct centered, scales)},
    {"median", PARAM_VEC(struct centered, middle)},
    {"range", PARAM_VEC(struct centered, spread), .size_of = "median"},
};

const struct op op_robust_scaler = {
    .name = "robust_scaler",
    .class_name = SPARK_ML("feature.RobustScalerModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct centered),
    .prepare = centered_prepare,
};
