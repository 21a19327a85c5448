/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows from JSON text straight into the frame. What is not well-formed ends the reading; a value
 * that is well-formed but not what its field takes fails its row, and reading goes on to check the
 * rest.
 */
#include "wire_priv.h"

#include "scored/value.h"

#include <assert.h>
#include <math.h>

/* Decodes the value at the reader's p, not null, into a cell. */
typedef bool decode_fn(struct decoder *d, uint16_t f, enum type type, void *cell);

static const char *const articles[] = {
    [TYPE_BOOLEAN] = "a boolean",
    [TYPE_TINYINT] = "a tinyint (a whole number)",
    [TYPE_SMALLINT] = "a smallint (a whole number)",
    [TYPE_INT] = "an int (a whole number)",
    [TYPE_BIGINT] = "a bigint (a whole number)",
    [TYPE_FLOAT] = "a float",
    [TYPE_DOUBLE] = "a double",
    [TYPE_STRING] = "a string",
    [TYPE_DATE] = "a date as \"2026-11-27\"",
    [TYPE_TIMESTAMP] = "a timestamp as \"2026-11-27T12:00:00Z\"",
    [TYPE_DECIMAL] = "a decimal (a number, or its digits as a string)",
    [TYPE_VECTOR] = "a vector (an array, or an object of size, indices and values)",
    [TYPE_ARRAY_STRING] = "an array of strings",
    [TYPE_ARRAY_INT] = "an array of ints",
    [TYPE_ARRAY_FLOAT] = "an array of floats",
    [TYPE_ARRAY_DOUBLE] = "an array of doubles",
    [TYPE_ARRAY_VECTOR] = "an array of vectors",
};
static_assert(countof(articles) == TYPE_COUNT, "each type has its name");

static struct column *column_of(struct decoder *d, uint16_t f)
{
    return &d->rows.scoring->frame->columns[f];
}

bool decode_wrong(struct decoder *d, uint16_t f, enum problem problem, const char *what,
                  const char *got)
{
    frame_fail_field(d->rows.scoring->frame, d->row, problem, f,
                     "expected %s, got %s in field \"%s\"", what, got,
                     d->rows.schema->fields[f].name.p);
    return true;
}

bool decode_wrong_kind(struct decoder *d, uint16_t f)
{
    const char *kind = reader_kind(*d->reader.p);

    return reader_skip(&d->reader) && decode_wrong(d, f, PROBLEM_WRONG_TYPE, d->wanted, kind);
}

/* -- scalars -- */

static bool decode_boolean(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    char c = *d->reader.p;

    (void)type;
    if (c != 't' && c != 'f')
        return decode_wrong_kind(d, f);
    *(int64_t *)cell = c == 't';
    return reader_word(&d->reader, c == 't' ? "true" : "false");
}

static bool is_number(char c)
{
    return c == '-' || (c >= '0' && c <= '9');
}

static bool decode_integer(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    static const int64_t limits[] = {[TYPE_TINYINT] = INT8_MAX,
                                     [TYPE_SMALLINT] = INT16_MAX,
                                     [TYPE_INT] = INT32_MAX,
                                     [TYPE_BIGINT] = INT64_MAX};
    struct number n;
    int64_t value;

    if (!is_number(*d->reader.p))
        return decode_wrong_kind(d, f);
    if (!reader_number(&d->reader, &n))
        return false;
    if (!number_to_int64(&n, &value)) {
        bool large = fabs(number_to_double(&n)) >= 0x1p63;
        return decode_wrong(d, f, large ? PROBLEM_OUT_OF_RANGE : PROBLEM_WRONG_TYPE, articles[type],
                            large ? "a number beyond its range" : "a number with a fraction");
    }
    if (value > limits[type] || value < -limits[type] - 1)
        return decode_wrong(d, f, PROBLEM_OUT_OF_RANGE, articles[type],
                            "a number beyond its range");
    *(int64_t *)cell = value;
    return true;
}

static const struct {
    struct text name;
    double value;
} non_finite[] = {
    {{"NaN", 3}, (double)NAN},
    {{"Infinity", 8}, (double)INFINITY},
    {{"-Infinity", 9}, -(double)INFINITY},
};

