/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as JSON text. A member is written with a comma in front; the first one's becomes the
 * brace. */
#include "wire_priv.h"

#include "scored/utf8.h"
#include "scored/value.h"

#include <assert.h>

/* -- cells -- */

static void put_double(struct buf *out, double x)
{
    char *to = buf_reserve(out, NUMBER_MAX);

    if (to) {
        out->len += number_put_double(to, x);
        out->data[out->len] = '\0';
    }
}

static void put_float(struct buf *out, float x)
{
    char *to = buf_reserve(out, NUMBER_MAX);

    if (to) {
        out->len += number_put_float(to, x);
        out->data[out->len] = '\0';
    }
}

static void put_int64(struct buf *out, int64_t x)
{
    char *to = buf_reserve(out, NUMBER_MAX);

    if (to) {
        out->len += number_put_int64(to, x);
        out->data[out->len] = '\0';
    }
}

static void put_doubles(struct buf *out, const double *values, uint32_t n)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_char(out, ',');
        put_double(out, values[i]);
    }
    buf_char(out, ']');
}

static void put_sparse(struct buf *out, const struct vec *v)
{
    buf_lit(out, "{\"size\":");
    put_int64(out, v->size);
    buf_lit(out, ",\"indices\":[");
    for (uint32_t i = 0; i < v->n; i++) {
        if (i)
            buf_char(out, ',');
        put_int64(out, v->indices[i]);
    }
    buf_lit(out, "],\"values\":");
    put_doubles(out, v->values, v->n);
    buf_char(out, '}');
}

/* A sparse vector with all its zeros. */
static void put_filled(struct buf *out, const struct vec *v)
{
    uint32_t stored = 0;

    buf_char(out, '[');
    for (uint32_t i = 0; i < v->size && !out->failed; i++) {
        bool here = stored < v->n && v->indices[stored] == i;
        if (i)
            buf_char(out, ',');
        put_double(out, here ? v->values[stored] : 0.0);
        stored += here;
    }
    buf_char(out, ']');
}

typedef void put_fn(struct buf *out, enum type type, const void *cell, bool spark_vectors);

static void put_boolean(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    (void)type;
    (void)spark_vectors;
    buf_text(out, *(const int64_t *)cell ? "true" : "false");
}

static void put_integer(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    (void)type;
    (void)spark_vectors;
    put_int64(out, *(const int64_t *)cell);
}

static void put_f32(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    (void)type;
    (void)spark_vectors;
    put_float(out, *(const float *)cell);
}

static void put_f64(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    (void)type;
    (void)spark_vectors;
    put_double(out, *(const double *)cell);
}

static void put_string(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    const struct text *t = cell;

    (void)type;
    (void)spark_vectors;
    buf_json_string(out, t->p, t->len);
}

static void put_moment(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    (void)spark_vectors;
    buf_char(out, '"');
    (type == TYPE_DATE ? moment_put_date : moment_put_timestamp)(out, *(const int64_t *)cell);
    buf_char(out, '"');
}

static void put_decimal(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    (void)type;
    (void)spark_vectors;
    buf_char(out, '"');
    digits_put(out, cell);
    buf_char(out, '"');
}

static void put_vector(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    const struct vec *v = cell;

    (void)type;
    if (!v->sparse)
        put_doubles(out, v->values, v->n);
    else if (spark_vectors)
        put_sparse(out, v);
    else
        put_filled(out, v);
}

static void put_value(struct buf *out, enum type type, const void *cell, bool spark_vectors);

static void put_list(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    const struct list *l = cell;
    enum type element = type_element(type);

    buf_char(out, '[');
    for (uint32_t i = 0; i < l->n; i++) {
        if (i)
            buf_char(out, ',');
        if (list_null(l, i))
            buf_lit(out, "null");
        else
            put_value(out, element, value_at(l->items, element, i), spark_vectors);
    }
    buf_char(out, ']');
}

static put_fn *const putters[] = {
    [TYPE_BOOLEAN] = put_boolean,  [TYPE_TINYINT] = put_integer, [TYPE_SMALLINT] = put_integer,
    [TYPE_INT] = put_integer,      [TYPE_BIGINT] = put_integer,  [TYPE_FLOAT] = put_f32,
    [TYPE_DOUBLE] = put_f64,       [TYPE_STRING] = put_string,   [TYPE_DATE] = put_moment,
    [TYPE_TIMESTAMP] = put_moment, [TYPE_DECIMAL] = put_decimal, [TYPE_VECTOR] = put_vector,
};
static_assert(countof(putters) == TYPE_VECTOR + 1, "each type that is no array has its own");

static void put_value(struct buf *out, enum type type, const void *cell, bool spark_vectors)
{
    (type_is_array(type) ? put_list : putters[type])(out, type, cell, spark_vectors);
}

void encode_cell(struct buf *out, enum type type, const struct column *c, unsigned row,
                 bool spark_vectors)
{
    if (c->nulls & row_bit(row))
        buf_lit(out, "null");
    else
        put_value(out, type, column_cell(c, type, row), spark_vectors);
}

