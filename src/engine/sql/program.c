/* SPDX-License-Identifier: Apache-2.0 */
/* Programs become trees: each instruction takes its arguments from a stack and leaves its node. */
#include "sql.h"

#include "scored/java.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct sql_table *const tables[] = {
    &sql_logic,    &sql_comparisons, &sql_numbers,     &sql_casts,      &sql_mathematics,
    &sql_rounding, &sql_texts,       &sql_text_shapes, &sql_text_casts, &sql_decimals,
    &sql_dates,    &sql_hashes,      &sql_regexes};

/* -- running -- */

static enum sql_got fail(const struct sql_node *n, const struct sql_row *r, const char *fmt,
                         va_list args) __attribute__((format(printf, 3, 0)));

static enum sql_got fail(const struct sql_node *n, const struct sql_row *r, const char *fmt,
                         va_list args)
{
    char what[ROW_DETAIL];
    uint16_t column = n->column != COLUMN_NONE ? n->column : r->u->n_in ? r->u->in[0] : r->u->out;

    if (vsnprintf(what, sizeof what, fmt, args) < 0)
        what[0] = '\0';
    frame_fail(r->f, r->row, r->u, column, PROBLEM_INVALID_VALUE, "%s: %s",
               n->function ? n->function->name : "", what);
    return SQL_STOP;
}

enum sql_got sql_fail(const struct sql_node *n, const struct sql_row *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    enum sql_got got = fail(n, r, fmt, args);
    va_end(args);
    return got;
}

enum sql_got sql_outside(const struct sql_node *n, const struct sql_row *r, enum sql_got legacy,
                         const char *fmt, ...)
{
    va_list args;

    if (n->mode != SQL_ANSI)
        return n->mode == SQL_TRY ? SQL_NULL : legacy;
    va_start(args, fmt);
    enum sql_got got = fail(n, r, fmt, args);
    va_end(args);
    return got;
}

static enum sql_got run_literal(const struct sql_node *n, const struct sql_row *r,
                                union sql_value *out)
{
    (void)r;
    *out = n->literal;
    return n->null ? SQL_NULL : SQL_VALUE;
}

static bool is_cell(enum type type)
{
    return type == TYPE_VECTOR || type_is_array(type);
}

static void get_cell(const struct column *c, enum type type, unsigned row, union sql_value *out)
{
    if (type == TYPE_DOUBLE)
        out->d = c->f64[row];
    else if (type == TYPE_FLOAT)
        out->f = c->f32[row];
    else if (type == TYPE_STRING)
        out->t = c->text[row];
    else if (type == TYPE_DECIMAL)
        out->n = c->decimal[row].unscaled;
    else if (is_cell(type))
        out->cell = column_cell(c, type, row);
    else
        out->i = c->i64[row];
}

void sql_put(struct column *c, const struct sql_type *t, unsigned row, const union sql_value *v)
{
    if (t->type == TYPE_DOUBLE)
        c->f64[row] = v->d;
    else if (t->type == TYPE_FLOAT)
        c->f32[row] = v->f;
    else if (t->type == TYPE_STRING)
        c->text[row] = v->t;
    else if (t->type == TYPE_DECIMAL)
        c->decimal[row] = (struct decimal){v->n, t->digits.scale};
    else if (is_cell(t->type))
        memcpy(column_cell(c, t->type, row), v->cell, value_sizes[t->type]);
    else
        c->i64[row] = v->i;
}

static enum sql_got run_column(const struct sql_node *n, const struct sql_row *r,
                               union sql_value *out)
{
    const struct column *c = &r->f->columns[n->column];

    if (c->nulls & row_bit(r->row))
        return SQL_NULL;
    get_cell(c, n->type.type, r->row, out);
    return SQL_VALUE;
}

static enum sql_got run_eager(const struct sql_node *n, const struct sql_row *r,
                              union sql_value *out)
{
    union sql_value a[SQL_EAGER];

    for (uint32_t i = 0; i < n->n_args; i++) {
        enum sql_got got = sql_run(n->args[i], r, &a[i]);
        if (got != SQL_VALUE)
            return got;
    }
    return n->function->eager(n, r, a, out);
}

/* -- loading -- */

struct build {
    struct load *l;
    bool *reads;
    const struct sql_node **stack;
    uint32_t n;
};

static bool get(const struct json *instruction, uint32_t i, struct json *out, struct err *e)
{
    struct json_iter it = {0};

    while (json_next(instruction, &it)) {
        if (it.n == i + 1) {
            *out = it.value;
            return true;
        }
    }
    return json_fail(instruction, e, "must have more elements");
}

static struct sql_node *push(struct build *b, const struct sql_node *from, struct err *e)
{
    struct sql_node *n = load_new(b->l, struct sql_node, 1);

