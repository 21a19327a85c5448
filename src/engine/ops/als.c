/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ALSModel: the product of a user's and an item's factors, summed in floats. Ids must be whole
 * numbers within int. Of who is unknown the prediction is NaN, and under coldStartStrategy=drop a
 * row whose prediction is NaN is dropped.
 */
#include "../engine_priv.h"
#include "scored/java.h"

#include <math.h>
#include <string.h>

struct factors {
    uint32_t n;
    const float *values; /* [n, rank] */
    struct bits_dict ids;
    enum type type; /* of the column of ids */
};

struct als {
    uint32_t rank;
    int cold_start;
    struct factors users, items;
};

enum { COLD_NAN, COLD_DROP };
static const struct choice cold_starts[] = {{"nan", COLD_NAN}, {"drop", COLD_DROP}, {NULL, 0}};

/* Spark compares the number with its cast to int, a float as floats. */
static bool is_id(const struct column *c, enum type type, unsigned row, int32_t *id)
{
    double d = column_double(c, type, row);

    if (type_is_integer(type)) {
        *id = (int32_t)c->i64[row];
        return c->i64[row] >= INT32_MIN && c->i64[row] <= INT32_MAX;
    }
    *id = j_d2i(d);
    return type == TYPE_FLOAT ? (float)*id == c->f32[row] : (double)*id == d;
}

/* The factors of a row's id, NULL where it is unknown; false: it is none, and the row fails. */
static bool find(const struct unit *u, const struct factors *from, struct frame *f, unsigned row,
                 const float **out)
{
    const struct als *x = u->params;
    unsigned in = from == &x->items;
    const struct column *c = &f->columns[u->in[in]];
    bool null = c->nulls & row_bit(row);
    int32_t id;

    if (null || !is_id(c, from->type, row, &id)) {
        frame_fail(f, row, u, u->in[in], null ? PROBLEM_NULL_VALUE : PROBLEM_INVALID_VALUE,
                   "'%s' is not a whole number within int", f->plan->columns[u->in[in]].name);
        return false;
    }
    int64_t place = bits_dict_find(&from->ids, (uint64_t)(int64_t)id);
    *out = place == DICT_NONE ? NULL : from->values + (size_t)place * x->rank;
    return true;
}

static bool predict(const struct unit *u, struct frame *f, unsigned row, float *out)
{
    const struct als *x = u->params;
    const float *user, *item;
    float sum = 0;

    if (!find(u, &x->users, f, row, &user) || !find(u, &x->items, f, row, &item))
        return false;
    for (uint32_t i = 0; user && item && i < x->rank; i++)
        sum += user[i] * item[i];
    *out = user && item ? sum : NAN;
    return true;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    float found;

    FOR_ROWS(r, rows)
    if (predict(u, f, r, &found))
        f->columns[u->out].f32[r] = found;
}

static void run_filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    float found;

    FOR_ROWS(r, rows)
    if (predict(u, f, r, &found) && isnan(found))
        frame_skip(f, r, u, u->in[0]);
}

/* -- loading -- */

/* Ids, and the bits of floats, a row each. */
static bool load_factors(struct load *l, const char *ids_name, const char *values_name,
                         uint32_t rank, struct factors *x, struct err *e)
{
    const struct block *ids, *values;

    if (!load_block(l, ids_name, BLOCK_I64, &ids, e) ||
        !load_block(l, values_name, BLOCK_U32, &values, e))
        return false;
    if (ids->n_dims != 1 || ids->n > INT32_MAX || values->n_dims != 2 ||
        values->shape[0] != ids->n || values->shape[1] != rank)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: the shape must be [%llu, %u]", values->name,
                       (unsigned long long)ids->n, (unsigned)rank);
    x->n = (uint32_t)ids->n;
    x->values = values->data;
    uint32_t *places = load_new(l, uint32_t, x->n);
    if (!places)
        return err_memory(e);
    for (uint32_t i = 0; i < x->n; i++)
        places[i] = i;
    return bits_dict_build(&x->ids, ids->data, places, x->n, l->arena) || err_memory(e);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct als *x = params;

    (void)m;
    x->users.type = load_column(l, l->in[0])->shape.type;
    x->items.type = load_column(l, l->in[1])->shape.type;
    if (!load_factors(l, "userFactors.ids", "userFactors.values", x->rank, &x->users, e) ||
        !load_factors(l, "itemFactors.ids", "itemFactors.values", x->rank, &x->items, e))
        return false;
    const struct unit u = {.run = run_filter, .params = x, .in = l->in, .n_in = l->n_in};
    return x->cold_start == COLD_NAN || load_filter(l, &u, e);
}

static const struct param_kind kind_factors = {
    .name = "ids, and the bits of floats",
    .blocks =
        (const struct kind_block[]){{".ids", BLOCK_I64, 1, NULL}, {".values", BLOCK_U32, 2, NULL}},
    .n_blocks = 2,
    .only_blocks = true,
};

static const struct param params[] = {
    {"rank", PARAM_INT(struct als, rank), .low = 1, .high = 1 << 20},
    {"coldStartStrategy", .kind = &kind_choice, .at = FIELD(struct als, cold_start, int),
     .choices = cold_starts},
    {"userFactors", .kind = &kind_factors},
    {"itemFactors", .kind = &kind_factors},
};

const struct op op_als = {
    .name = "als",
    .class_name = SPARK_ML("recommendation.ALSModel"),
    .form = &form_predictor,
    .in = {PORT("userCol", IS_NUMERIC)},
    .second = {PORT("itemCol", IS_NUMERIC)},
    .out = {{PORT("predictionCol", IS_FLOAT)}},
    OP_PARAMS(params),
    .size = sizeof(struct als),
    .prepare = prepare,
    .run = run,
};
