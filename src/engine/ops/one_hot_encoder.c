/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OneHotEncoderModel: an index -> a sparse vector with at most one 1.0. Fractions are truncated,
 * but 2.5 of 3 categories under dropLast is beyond the size 2. Null stays null, also under keep.
 */
#include "../engine_priv.h"
#include "scored/java.h"

struct encoder {
    double categories; /* known ones */
    double size;       /* of the vector */
    enum type type;
    bool keep;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct encoder *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        double value = column_double(c, x->type, r);
        if (!(value >= 0 && value < x->categories)) {
            if (!x->keep) {
                frame_fail(f, r, u, u->in[0], PROBLEM_UNSEEN_VALUE,
                           "'%s' is not a category below %.0f", f->plan->columns[u->in[0]].name,
                           x->categories);
                continue;
            }
            value = x->categories;
        }
        struct vec *v = frame_vec(f, u->out, r, 1);
        if (!v)
            return;
        v->size = (uint32_t)j_d2i(x->size);
        v->sparse = true;
        v->n = value < x->size;
        if (v->n) {
            v->indices[0] = (uint32_t)j_d2i(value);
            v->values[0] = 1.0;
        }
    }
}

static bool load_column_of(struct load *l, const uint16_t *column, const char *name,
                           uint32_t categories, const struct encoder *common, struct err *e)
{
    struct encoder *x = load_new(l, struct encoder, 1);
    const struct unit u = {.run = run, .params = x, .in = column, .n_in = 1};
    const struct plan_column *c = load_column(l, *column);

    if (!x)
        return err_memory(e);
    *x = *common;
    x->type = c->shape.type;
    if (!type_is_numeric(x->type))
        return err_set(e, ERR_BAD_BUNDLE, "inputs.inputCols: column '%.64s' is %s, not a number",
                       c->name, type_name(x->type));
    int64_t size = (int64_t)categories + x->keep - (x->size != 0); /* size holds dropLast here */
    if (size < 0)
        return err_set(e, ERR_BAD_BUNDLE, "params.categorySizes: no category is left");
    x->categories = categories;
    x->size = (double)size;
    return load_unit(l, name, shape_vector(size, 1), true, &u, e);
}

static bool load(struct load *l, struct err *e)
{
    const uint16_t *columns;
    const char *const *names;
    enum handle_invalid invalid;
    struct json sizes;
    struct json_iter it = {0};
    bool drop_last;
    uint16_t n;

    if (!load_inputs(l, "inputCols", &columns, &n, e) ||
        !load_outputs(l, "outputCols", &names, n, e) ||
        !load_handle_invalid(l, false, &invalid, e) ||
        !json_get_bool(&l->params, "dropLast", &drop_last, e) ||
        !json_get_array(&l->params, "categorySizes", &sizes, e))
        return false;
    if (json_size(&sizes) != n)
        return json_fail(&sizes, e, "must have %u elements, one a column", (unsigned)n);
    const struct encoder common = {.size = drop_last, .keep = invalid == HANDLE_KEEP};
    while (json_next(&sizes, &it)) {
        uint32_t categories;
        if (!json_as_u32(&it.value, INT32_MAX - 1, &categories, e) ||
            !load_column_of(l, &columns[it.n - 1], names[it.n - 1], categories, &common, e))
            return false;
    }
    return true;
}

const struct op op_one_hot_encoder = {
    .name = "one_hot_encoder",
    .class_name = "feature.OneHotEncoderModel",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"categorySizes", "dropLast", "handleInvalid", NULL},
    .load = load,
};
