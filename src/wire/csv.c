/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV as RFC 4180 has it: a line of names, then a row a record, scored as records come. A record is
 * written as the JSON row that says the same, and goes the way of those: so types, limits and
 * errors are the same in all dialects. A field that is empty is null, and "" is the empty text;
 * numbers and booleans stand as they are, NaN and Infinity too; arrays and vectors stand as JSON,
 * in quotes. The answer is CSV, too: echoes, columns, and last why a row has no answer.
 */
#include "wire_priv.h"

#include <stdio.h>
#include <string.h>

/* -- records and cells -- */

/* The end of the record that begins at p: its newline, or NULL where it has not come. A newline
 * within quotes is part of a field. */
static const char *record_end(const char *p, const char *end)
{
    while (p < end) {
        if (*p == '"')
            do {
                p = memchr(p + 1, '"', (size_t)(end - p - 1));
                p = p ? p + 1 : end;
            } while (p < end && *p == '"');
        while (p < end && *p != ',' && *p != '\n')
            p++;
        if (p == end)
            break;
        if (*p == '\n')
            return p;
        p++;
    }
    return NULL;
}

struct cell {
    struct text text; /* without quotes */
    bool quoted;
    const char *wrong; /* NULL, or what is wrong with it */
};

/* Takes the quotes off in place, and returns where the cell ends. */
static char *unquote(char *p, char *end, struct cell *c)
{
    char *to = p;

    c->quoted = true;
    for (p++; p < end && !(*p == '"' && (p + 1 == end || p[1] != '"')); p++) {
        p += *p == '"';
        *to++ = *p;
    }
    c->text.len = (uint32_t)(to - c->text.p);
    if (p == end)
        c->wrong = "a quote is not closed";
    else if (++p < end && *p != ',')
        c->wrong = "something stands between a closing quote and the next comma";
    return p;
}

/* Reads the cell at *p, and steps behind its comma; *p is NULL behind the last one. */
static struct cell next_cell(char **p, char *end)
{
    struct cell c = {.text.p = *p};
    char *at = *p;

    if (at < end && *at == '"')
        at = unquote(at, end, &c);
    char *comma = memchr(at, ',', (size_t)(end - at));
    char *stop = comma ? comma : end;
    if (!c.quoted) {
        c.text.len = (uint32_t)(stop - at);
        if (memchr(at, '"', c.text.len))
            c.wrong = "a quote stands within a field that is not in quotes";
    }
    *p = comma ? comma + 1 : NULL;
    return c;
}

/* -- the line of names -- */

/* What body_scoring.scoring.head holds: so many of these, then the names as they stand in JSON. */
struct csv_name {
    uint32_t at, len; /* of `"name":` among the names */
    uint16_t field;   /* or FIELD_NONE */
};

struct csv_head {
    const struct csv_name *names;
    uint32_t n;
    const char *text;
};

static struct csv_head head_of(const struct scoring *s)
{
    struct csv_head h;

    memcpy(&h.n, s->head.data, sizeof h.n);
    h.names = (const struct csv_name *)(const void *)(s->head.data + 8);
    h.text = (const char *)(h.names + h.n);
    return h;
}

static bool fail_body(struct body_scoring *b, enum problem problem, const char *detail)
{
    b->why.problem = problem;
    snprintf(b->why.detail, sizeof b->why.detail, "%s", detail);
    return false;
}

static bool check_head(struct body_scoring *b, struct csv_head h)
{
    uint64_t seen[COLUMN_WORDS] = {0};

    for (uint32_t i = 0; i < h.n; i++) {
        uint16_t f = h.names[i].field;
        if (f != FIELD_NONE && seen[f / 64] >> f % 64 & 1)
            return fail_body(b, PROBLEM_DUPLICATE_FIELD, "a name stands twice in the first line");
        if (f != FIELD_NONE)
            seen[f / 64] |= (uint64_t)1 << f % 64;
    }
    return true;
}

static uint32_t count_cells(const char *p, const char *end)
{
    uint32_t n = 1;

    for (bool quoted = false; p < end; p++) {
        quoted ^= *p == '"';
        n += *p == ',' && !quoted;
    }
    return n;
}

