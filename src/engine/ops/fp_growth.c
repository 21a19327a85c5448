/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FPGrowthModel: what the rules add to a set of items. Of each rule all of whose antecedents are in
 * the array, the consequent, unless it is in the array or was added before; null arrays and null
 * items are of no rule. The answers have the order of the rules, which is not the model's but that
 * in which a Spark collects them: it shuffles them anew in each session. The bundle has the
 * exporting session's.
 */
#include "../engine_priv.h"
#include "scored/java.h"
#include "scored/value.h"

#include <string.h>

struct growth {
    struct texts items; /* of arrays of strings */
    struct {
        uint32_t size;
        const double *values;
        struct bits_dict places;
    } numbers; /* of other arrays */
    enum type type;
    uint32_t n_items, n_rules;
    const uint32_t *ends, *antecedents; /* of a rule: from ends[i] to ends[i + 1] */
    const uint32_t *consequents;        /* one a rule */
    struct dict dict;
};

/* Of a run, for one row after the other: bits of items, those in the array and those to be added.
 */
struct basket {
    uint64_t *has, *adds;
};

static uint32_t words(const struct growth *x)
{
    return (x->n_items + 63) / 64;
}

static bool is_in(const uint64_t *set, uint32_t item)
{
    return set[item / 64] >> item % 64 & 1;
}

static void turn(uint64_t *set, uint32_t item)
{
    set[item / 64] ^= (uint64_t)1 << item % 64;
}

static double number_at(enum type type, const struct list *from, uint32_t i)
{
    return type == TYPE_DOUBLE  ? ((const double *)from->items)[i]
           : type == TYPE_FLOAT ? (double)((const float *)from->items)[i]
                                : (double)((const int64_t *)from->items)[i];
}

/* The bits by which Scala's == finds a number: -0.0 equals 0.0. NaN, which equals nothing, is no
 * item. */
static uint64_t key_of(double d)
{
    return j_bits_of(d == 0 ? 0.0 : d);
}

static int64_t find(const struct growth *x, const struct list *from, uint32_t i)
{
    if (list_null(from, i))
        return DICT_NONE;
    if (x->type == TYPE_STRING) {
        struct text t = ((const struct text *)from->items)[i];
        return dict_find(&x->dict, t.p, t.len);
    }
    return bits_dict_find(&x->numbers.places, key_of(number_at(x->type, from, i)));
}

static void fill(const struct growth *x, const struct list *from, struct basket *b)
{
    memset(b->has, 0, words(x) * sizeof *b->has);
    memset(b->adds, 0, words(x) * sizeof *b->adds);
    for (uint32_t i = 0; i < from->n; i++) {
        int64_t item = find(x, from, i);
        if (item != DICT_NONE && !is_in(b->has, (uint32_t)item))
            turn(b->has, (uint32_t)item);
    }
}

static bool holds(const struct growth *x, uint32_t rule, const struct basket *b)
{
    uint32_t i = x->ends[rule];

    while (i < x->ends[rule + 1] && is_in(b->has, x->antecedents[i]))
        i++;
    return i == x->ends[rule + 1];
}

/* Marks what is to be added; returns how many. */
static uint32_t mark(const struct growth *x, const struct basket *b)
{
    uint32_t n = 0;

    for (uint32_t rule = 0; rule < x->n_rules; rule++) {
        uint32_t item = x->consequents[rule];
        if (is_in(b->has, item) || is_in(b->adds, item) || !holds(x, rule, b))
            continue;
        turn(b->adds, item);
        n++;
    }
    return n;
}

static void put_item(const struct growth *x, uint32_t item, struct list *to, uint32_t i)
{
    void *cell = value_at(to->items, x->type, i);

    if (x->type == TYPE_STRING)
        *(struct text *)cell = x->items.values[item];
    else if (x->type == TYPE_DOUBLE)
        *(double *)cell = x->numbers.values[item];
    else if (x->type == TYPE_FLOAT)
        *(float *)cell = j_d2f(x->numbers.values[item]);
    else
        *(int64_t *)cell = j_d2i(x->numbers.values[item]);
}

/* What is marked, in the order of the rules that hold. */
static void put_marked(const struct growth *x, const struct basket *b, struct list *to)
{
    uint32_t n = 0;

    for (uint32_t rule = 0; n < to->n; rule++) {
        uint32_t item = x->consequents[rule];
        if (!is_in(b->adds, item) || !holds(x, rule, b))
            continue;
        turn(b->adds, item);
        put_item(x, item, to, n++);
    }
}

static bool basket_init(const struct growth *x, struct frame *f, struct basket *b)
{
    b->has = frame_take(f, words(x), sizeof *b->has);
    b->adds = b->has ? frame_take(f, words(x), sizeof *b->adds) : NULL;
    return b->adds;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct growth *x = u->params;
    const struct column *c = &f->columns[u->in[0]];
    const struct list none = {0};
    struct basket b;

    if (!basket_init(x, f, &b))
        return;
    FOR_ROWS(r, rows)
    {
        fill(x, c->nulls & row_bit(r) ? &none : &c->list[r], &b);
        struct list *to = frame_list(f, u->out, r, mark(x, &b));
        if (!to)
            return;
        put_marked(x, &b, to);
    }
}

