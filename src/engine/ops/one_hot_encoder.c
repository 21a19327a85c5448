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
    uint32_t n_categories;
    enum handle_invalid invalid;
    bool drop_last;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct encoder *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        double value = column_double(c, x->type, r);
        if (!(value >= 0 && value < x->categories)) {
            if (x->invalid != HANDLE_KEEP) {
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

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct encoder *x = params;
    bool keep = x->invalid == HANDLE_KEEP;
    int64_t size = (int64_t)x->n_categories + keep - x->drop_last;

    if (size < 0)
        return err_set(e, ERR_BAD_BUNDLE, "params.categorySizes: no category is left");
    x->type = load_input(l)->shape.type;
    x->categories = x->n_categories;
    x->size = (double)size;
    m->shape = shape_vector(size, 1);
    m->nullable = true;
    return true;
}

static const struct param params[] = {
    {"handleInvalid", PARAM_INVALID(struct encoder, invalid, error_keep)},
    {"dropLast", PARAM_BOOL(struct encoder, drop_last)},
    {"categorySizes", PARAM_INT(struct encoder, n_categories), .high = INT32_MAX - 1, .each = true},
};

const struct op op_one_hot_encoder = {
    .name = "one_hot_encoder",
    .class_name = SPARK_ML("feature.OneHotEncoderModel"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_REAL)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct encoder),
    .prepare = prepare,
    .run = run,
};