/* A string that names a value which numbers cannot write. */
static bool decode_named(struct decoder *d, uint16_t f, double *out, bool *ok)
{
    struct text name;

    if (!reader_string(&d->reader, true, &name))
        return false;
    for (size_t i = 0; i < countof(non_finite); i++) {
        if (name.len == non_finite[i].name.len &&
            memcmp(name.p, non_finite[i].name.p, name.len) == 0) {
            *out = non_finite[i].value;
            *ok = true;
            return true;
        }
    }
    *ok = false;
    return decode_wrong(d, f, PROBLEM_WRONG_TYPE, d->wanted, "a string");
}

static bool overflow(struct decoder *d, uint16_t f, bool negative)
{
    return decode_wrong(d, f, PROBLEM_OUT_OF_RANGE, d->wanted,
                        negative
                            ? "a number beyond its range (for minus infinity send \"-Infinity\")"
                            : "a number beyond its range (for infinity send \"Infinity\")");
}

bool decode_double(struct decoder *d, uint16_t f, double *out, bool *ok)
{
    struct number n;

    if (*d->reader.p == '"')
        return decode_named(d, f, out, ok);
    *ok = false;
    if (!is_number(*d->reader.p))
        return decode_wrong_kind(d, f);
    if (!reader_number(&d->reader, &n))
        return false;
    *out = number_to_double(&n);
    *ok = isfinite(*out);
    return *ok || overflow(d, f, n.negative);
}

static bool decode_f64(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    bool ok;

    (void)type;
    return decode_double(d, f, cell, &ok);
}

static bool decode_f32(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    float *to = cell;
    struct number n;
    double named;
    bool ok;

    (void)type;
    if (!is_number(*d->reader.p)) {
        if (!decode_double(d, f, &named, &ok))
            return false;
        if (ok)
            *to = (float)named;
        return true;
    }
    if (!reader_number(&d->reader, &n))
        return false;
    float value = number_to_float(&n);
    *to = value;
    return isfinite(value) || overflow(d, f, n.negative);
}

static bool decode_string(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    (void)type;
    if (*d->reader.p != '"')
        return decode_wrong_kind(d, f);
    return reader_string(&d->reader, true, cell);
}

static bool decode_moment(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    struct text t;

    if (*d->reader.p != '"')
        return decode_wrong_kind(d, f);
    if (!reader_string(&d->reader, true, &t))
        return false;
    bool ok = type == TYPE_DATE ? moment_read_date(&t, cell)
                                : moment_read_timestamp(&t, &d->rows.schema->zone, cell);
    return ok || decode_wrong(d, f, PROBLEM_WRONG_TYPE, articles[type], "another text");
}

/* The text of a number, or of a string that is written as one. */
static bool decimal_text(struct decoder *d, struct text *out)
{
    struct number n;

    if (*d->reader.p == '"') {
        if (!reader_string(&d->reader, true, out))
            return false;
        if (number_scan(out->p, out->p + out->len, &n) != out->p + out->len)
            out->len = 0;
        return true;
    }
    if (!reader_number(&d->reader, &n))
        return false;
    *out = (struct text){n.start, (uint32_t)n.len};
    return true;
}

static bool decode_decimal(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    struct text t;

    if (*d->reader.p != '"' && !is_number(*d->reader.p))
        return decode_wrong_kind(d, f);
    if (!decimal_text(d, &t))
        return false;
    if (!t.len)
        return decode_wrong(d, f, PROBLEM_WRONG_TYPE, articles[type], "another text");
    switch (digits_read(t.p, t.len, d->rows.schema->fields[f].digits, cell)) {
    case DIGITS_FIT: return true;
    case DIGITS_FRACTION:
        return decode_wrong(d, f, PROBLEM_OUT_OF_RANGE, articles[type],
                            "one with more digits behind the point than its type has");
    case DIGITS_TOO_LARGE: break;
    }
    return decode_wrong(d, f, PROBLEM_OUT_OF_RANGE, articles[type], "a number beyond its range");
}

static decode_fn *const decoders[] = {
    [TYPE_BOOLEAN] = decode_boolean,  [TYPE_TINYINT] = decode_integer,
    [TYPE_SMALLINT] = decode_integer, [TYPE_INT] = decode_integer,
    [TYPE_BIGINT] = decode_integer,   [TYPE_FLOAT] = decode_f32,
    [TYPE_DOUBLE] = decode_f64,       [TYPE_STRING] = decode_string,
    [TYPE_DATE] = decode_moment,      [TYPE_TIMESTAMP] = decode_moment,
    [TYPE_DECIMAL] = decode_decimal,  [TYPE_VECTOR] = decode_vector,
};
static_assert(countof(decoders) == TYPE_VECTOR + 1, "each type that is no array has its own");