/* -- loading -- */

static bool check_items(const struct growth *x, const struct block *b, struct err *e)
{
    const uint32_t *items = b->data;

    for (uint64_t i = 0; i < b->n; i++)
        if (items[i] >= x->n_items)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu is no item of %u", b->name,
                           (unsigned long long)i, (unsigned)x->n_items);
    return true;
}

static bool check_ends(const struct block *ends, const struct block *antecedents, uint64_t rules,
                       struct err *e)
{
    const uint32_t *at = ends->data;

    if (ends->n != rules + 1 || at[0] != 0 || at[rules] != antecedents->n)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go in %llu steps from 0 to %llu",
                       ends->name, (unsigned long long)rules, (unsigned long long)antecedents->n);
    for (uint64_t i = 0; i < rules; i++)
        if (at[i] > at[i + 1])
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu falls", ends->name,
                           (unsigned long long)i + 1);
    return true;
}

static bool load_rules(struct load *l, struct growth *x, struct err *e)
{
    const struct block *ends, *antecedents, *consequents;

    if (!load_block(l, "rules.ends", BLOCK_U32, &ends, e) ||
        !load_block(l, "rules.antecedents", BLOCK_U32, &antecedents, e) ||
        !load_block(l, "rules.consequents", BLOCK_U32, &consequents, e))
        return false;
    if (ends->n_dims != 1 || antecedents->n_dims != 1 || consequents->n_dims != 1 ||
        consequents->n > INT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must have one dimension", ends->name);
    if (!check_ends(ends, antecedents, consequents->n, e) || !check_items(x, antecedents, e) ||
        !check_items(x, consequents, e))
        return false;
    x->n_rules = (uint32_t)consequents->n;
    x->ends = ends->data;
    x->antecedents = antecedents->data;
    x->consequents = consequents->data;
    return true;
}

static bool is_item(enum type type, double d)
{
    return type == TYPE_DOUBLE  ? d == d
           : type == TYPE_FLOAT ? (double)j_d2f(d) == d
                                : j_d2i(d) == d;
}

static bool load_numbers(struct load *l, struct growth *x, struct err *e)
{
    const struct block *b;

    if (!load_block(l, "numbers", BLOCK_F64, &b, e))
        return false;
    if (b->n_dims != 1 || b->n > INT32_MAX || x->items.size)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must have one dimension, and be all items",
                       b->name);
    x->numbers.size = (uint32_t)b->n;
    x->numbers.values = b->data;
    uint64_t *keys = load_new(l, uint64_t, b->n);
    uint32_t *places = load_new(l, uint32_t, b->n);
    if (!keys || !places)
        return err_memory(e);
    for (uint32_t i = 0; i < x->numbers.size; i++) {
        if (!is_item(x->type, x->numbers.values[i]))
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u is none of the column's items",
                           b->name, (unsigned)i);
        keys[i] = key_of(x->numbers.values[i]);
        places[i] = i;
    }
    return bits_dict_build(&x->numbers.places, keys, places, x->numbers.size, l->arena) ||
           err_memory(e);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct growth *x = params;

    m->nullable = false;
    m->shape.most = MOST_UNKNOWN;
    x->type = type_element(load_input(l)->shape.type);
    if (x->type != TYPE_STRING && !load_numbers(l, x, e))
        return false;
    if (!dict_build(&x->dict, x->items.values, x->items.size, l->arena))
        return err_memory(e);
    x->n_items = x->type == TYPE_STRING ? x->items.size : x->numbers.size;
    return load_rules(l, x, e);
}

static const struct param_kind kind_numbers = {
    .name = "items that are numbers",
    .blocks =
        (const struct kind_block[]){{"", BLOCK_F64, 1, "array<int>, array<float>, array<double>"}},
    .n_blocks = 1,
    .only_blocks = true,
};
static const struct param_kind kind_rules = {
    .name = "places of items, by rule",
    .blocks = (const struct kind_block[]){{".ends", BLOCK_U32, 1, NULL},
                                          {".antecedents", BLOCK_U32, 1, NULL},
                                          {".consequents", BLOCK_U32, 1, NULL}},
    .n_blocks = 3,
    .only_blocks = true,
};

static const struct param params[] = {
    {"items", PARAM_STRINGS(struct growth, items)},
    {"numbers", .kind = &kind_numbers},
    {"rules", .kind = &kind_rules},
};

const struct op op_fp_growth = {
    .name = "fp_growth",
    .class_name = SPARK_ML("fpm.FPGrowthModel"),
    .form = &form_predictor,
    .in = {PORT("itemsCol", IS_TEXTS | TYPE_BIT(ARRAY_INT) | IS_ARRAY_FLOAT | IS_ARRAY_DOUBLE)},
    .out = {{PORT("predictionCol", AS_INPUT)}},
    OP_PARAMS(params),
    .size = sizeof(struct growth),
    .prepare = prepare,
    .run = run,
};