    if (!n) {
        err_memory(e);
        return NULL;
    }
    *n = *from;
    b->stack[b->n++] = n;
    return n;
}

static bool push_column(struct build *b, const struct json *instruction, struct err *e)
{
    struct json v;
    uint32_t i;

    if (!get(instruction, 1, &v, e) || !json_as_u32(&v, UINT32_MAX, &i, e))
        return false;
    if (i >= b->l->n_in)
        return json_fail(&v, e, "the stage reads %u columns", (unsigned)b->l->n_in);
    const struct shape *shape = &load_column(b->l, b->l->in[i])->shape;
    b->reads[i] = true;
    const struct sql_node n = {
        .run = run_column, .depth = 1, .type = {shape->type, shape->digits}, .column = b->l->in[i]};
    return push(b, &n, e) != NULL;
}

/* An integer in decimal digits, at most 38 of them. */
static bool read_integer(const struct json *v, int128 *out, struct err *e)
{
    const char *text;
    int128 n = 0;

    if (!json_as_string(v, &text, e))
        return false;
    bool negative = *text == '-';
    size_t digits = strlen(text + negative);
    if (!digits || digits > DECIMAL_DIGITS || strspn(text + negative, "0123456789") != digits)
        return json_fail(v, e, "must be an integer in digits");
    for (const char *p = text + negative; *p; p++)
        n = n * 10 + (*p - '0');
    *out = negative ? -n : n;
    return true;
}

static bool read_real(const struct json *v, enum type type, union sql_value *out, struct err *e)
{
    double d;

    if (!json_as_double(v, &d, e))
        return false;
    if (type == TYPE_DOUBLE) {
        out->d = d;
        return true;
    }
    out->f = j_d2f(d);
    return j_bits_of((double)out->f) == j_bits_of(d) || json_fail(v, e, "must be a float");
}

static bool read_text(const struct json *v, union sql_value *out, struct err *e)
{
    const char *text;

    if (!json_as_string(v, &text, e))
        return false;
    out->t = (struct text){text, (uint32_t)strlen(text)};
    return true;
}

static bool read_whole(const struct json *v, const struct sql_type *t, union sql_value *out,
                       struct err *e)
{
    int128 n = 0, most = 1;

    if (!read_integer(v, &n, e))
        return false;
    if (t->type == TYPE_DECIMAL) {
        for (unsigned i = 0; i < t->digits.precision; i++)
            most *= 10;
        out->n = n;
        return (n < most && n > -most) || json_fail(v, e, "has too many digits");
    }
    out->i = (int64_t)n;
    enum type width = t->type == TYPE_DATE ? TYPE_INT : t->type;
    return (out->i == n && sql_wrap(width, out->i) == out->i) ||
           json_fail(v, e, "is outside the range of %s", type_name(t->type));
}

static bool read_literal(const struct json *v, const struct sql_type *t, union sql_value *out,
                         struct err *e)
{
    unsigned bit = 1u << t->type;

    if (bit & (IS_DOUBLE | IS_FLOAT))
        return read_real(v, t->type, out, e);
    if (bit & IS_STRING)
        return read_text(v, out, e);
    if (bit & (SQL_SCALARS))
        return read_whole(v, t, out, e);
    return json_fail(v, e, "there are no literals of type %s", type_name(t->type));
}

static bool push_literal(struct build *b, const struct json *instruction, struct err *e)
{
    struct sql_node n = {.run = run_literal, .depth = 1, .column = COLUMN_NONE};
    struct json type, v;
    const char *text;

    if (!get(instruction, 1, &type, e) || !get(instruction, 2, &v, e) ||
        !json_as_string(&type, &text, e))
        return false;
    if (!type_read(text, &n.type.type, &n.type.digits))
        return json_fail(&type, e, "unknown type '%.64s'", text);
    n.null = json_is_null(&v);
    return (n.null || read_literal(&v, &n.type, &n.literal, e)) && push(b, &n, e);
}

static bool same(const struct sql_type *a, const struct sql_type *b)
{
    return a->type == b->type && a->digits.precision == b->digits.precision &&
           a->digits.scale == b->digits.scale;
}

/* Whether a row of the table takes the arguments. */
static bool takes(const struct sql_function *f, const struct sql_node *const *args, uint32_t n)
{
    if (n < f->least || (f->most && n > f->most) || (f->eager && n > SQL_EAGER))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!(f->types[i < 2 ? i : 2] >> args[i]->type.type & 1))
            return false;
    for (uint32_t i = f->types[0] == f->types[1] ? 1 : 2; f->alike && i < n; i++)
        if (!same(&args[i]->type, &args[i - 1]->type))
            return false;
    return true;
}