bool decode_value(struct decoder *d, uint16_t f, enum type type, void *cell)
{
    return (type_is_array(type) ? decode_array : decoders[type])(d, f, type, cell);
}

/* -- rows -- */

static void note_null(struct decoder *d, uint16_t f, const char *what)
{
    const struct field *field = &d->rows.schema->fields[f];

    column_of(d, f)->nulls |= row_bit(d->row);
    if (!field->nullable)
        frame_fail_field(d->rows.scoring->frame, d->row, PROBLEM_NULL_VALUE, f,
                         "expected %s, got %s in field \"%s\"", articles[field->type], what,
                         field->name.p);
}

static bool decode_known(struct decoder *d, uint16_t f)
{
    if (*d->reader.p == 'n') {
        note_null(d, f, "null");
        return reader_word(&d->reader, "null");
    }
    enum type type = d->rows.schema->fields[f].type;
    d->wanted = articles[type];
    return decode_value(d, f, type, column_cell(column_of(d, f), type, d->row));
}

static bool decode_unknown(struct decoder *d, const struct text *name)
{
    struct scoring *s = d->rows.scoring;

    s->counts.unknown_fields++;
    if (!d->stranger.len)
        d->stranger = *name;
    if (s->unknown)
        unknown_note(s->unknown, name);
    if (s->question->reject_unknown)
        unknown_fail(&d->rows, d->row, name);
    return reader_skip(&d->reader);
}

/* Marks a field as seen in this row. */
static bool see(struct decoder *d, uint16_t f, const char *at)
{
    uint64_t bit = (uint64_t)1 << f % 64;
    size_t offset = (size_t)(at - d->reader.start);

    if (d->seen[f / 64] & bit)
        return reader_fail(&d->reader, at, PROBLEM_DUPLICATE_FIELD,
                           "field \"%.64s\" stands at byte %zu and again",
                           d->rows.schema->fields[f].name.p, d->seen_at[f]);
    d->seen[f / 64] |= bit;
    d->seen_at[f] = offset;
    return true;
}

/* Copies the token of an echoed field before decoding changes it; p stays where it is. */
static bool copy_echo(struct decoder *d, unsigned echo)
{
    struct scoring *s = d->rows.scoring;
    struct reader ahead = d->reader;
    const struct text *name = &s->question->echoes[echo];
    char *from = ahead.p;
    const char *kind = reader_kind(*from);

    d->rows.echoes[d->row][echo].len = 0;
    if (!reader_skip(&ahead))
        return false;
    size_t n = (size_t)(ahead.p - from);
    if (*from == '{' || *from == '[') {
        frame_fail_field(
            s->frame, d->row, PROBLEM_WRONG_TYPE, schema_find(d->rows.schema, name->p, name->len),
            "only scalars are echoed, got %s in field \"%.*s\"", kind, (int)name->len, name->p);
    } else if (n > ECHO_BYTES) {
        frame_fail_field(s->frame, d->row, PROBLEM_ROW_TOO_LARGE,
                         schema_find(d->rows.schema, name->p, name->len),
                         "at most %d bytes are echoed, got %zu in field \"%.*s\"", ECHO_BYTES, n,
                         (int)name->len, name->p);
    } else {
        d->rows.echoes[d->row][echo] = (struct token){s->echoed.len, (uint32_t)n};
        buf_put(&s->echoed, from, n);
    }
    return true;
}

/* The echo of a name, or ECHO_MAX. */
static unsigned find_echo(const struct question *q, const struct text *name)
{
    for (unsigned i = 0; i < q->n_echoes; i++)
        if (q->echoes[i].len == name->len && memcmp(q->echoes[i].p, name->p, name->len) == 0)
            return i;
    return ECHO_MAX;
}

/* Reads the name at p, a quote. Fields mostly come in the same order, so the next one is tried
 * first. */
