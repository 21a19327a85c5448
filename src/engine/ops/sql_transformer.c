/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLTransformer: a projection of one row, and WHERE. Each output is an expression over the columns
 * before the stage; a row goes on where all conditions are true, and is dropped where one is false
 * or null. Columns that the statement leaves out are dropped.
 */
#include "../sql/sql.h"

struct sql_stage {
    struct ints drops;
};

/* -- running -- */

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct sql_node *n = u->params;
    struct column *c = &f->columns[u->out];

    FOR_ROWS(r, rows)
    {
        const struct sql_row row = {u, f, r};
        union sql_value v;
        enum sql_got got = sql_run(n, &row, &v);
        if (f->full)
            return;
        if (got == SQL_VALUE)
            sql_put(c, &n->type, r, &v);
        else if (got == SQL_NULL)
            c->nulls |= row_bit(r);
    }
}

static void run_filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct sql_node *n = u->params;

    FOR_ROWS(r, rows)
    {
        const struct sql_row row = {u, f, r};
        union sql_value v;
        enum sql_got got = sql_run(n, &row, &v);
        if (f->full)
            return;
        if (got == SQL_NULL || (got == SQL_VALUE && !v.i))
            frame_skip(f, r, u, n->column);
    }
}

/* -- loading -- */

/* A program as a unit that reads what the program does. */
static bool load_program(struct load *l, const struct json *program, struct unit *u, struct err *e)
{
    bool reads[BOUND_COLUMNS] = {false};
    uint16_t n = 0;

    u->params = sql_load(l, program, reads, e);
    if (!u->params)
        return false;
    for (uint16_t i = 0; i < l->n_in; i++)
        n += reads[i];
    uint16_t *in = load_new(l, uint16_t, n);
    if (!in)
        return err_memory(e);
    for (uint16_t i = 0; i < l->n_in; i++)
        if (reads[i])
            in[u->n_in++] = l->in[i];
    u->in = in;
    return true;
}

static bool load_conditions(struct load *l, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->params, "where", &list, e))
        return false;
    while (json_next(&list, &it)) {
        struct unit u = {.run = run_filter};
        if (!load_program(l, &it.value, &u, e))
            return false;
        const struct sql_node *n = u.params;
        if (n->type.type != TYPE_BOOLEAN || n->column == COLUMN_NONE)
            return json_fail(&it.value, e, "must be a condition on a column");
        if (!load_filter(l, &u, e))
            return false;
    }
    return true;
}

/* Of a column as it is, the shape is the column's. */
static struct shape shape_of_node(const struct load *l, const struct sql_node *n)
{
    struct shape shape = shape_of(n->type.type);

    if (!n->function && n->column != COLUMN_NONE)
        return load_column(l, n->column)->shape;
    shape.digits = n->type.digits;
    shape.most = n->type.type == TYPE_STRING ? MOST_UNKNOWN : 0;
    return shape;
}

static bool load_units(struct load *l, struct unit **units, uint32_t *n, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->params, "expressions", &list, e))
        return false;
    *n = json_size(&list);
    *units = load_new(l, struct unit, *n);
    if (!*units)
        return err_memory(e);
    while (json_next(&list, &it)) {
        struct unit *u = &(*units)[it.n - 1];
        u->run = run;
        if (!load_program(l, &it.value, u, e))
            return false;
    }
    return *n <= BOUND_COLUMNS ||
           json_fail(&list, e, "must have at most %d elements", BOUND_COLUMNS);
}

static bool drop(struct load *l, const struct ints *drops, struct err *e)
{
    for (uint32_t i = 0; i < drops->size; i++) {
        if (drops->values[i] >= l->n_in)
            return err_set(e, ERR_BAD_BUNDLE, "params.drops: the stage reads %u columns",
                           (unsigned)l->n_in);
        if (!load_drop(l, l->in[drops->values[i]], e))
            return false;
    }
    return true;
}

static bool load(struct load *l, struct err *e)
{
    struct sql_stage stage;
    const char *const *names;
    struct unit *units;
    uint32_t n;

    if (!load_inputs(l, false, e) || !load_params(l, &stage, e) || !load_conditions(l, e) ||
        !load_units(l, &units, &n, e) ||
        !load_outputs(l, l->op->out[0].key, &names, (uint16_t)n, e) || !drop(l, &stage.drops, e))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!load_unit(l, names[i], shape_of_node(l, units[i].params), true, &units[i], e))
            return false;
    return true;
}

static const struct form form_projection = {.name = "projection", .load = load};

static const struct param_kind kind_programs = {.name = "programs"};

static const struct param params[] = {
    {"expressions", .kind = &kind_programs, .note = "one an output"},
    {"where", .kind = &kind_programs, .note = "conditions, each of which must be true"},
    {"drops", PARAM_INTS(struct sql_stage, drops),
     .note = "which of inputCols later stages do not have"},
};

const struct op op_sql_transformer = {
    .name = "sql_transformer",
    .class_name = SPARK_ML("feature.SQLTransformer"),
    .form = &form_projection,
    .in = {PORT("inputCols", IS_ANY)},
    .out = {{PORT("outputCols", IS_ANY)}},
    OP_PARAMS(params),
    .shadows = true,
};
