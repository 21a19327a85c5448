/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FeatureHasher: a sparse vector of sums. A real column adds its value at the hash of its name, a
 * categorical one adds 1 at the hash of "name=value", the value as Java writes it. Real columns
 * come first, in an order of Spark's own. What is null adds nothing; 0.0 is stored.
 */
#include "../engine_priv.h"
#include "../jtext.h"
#include "../murmur3.h"
#include "scored/value.h"

#include <assert.h>
#include <string.h>

struct hashed {
    uint16_t column;
    enum type type;
    bool real;
    uint32_t index;        /* of a real one */
    struct murmur3 prefix; /* of "name=" */
};

struct hasher {
    uint32_t n_features;
    struct ints reals;
    const struct hashed *columns; /* real ones first */
};

static void add(struct vec *v, uint32_t index, double value)
{
    uint32_t at = vec_place(v, index);

    if (at < v->n && v->indices[at] == index) {
        v->values[at] += value;
        return;
    }
    memmove(v->indices + at + 1, v->indices + at, (v->n - at) * sizeof *v->indices);
    memmove(v->values + at + 1, v->values + at, (v->n - at) * sizeof *v->values);
    v->indices[at] = index;
    v->values[at] = value;
    v->n++;
}

enum { ROOM = 64 };
static_assert(ROOM >= (int)JTEXT_MAX && ROOM >= (int)DECIMAL_SHOWN, "any number fits");

static struct text text_of(const struct column *c, enum type type, unsigned row, char *room)
{
    if (type == TYPE_STRING)
        return c->text[row];
    if (type == TYPE_BOOLEAN)
        return c->i64[row] ? (struct text){"true", 4} : (struct text){"false", 5};
    if (type == TYPE_DECIMAL)
        return (struct text){room, decimal_print(&c->decimal[row], false, room)};
    unsigned n = type == TYPE_DOUBLE  ? jtext_double(c->f64[row], room)
                 : type == TYPE_FLOAT ? jtext_float(c->f32[row], room)
                                      : jtext_long(c->i64[row], room);
    return (struct text){room, n};
}

static void add_column(const struct hasher *x, const struct hashed *h, const struct column *c,
                       unsigned row, struct vec *v)
{
    char room[ROOM];

    if (h->real) {
        add(v, h->index, column_double(c, h->type, row));
        return;
    }
    struct text text = text_of(c, h->type, row, room);
    struct murmur3 m = h->prefix;
    murmur3_add(&m, text.p, text.len);
    add(v, murmur3_index(murmur3_end(m), x->n_features), 1.0);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct hasher *x = u->params;

    FOR_ROWS(r, rows)
    {
        struct vec *v = frame_vec(f, u->out, r, u->n_in);
        if (!v)
            return;
        v->size = x->n_features;
        v->sparse = true;
        v->n = 0;
        for (unsigned i = 0; i < u->n_in; i++) {
            const struct column *c = &f->columns[x->columns[i].column];
            if (!(c->nulls & row_bit(r)))
                add_column(x, &x->columns[i], c, r, v);
        }
    }
}

/* -- loading -- */

static bool put_column(struct load *l, const struct hasher *x, uint32_t i, bool real,
                       struct hashed *out, struct err *e)
{
    const struct plan_column *c = load_column(l, l->in[i]);

    if (real && !(IS_REAL >> c->shape.type & 1))
        return err_set(e, ERR_BAD_BUNDLE, "params.realCols: column '%.64s' is no number", c->name);
    *out = (struct hashed){.column = l->in[i], .type = c->shape.type, .real = real};
    out->prefix = MURMUR3_SPARK;
    murmur3_add(&out->prefix, c->name, strlen(c->name));
    out->index = murmur3_index(murmur3_end(out->prefix), x->n_features);
    murmur3_add(&out->prefix, "=", 1);
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct hasher *x = params;
    struct hashed *columns = load_new(l, struct hashed, l->n_in);
    bool *real = load_new(l, bool, l->n_in);
    uint32_t n = 0;

    if (!columns || !real)
        return err_memory(e);
    for (uint32_t k = 0; k < x->reals.size; k++) {
        uint32_t i = x->reals.values[k];
        if (i >= l->n_in || real[i])
            return err_set(e, ERR_BAD_BUNDLE, "params.realCols: %u is no column, or stands twice",
                           (unsigned)i);
        real[i] = true;
        if (!put_column(l, x, i, true, &columns[n++], e))
            return false;
    }
    for (uint32_t i = 0; i < l->n_in; i++)
        if (!real[i] && !put_column(l, x, i, false, &columns[n++], e))
            return false;
    x->columns = columns;
    m->shape = shape_vector(x->n_features, l->n_in);
    return true;
}

static const struct param params[] = {
    {"numFeatures", PARAM_INT(struct hasher, n_features), .low = 1, .high = INT32_MAX},
    {"realCols", PARAM_INTS(struct hasher, reals),
     .note = "which of inputCols are real, in the order in which they add"},
};

const struct op op_feature_hasher = {
    .name = "feature_hasher",
    .class_name = SPARK_ML("feature.FeatureHasher"),
    .form = &form_several,
    .in = {PORT("inputCols", IS_STRING | IS_BOOLEAN | IS_REAL)},
    .out = {{PORT("outputCol", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct hasher),
    .prepare = prepare,
    .run = run,
};