/* -- problems -- */

static void put_member(struct buf *out, const char *name, const char *value)
{
    buf_char(out, ',');
    buf_json_string(out, name, strlen(name));
    buf_char(out, ':');
    buf_json_string(out, value, utf8_valid(value, strlen(value)));
}

/* Ends an object whose members begin at `at`, the first one with its comma. */
static void close_members(struct buf *out, size_t at)
{
    if (out->failed)
        return;
    if (out->len == at)
        buf_char(out, '{');
    else
        out->data[at] = '{';
    buf_char(out, '}');
}

static void put_problem(struct buf *out, enum problem problem, const char *detail)
{
    put_member(out, "type", problem_urn(problem));
    put_member(out, "title", problem_title(problem));
    buf_lit(out, ",\"status\":");
    buf_u64(out, problem_status(problem));
    put_member(out, "detail", detail);
}

void problem_body(struct buf *out, enum problem problem, const char *detail, const char *extra)
{
    size_t at = out->len;

    put_problem(out, problem, detail);
    if (extra)
        buf_text(out, extra);
    close_members(out, at);
}

/* What a row error tells beyond its type, title and detail. */
static void put_place(struct buf *out, const struct plan *p, const struct row_error *e)
{
    if (e->field != UINT16_MAX)
        put_member(out, "field", p->columns[e->field].name);
    if (e->stage != UINT16_MAX)
        put_member(out, "stage", p->stages[e->stage].uid);
    if (e->column != UINT16_MAX && p->columns[e->column].name)
        put_member(out, "column", p->columns[e->column].name);
}

/* -- rows -- */

static void put_echo(struct buf *out, const struct rows *rows, unsigned row, unsigned echo)
{
    const struct text *name = &rows->scoring->question->echoes[echo];
    const struct token *token = &rows->echoes[row][echo];

    buf_char(out, ',');
    buf_json_string(out, name->p, name->len);
    buf_char(out, ':');
    if (token->len && !rows->scoring->echoed.failed)
        buf_put(out, rows->scoring->echoed.data + token->at, token->len);
    else
        buf_lit(out, "null");
}

static void put_echoes(struct buf *out, const struct rows *rows, unsigned row)
{
    for (unsigned i = 0; i < rows->scoring->question->n_echoes; i++)
        put_echo(out, rows, row, i);
}

static void put_error(struct buf *out, const struct rows *rows, unsigned row)
{
    const struct row_error *e = &rows->scoring->frame->errors[row];

    buf_lit(out, ",\"error\":");
    size_t at = out->len;
    put_problem(out, e->problem, e->detail);
    put_place(out, rows->scoring->plan, e);
    buf_lit(out, ",\"row\":");
    buf_u64(out, rows->first_row + row);
    close_members(out, at);
}

static void put_skipped(struct buf *out, const struct rows *rows, unsigned row)
{
    const struct plan *p = rows->scoring->plan;
    const struct frame *f = rows->scoring->frame;
    const char *column = p->columns[f->skip_column[row]].name;

    buf_lit(out, ",\"skipped\":");
    size_t at = out->len;
    put_member(out, "stage", p->stages[f->skip_stage[row]].uid);
    if (column)
        put_member(out, "column", column);
    close_members(out, at);
}

static void put_columns(struct buf *out, const struct rows *rows, unsigned row)
{
    const struct scoring *s = rows->scoring;
    const struct question *q = s->question;

    for (unsigned i = 0; i < q->n_columns; i++) {
        uint16_t c = q->columns[i];
        buf_put(out, rows->schema->members[c].p, rows->schema->members[c].len);
        encode_cell(out, s->plan->columns[c].shape.type, &s->frame->columns[c], row,
                    q->spark_vectors);
    }
}

void encode_row(struct buf *out, const struct rows *rows, unsigned row)
{
    const struct frame *f = rows->scoring->frame;
    size_t at = out->len;

    put_echoes(out, rows, row);
    if (f->failed & row_bit(row))
        put_error(out, rows, row);
    else if (f->skipped & row_bit(row))
        put_skipped(out, rows, row);
    else
        put_columns(out, rows, row);
    close_members(out, at);
}

/* Whether a problem document has a member of this name itself. */
static bool is_taken(const struct text *name)
{
    static const char *const members[] = {"type",  "title", "status", "detail",
                                          "field", "stage", "column"};

    for (size_t i = 0; i < countof(members); i++)
        if (strlen(members[i]) == name->len && memcmp(members[i], name->p, name->len) == 0)
            return true;
    return false;
}

unsigned encode_failed_body(struct buf *out, const struct rows *rows)
{
    const struct row_error *e = &rows->scoring->frame->errors[0];
    size_t at = out->len;

    put_problem(out, e->problem, e->detail);
    put_place(out, rows->scoring->plan, e);
    for (unsigned i = 0; i < rows->scoring->question->n_echoes; i++)
        if (!is_taken(&rows->scoring->question->echoes[i]))
            put_echo(out, rows, 0, i);
    close_members(out, at);
    return problem_status(e->problem);
}
