/* SPDX-License-Identifier: Apache-2.0 */
/* ColumnPruner, of an RFormula: drops columns. Their names mean nothing to later stages. */
#include "../engine_priv.h"

static bool load(struct load *l, struct err *e)
{
    if (!load_inputs(l, false, e))
        return false;
    for (uint16_t i = 0; i < l->n_in; i++)
        if (!load_drop(l, l->in[i], e))
            return false;
    return true;
}

static const struct form form_drop = {.name = "dropped columns", .load = load};

const struct op op_column_pruner = {
    .name = "column_pruner",
    .class_name = SPARK_ML("feature.ColumnPruner"),
    .form = &form_drop,
    .in = {PORT("columnsToPrune", IS_ANY)},
};