static bool read_name(struct decoder *d, uint16_t *f, struct text *name)
{
    struct reader *r = &d->reader;
    const struct schema *s = d->rows.schema;

    if (d->guess < s->n_fields) {
        const struct field *field = &s->fields[d->guess];
        size_t n = field->name.len;
        if (field->plain && (size_t)(r->end - r->p) > n + 1 && r->p[n + 1] == '"' &&
            memcmp(r->p + 1, field->name.p, n) == 0) {
            r->p += n + 2;
            *name = field->name;
            *f = d->guess++;
            return true;
        }
    }
    if (!reader_string(r, true, name))
        return false;
    *f = schema_find(s, name->p, name->len);
    if (*f != FIELD_NONE)
        d->guess = (uint16_t)(*f + 1);
    return true;
}

static bool decode_field(struct decoder *d)
{
    struct reader *r = &d->reader;
    const struct question *q = d->rows.scoring->question;
    struct text name = {"", 0};
    uint16_t f = FIELD_NONE;

    if (reader_space(r) != '"')
        return reader_expected(r, "a field's name in quotes");
    const char *at = r->p;
    if (!read_name(d, &f, &name) || !reader_take(r, ':', "':'"))
        return false;
    if (!reader_space(r))
        return reader_expected(r, "a value");
    unsigned echo = q->n_echoes ? find_echo(q, &name) : ECHO_MAX;
    if (echo != ECHO_MAX && !copy_echo(d, echo))
        return false;
    if (f != FIELD_NONE)
        return see(d, f, at) && decode_known(d, f);
    return echo != ECHO_MAX ? reader_skip(r) : decode_unknown(d, &name);
}

static void note_absent(struct decoder *d, uint16_t f)
{
    if (d->rows.scoring->question->reject_missing)
        frame_fail_field(d->rows.scoring->frame, d->row, PROBLEM_MISSING_FIELD, f,
                         "there is no field \"%s\"; say null where there is no value",
                         d->rows.schema->fields[f].name.p);
    note_null(d, f, "nothing");
}

static bool has_seen_any(const struct decoder *d)
{
    uint64_t any = 0;

    for (uint32_t i = 0; i < (d->rows.schema->n_fields + 63) / 64; i++)
        any |= d->seen[i];
    return any;
}

static void note_missing(struct decoder *d)
{
    uint32_t n = d->rows.schema->n_fields;

    if (n && !has_seen_any(d))
        unknown_fail_row(&d->rows, d->row, &d->stranger);
    for (uint32_t base = 0; base < n; base += 64) {
        uint64_t all = n - base >= 64 ? UINT64_MAX : ((uint64_t)1 << (n - base)) - 1;
        for (uint64_t left = all & ~d->seen[base / 64]; left; left &= left - 1)
            note_absent(d, (uint16_t)(base + (uint32_t)__builtin_ctzll(left)));
    }
}

static bool decode_object(struct decoder *d)
{
    struct reader *r = &d->reader;
    int more = 0;

    d->guess = 0;
    d->stranger = (struct text){"", 0};
    memset(d->seen, 0, (d->rows.schema->n_fields + 63) / 64 * sizeof d->seen[0]);
    if (!reader_enter(r))
        return false;
    if (reader_space(r) == '}') {
        reader_leave(r);
    } else {
        do {
            if (!decode_field(d))
                return false;
            more = reader_more(r, '}');
        } while (more > 0);
    }
    if (more < 0)
        return false;
    note_missing(d);
    return true;
}

bool decode_value_as_row(struct decoder *d)
{
    struct reader *r = &d->reader;

    d->row = rows_add(&d->rows);
    if (reader_space(r) == '{')
        return decode_object(d);
    const char *kind = reader_kind(*r->p);
    if (!reader_skip(r))
        return false;
    frame_fail_field(d->rows.scoring->frame, d->row, PROBLEM_NOT_A_ROW, FIELD_NONE,
                     "expected an object, got %s", kind);
    return true;
}

bool decode_text_as_row(struct decoder *d, char *text, size_t n, struct body_problem *why)
{
    reader_init(&d->reader, text, n, why);
    return decode_value_as_row(d) && reader_finish(&d->reader);
}

bool decode_row(struct scoring *s, unsigned row, char *text, size_t n, struct body_problem *why)
{
    struct decoder d;

    d.rows.scoring = s;
    d.rows.schema = s->schema;
    s->frame->n_rows = row;
    return decode_text_as_row(&d, text, n, why);
}