static bool read_name(struct body_scoring *b, struct cell c, struct csv_name *name,
                      struct buf *text)
{
    if (c.wrong)
        return fail_body(b, PROBLEM_MALFORMED_CSV, c.wrong);
    *name = (struct csv_name){.at = (uint32_t)text->len,
                              .field = schema_find(b->scoring->schema, c.text.p, c.text.len)};
    buf_json_string(text, c.text.p, c.text.len);
    buf_char(text, ':');
    name->len = (uint32_t)text->len - name->at;
    return true;
}

/* Reads the names of a record, [p, end). */
static bool read_head(struct body_scoring *b, char *p, char *end)
{
    struct scoring *s = b->scoring;
    uint32_t n = count_cells(p, end);
    struct buf *head = &s->head, *text = &s->made;

    buf_reset(head);
    buf_reset(text);
    char *room = buf_reserve(head, 8 + n * sizeof(struct csv_name));
    if (!room)
        return fail_body(b, PROBLEM_OUT_OF_MEMORY, "no memory for the first line");
    struct csv_name *names = (void *)(room + 8);
    uint32_t i = 0;
    for (; p && i < n; i++)
        if (!read_name(b, next_cell(&p, end), &names[i], text))
            return false;
    memcpy(head->data, &i, sizeof i);
    head->len = 8 + i * sizeof *names;
    buf_put(head, text->data, text->len);
    if (text->failed || head->failed)
        return fail_body(b, PROBLEM_OUT_OF_MEMORY, "no memory for the first line");
    return check_head(b, head_of(s));
}

/* -- a record as a row of JSON -- */

static bool is_number(const struct text *t)
{
    struct number n;

    return t->len && number_scan(t->p, t->p + t->len, &n) == t->p + t->len;
}

static bool is_word(const struct text *t)
{
    return (t->len == 4 && memcmp(t->p, "true", 4) == 0) ||
           (t->len == 5 && memcmp(t->p, "false", 5) == 0);
}

/* Whether the text is an array or an object and nothing else, so that it may stand in a row. */
static bool is_nested(char *p, size_t n)
{
    struct body_problem ignored;
    struct reader r;

    reader_init(&r, p, n, &ignored);
    return n && (*p == '[' || *p == '{') && reader_skip(&r) && r.p == r.end;
}

static void put_nested(struct buf *out, const struct text *t)
{
    size_t at = out->len;

    buf_put(out, t->p, t->len);
    buf_char(out, '\n');
    if (out->failed)
        return;
    out->len--;
    if (is_nested(out->data + at, t->len))
        return;
    out->len = at;
    buf_json_string(out, t->p, t->len);
}

static void put_value(struct buf *out, const struct cell *c, enum type type)
{
    bool text = type == TYPE_STRING || type == TYPE_DATE || type == TYPE_TIMESTAMP;

    if (!c->text.len && !c->quoted)
        buf_lit(out, "null");
    else if (type == TYPE_VECTOR || type_is_array(type))
        put_nested(out, &c->text);
    else if (!text && (type == TYPE_BOOLEAN ? is_word(&c->text) : is_number(&c->text)))
        buf_put(out, c->text.p, c->text.len);
    else
        buf_json_string(out, c->text.p, c->text.len);
}

/* What became of a record. */
struct row_text {
    size_t at, len;    /* the row, in scoring.made */
    const char *wrong; /* NULL, or why there is none */
    uint32_t found;    /* cells */
};

static struct row_text put_row_text(struct scoring *s, char *p, char *end)
{
    const struct csv_head h = head_of(s);
    struct buf *out = &s->made;
    struct row_text t = {.at = out->len};

    for (; p; t.found++) {
        struct cell c = next_cell(&p, end);
        if (c.wrong && !t.wrong)
            t.wrong = c.wrong;
        if (t.found >= h.n || t.wrong)
            continue;
        const struct csv_name *name = &h.names[t.found];
        uint16_t f = name->field;
        buf_char(out, t.found ? ',' : '{');
        buf_put(out, h.text + name->at, name->len);
        put_value(out, &c, f == FIELD_NONE ? TYPE_STRING : s->schema->fields[f].type);
    }
    buf_char(out, '}');
    t.len = out->len - t.at;
    buf_char(out, '\n');
    return t;
}

