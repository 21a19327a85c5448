/* SPDX-License-Identifier: Apache-2.0 */
/* Could a client of the model that is served trip over the next one? */
#include "scored/model.h"

#include <string.h>

static const struct bundle_column *find(const struct bundle_column *columns, uint32_t n,
                                        const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

static bool same_type(const struct bundle_column *a, const struct bundle_column *b)
{
    return a->type == b->type && a->digits.precision == b->digits.precision &&
           a->digits.scale == b->digits.scale && a->contains_null == b->contains_null &&
           a->size == b->size;
}

static bool refuse(struct err *e, const char *what, const char *name, const char *how)
{
    return err_set(e, ERR_BAD_BUNDLE, "%s '%.100s' %s; --allow-schema-change lets it through", what,
                   name, how);
}

static bool check_input(const struct bundle *now, const struct bundle_column *next, struct err *e)
{
    const struct bundle_column *old = find(now->inputs, now->n_inputs, next->name);

    if (!old)
        return refuse(e, "input", next->name, "is new: requests of today do not have it");
    if (!same_type(old, next))
        return refuse(e, "input", next->name, "has another type than that of the version served");
    if (old->nullable && !next->nullable)
        return refuse(e, "input", next->name, "may no longer be null or missing");
    return true;
}

static bool check_output(const struct bundle *next, const struct bundle_column *old, struct err *e)
{
    const struct bundle_column *new = find(next->outputs, next->n_outputs, old->name);

    if (!new)
        return refuse(e, "output", old->name, "is no longer answered");
    return same_type(old, new) ||
           refuse(e, "output", old->name, "has another type than that of the version served");
}

bool model_compatible(const struct model *now, const struct model *next, struct err *e)
{
    const struct bundle *a = now->bundle, *b = next->bundle;

    if (strcmp(a->name, b->name) != 0)
        return err_set(e, ERR_BAD_BUNDLE,
                       "the bundle's name is '%.64s', '%.64s' is served; --allow-schema-change "
                       "lets it through",
                       b->name, a->name);
    for (uint32_t i = 0; i < b->n_inputs; i++)
        if (!check_input(a, &b->inputs[i], e))
            return false;
    for (uint32_t i = 0; i < a->n_outputs; i++)
        if (!check_output(b, &a->outputs[i], e))
            return false;
    return true;
}
