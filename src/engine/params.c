/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of params: how each is read from `params` and blocks, checked, and put into a field. */
#include "load.h"

#include <stdio.h>
#include <string.h>

const struct choice error_skip_keep[] = {
    {"error", HANDLE_ERROR},
    {"skip", HANDLE_SKIP},
    {"keep", HANDLE_KEEP},
    {NULL, 0},
};
const struct choice error_skip_optimistic[] = {
    {"error", HANDLE_ERROR},
    {"skip", HANDLE_SKIP},
    {"optimistic", HANDLE_OPTIMISTIC},
    {NULL, 0},
};
const struct choice error_keep[] = {{"error", HANDLE_ERROR}, {"keep", HANDLE_KEEP}, {NULL, 0}};

/* -- values in `params` -- */

bool load_value(struct load *l, const struct param *p, struct json *list, struct json *v,
                struct err *e)
{
    struct json_iter it = {0};

    if (!p->each)
        return json_get(&l->params, p->name, v, e);
    if (!json_get_array(&l->params, p->name, list, e))
        return false;
    if (json_size(list) != l->n_in)
        return json_fail(list, e, "must have %u elements, one a column", (unsigned)l->n_in);
    while (it.n <= l->column)
        if (!json_next(list, &it))
            return json_fail(list, e, "must be an array");
    *v = it.value;
    return true;
}

static bool load_bool(struct load *l, const struct param *p, void *to, struct err *e)
{
    return json_get_bool(&l->params, p->name, to, e);
}

static bool load_string(struct load *l, const struct param *p, void *to, struct err *e)
{
    return json_get_string(&l->params, p->name, to, e);
}

static bool check_range(const struct param *p, const struct json *v, double value, struct err *e)
{
    bool any = p->low == 0 && p->high == 0;

    if (any || (value >= p->low && value <= p->high))
        return true;
    if (p->low == p->high)
        return json_fail(v, e, "must be %.17g", p->low);
    return value > p->high ? json_fail(v, e, "must be at most %.17g", p->high)
                           : json_fail(v, e, "must be at least %.17g", p->low);
}

static bool load_int(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct json list, v;
    uint32_t value;

    if (!load_value(l, p, &list, &v, e) || !json_as_u32(&v, UINT32_MAX, &value, e) ||
        !check_range(p, &v, value, e))
        return false;
    *(uint32_t *)to = value;
    return true;
}

static bool load_double(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct json list, v;
    double value;

    if (!load_value(l, p, &list, &v, e) || !json_as_double(&v, &value, e) ||
        !check_range(p, &v, value, e))
        return false;
    *(double *)to = value;
    return true;
}

static bool load_optional(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct optional_double *x = to;
    struct json list, v;

    if (!load_value(l, p, &list, &v, e))
        return false;
    x->null = json_is_null(&v);
    return x->null || load_double(l, p, &x->value, e);
}

static bool load_choice(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct json list, v;
    const char *text;

    if (!load_value(l, p, &list, &v, e) || !json_as_string(&v, &text, e))
        return false;
    for (const struct choice *c = p->choices; c->name; c++) {
        if (strcmp(c->name, text) == 0) {
            *(int *)to = c->value;
            return true;
        }
    }
    return json_fail(&v, e, "unknown value '%.64s'", text);
}

static bool load_ints(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct ints *x = to;
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->params, p->name, &list, e))
        return false;
    uint32_t n = json_size(&list), *values = load_new(l, uint32_t, n);
    if (!values)
        return err_memory(e);
    while (json_next(&list, &it)) {
        uint32_t *value = &values[it.n - 1];
        if (!json_as_u32(&it.value, UINT32_MAX, value, e) || !check_range(p, &it.value, *value, e))
            return false;
    }
    *x = (struct ints){n, values};
    return true;
}

const struct param_kind kind_bool = {.name = "bool", .load = load_bool};
const struct param_kind kind_string = {.name = "string", .load = load_string};
const struct param_kind kind_int = {.name = "int", .load = load_int};
const struct param_kind kind_double = {.name = "double", .load = load_double};
const struct param_kind kind_optional = {.name = "double or null", .load = load_optional};
const struct param_kind kind_choice = {.name = "choice", .load = load_choice};
const struct param_kind kind_ints = {.name = "ints", .load = load_ints};

/* -- blocks of one element a column -- */

static bool load_block_double(struct load *l, const struct param *p, void *to, struct err *e)
{
    const struct block *b;

    if (!load_block(l, p->name, BLOCK_F64, &b, e))
        return false;
    if (b->n_dims != 1 || b->n != l->n_in)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: %u elements are needed, one a column", b->name,
                       (unsigned)l->n_in);
    *(double *)to = ((const double *)b->data)[l->column];
    return true;
}

const struct param_kind kind_block_double = {
    .name = "doubles, one a column",
    .load = load_block_double,
    .blocks = (const struct kind_block[]){{"", BLOCK_F64, 1, NULL}},
    .n_blocks = 1,
    .only_blocks = true,
};

/* -- blocks of whole numbers -- */

static bool load_ints_block(struct load *l, const struct param *p, void *to, struct err *e)
{
    const struct block *b;

    if (!load_block(l, p->name, BLOCK_U32, &b, e))
        return false;
    if (b->n_dims != 1 || b->n > INT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must have one dimension", b->name);
    const uint32_t *values = b->data;
    for (uint64_t i = 0; p->high > 0 && i < b->n; i++)
        if (values[i] > p->high)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu must be at most %.17g",
                           b->name, (unsigned long long)i, p->high);
    *(struct ints *)to = (struct ints){(uint32_t)b->n, values};
    return true;
}

const struct param_kind kind_ints_block = {
    .name = "ints",
    .load = load_ints_block,
    .blocks = (const struct kind_block[]){{"", BLOCK_U32, 1, NULL}},
    .n_blocks = 1,
    .only_blocks = true,
};

/* -- all of an op -- */

static const struct param *find(const struct op *op, const char *name)
{
    const struct param *p = op->params;

    while (strcmp(p->name, name) != 0)
        p++;
    return p;
}

/* What has a size begins with it. */
static bool check_size(const struct load *l, const struct param *p, const unsigned char *to,
                       struct err *e)
{
    uint32_t size = *(const uint32_t *)(const void *)(to + p->at);
    uint32_t other = *(const uint32_t *)(const void *)(to + find(l->op, p->size_of)->at);

    return size == other || err_set(e, ERR_BAD_BUNDLE, "params.%s.size: must be that of %s, %u",
                                    p->name, p->size_of, (unsigned)other);
}

bool load_params(struct load *l, void *to, struct err *e)
{
    for (unsigned i = 0; i < l->op->n_params; i++) {
        const struct param *p = &l->op->params[i];
        if (p->kind->load && !p->kind->load(l, p, (unsigned char *)to + p->at, e))
            return false;
        if (p->size_of && !check_size(l, p, to, e))
            return false;
    }
    return true;
}