static const struct sql_function *find(const char *name, const struct sql_node *const *args,
                                       uint32_t n)
{
    for (unsigned t = 0; t < countof(tables); t++)
        for (unsigned i = 0; i < tables[t]->n; i++) {
            const struct sql_function *f = &tables[t]->functions[i];
            if (strcmp(f->name, name) == 0 && takes(f, args, n))
                return f;
        }
    return NULL;
}

static bool read_mode(const struct json *instruction, const struct sql_function *f,
                      enum sql_mode *out, struct err *e)
{
    static const char *const names[] = {"legacy", "ansi", "try"};
    struct json v;
    const char *text;

    *out = SQL_LEGACY;
    if (!f->modes)
        return true;
    if (!get(instruction, 2, &v, e) || !json_as_string(&v, &text, e))
        return false;
    for (unsigned i = 0; i < countof(names); i++) {
        *out = (enum sql_mode)i;
        if (strcmp(text, names[i]) == 0)
            return true;
    }
    return json_fail(&v, e, "unknown mode '%.64s'", text);
}

static bool read_type(const struct json *instruction, const struct sql_function *f,
                      struct sql_type *out, struct err *e)
{
    struct json v;
    const char *text;

    if (!f->typed)
        return true;
    if (!get(instruction, 3, &v, e) || !json_as_string(&v, &text, e))
        return false;
    return (type_read(text, &out->type, &out->digits) && out->type == TYPE_DECIMAL) ||
           json_fail(&v, e, "'%.64s' is no decimal type", text);
}

/* What the node has from its arguments. */
static void derive(struct sql_node *n)
{
    const struct sql_function *f = n->function;

    for (uint32_t i = 0; i < n->n_args; i++) {
        const struct sql_node *a = n->args[i];
        n->depth = a->depth >= n->depth ? a->depth + 1 : n->depth;
        if (n->column == COLUMN_NONE)
            n->column = a->column;
    }
    n->run = f->lazy ? f->lazy : run_eager;
    n->type = f->result   ? (struct sql_type){.type = (enum type)__builtin_ctz(f->result)}
              : n->n_args ? n->args[n->n_args - 1]->type
                          : (struct sql_type){.type = TYPE_COUNT};
}

static bool push_call(struct build *b, const struct json *instruction, const char *name,
                      struct err *e)
{
    struct sql_node n = {.depth = 1, .column = COLUMN_NONE};
    struct json v;

    if (!get(instruction, 1, &v, e) || !json_as_u32(&v, UINT32_MAX, &n.n_args, e))
        return false;
    if (n.n_args > b->n)
        return json_fail(&v, e, "there are %u values", (unsigned)b->n);
    const struct sql_node **args = load_new(b->l, const struct sql_node *, n.n_args);
    if (!args)
        return err_memory(e);
    b->n -= n.n_args;
    for (uint32_t i = 0; i < n.n_args; i++)
        args[i] = b->stack[b->n + i];
    n.args = args;
    n.function = find(name, args, n.n_args);
    if (!n.function)
        return json_fail(instruction, e, "no function '%.64s' takes these arguments", name);
    derive(&n);
    if (n.depth > SQL_DEPTH)
        return json_fail(instruction, e, "nested deeper than %d", SQL_DEPTH);
    if (!read_mode(instruction, n.function, &n.mode, e) ||
        !read_type(instruction, n.function, &n.type, e))
        return false;
    struct sql_node *made = push(b, &n, e);
    return made && (!n.function->prove || n.function->prove(b->l, made, e));
}

static bool push_any(struct build *b, const struct json *instruction, struct err *e)
{
    struct json v;
    const char *name;

    if (!json_is_array(instruction))
        return json_fail(instruction, e, "must be an array");
    if (!get(instruction, 0, &v, e) || !json_as_string(&v, &name, e))
        return false;
    return strcmp(name, "column") == 0    ? push_column(b, instruction, e)
           : strcmp(name, "literal") == 0 ? push_literal(b, instruction, e)
                                          : push_call(b, instruction, name, e);
}

const struct sql_node *sql_load(struct load *l, const struct json *program, bool *reads,
                                struct err *e)
{
    struct build b = {.l = l, .reads = reads};
    struct json_iter it = {0};

    if (!json_is_array(program)) {
        json_fail(program, e, "must be an array");
        return NULL;
    }
    b.stack = load_new(l, const struct sql_node *, json_size(program));
    if (!b.stack) {
        err_memory(e);
        return NULL;
    }
    while (json_next(program, &it))
        if (!push_any(&b, &it.value, e))
            return NULL;
    if (b.n == 1)
        return b.stack[0];
    json_fail(program, e, "leaves %u values, one is needed", (unsigned)b.n);
    return NULL;
}
