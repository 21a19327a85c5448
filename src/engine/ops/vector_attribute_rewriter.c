/* SPDX-License-Identifier: Apache-2.0 */
/* VectorAttributeRewriter, of an RFormula: the column again under its name; what it rewrites is
 * metadata, which no row sees. */
#include "../vectors.h"

const struct op op_vector_attribute_rewriter = {
    .name = "vector_attribute_rewriter",
    .class_name = SPARK_ML("feature.VectorAttributeRewriter"),
    .form = &form_vector,
    .in = {PORT("vectorCol", IS_VECTOR)},
    .out = {{PORT("vectorCol", IS_VECTOR)}},
    .run = vec_run_same,
    .shadows = true,
};