/* -- frames -- */

static void decode_row_text(struct decoder *d, const struct row_text *t)
{
    struct scoring *s = d->rows.scoring;
    uint32_t wanted = head_of(s).n;
    struct body_problem why;

    if (t->wrong || t->found != wanted) {
        unsigned row = rows_add(&d->rows);
        if (t->wrong)
            frame_fail_field(s->frame, row, PROBLEM_MALFORMED_CSV, FIELD_NONE, "%s", t->wrong);
        else
            frame_fail_field(s->frame, row, PROBLEM_MALFORMED_CSV, FIELD_NONE,
                             "expected %u fields as in the first line, found %u", wanted, t->found);
        return;
    }
    if (!decode_text_as_row(d, s->made.data + t->at, t->len, &why))
        frame_fail_field(s->frame, d->row, why.problem, FIELD_NONE, "%s", why.detail);
}

static void score_rows(struct scoring *s, const struct row_text *rows, unsigned n, struct buf *out)
{
    struct decoder d;

    rows_begin(&d.rows, s);
    for (unsigned i = 0; i < n; i++)
        decode_row_text(&d, &rows[i]);
    rows_answer(&d.rows, encode_csv_row, '\n', true, out);
}

/* Takes the next record of the body from *at: one that ended, or, at the end of the body, the rest.
 * Blank lines at the end are none. */
static bool next_record(const struct body_scoring *b, size_t *at, char **from, char **to)
{
    char *p = b->text + *at, *end = b->text + b->n;
    const char *newline = record_end(p, end);

    if (!newline && !b->last)
        return false;
    if (p + strspn(p, "\r\n") >= end)
        return false;
    *from = p;
    *to = newline ? p + (newline - p) : end;
    *at = (size_t)(*to - b->text) + (newline != NULL);
    *to -= *to > p && (*to)[-1] == '\r';
    return true;
}

/* Whether n records are there. */
static bool has_records(const struct body_scoring *b, unsigned n)
{
    size_t at = b->done;
    char *from, *to;

    while (n && next_record(b, &at, &from, &to))
        n--;
    return !n;
}

/* Scores the next frame of records. A frame that is not full waits for more, unless they take much
 * room. False: there is none. */
static bool score_some(struct body_scoring *b, struct buf *out)
{
    struct scoring *s = b->scoring;
    struct row_text rows[FRAME_ROWS];
    size_t at = b->done;
    unsigned n = 0, full = s->plan->frame_rows;
    char *from, *to;

    if (!b->last && b->n - at <= WAITING_BYTES && !has_records(b, full))
        return false;
    buf_reset(&s->made);
    while (n < full && s->made.len <= WAITING_BYTES && next_record(b, &at, &from, &to))
        rows[n++] = put_row_text(s, from, to);
    if (!n)
        return false;
    if (s->made.failed) {
        out->failed = true;
        return false;
    }
    score_rows(s, rows, n, out);
    b->row_bytes = (at - b->done) / n;
    b->done = at;
    return true;
}

/* -- the body -- */

/* Bytes of the mark of UTF-8, which spreadsheets put in front. */
static size_t mark_of(const struct body_scoring *b)
{
    return b->n >= 3 && memcmp(b->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static enum scoring_state begin_body(struct body_scoring *b, struct buf *out)
{
    size_t at = mark_of(b);
    char *from, *to;

    if (!next_record(b, &at, &from, &to)) {
        if (!b->last)
            return SCORING_WAITS;
        fail_body(b, PROBLEM_MALFORMED_CSV, "there is no first line of names");
        return SCORING_FAILED;
    }
    if (!read_head(b, from, to))
        return SCORING_FAILED;
    b->begun = true;
    b->done = at;
    encode_csv_head(out, b->scoring);
    return SCORING_ON;
}

static enum scoring_state step(struct body_scoring *b, struct buf *out)
{
    if (b->begun)
        return stream_step(b, score_some, out);
    enum scoring_state state = begin_body(b, out);
    return state == SCORING_WAITS ? stream_waits(b) : state;
}

const struct dialect dialect_csv = {
    .name = "CSV",
    .takes = DIALECT_CSV_TYPES,
    .answers = "text/csv",
    .streams = true,
    .step = step,
};
