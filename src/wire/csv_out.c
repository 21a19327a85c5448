/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as records of CSV: a value as JSON has it, without the quotes of a string, and in quotes
 * where it has a comma, a quote or a newline. Null is nothing, the empty text is "". */
#include "wire_priv.h"

#include <string.h>

static bool needs_quotes(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] == ',' || p[i] == '"' || p[i] == '\n' || p[i] == '\r')
            return true;
    return n == 0;
}

/* Puts quotes around what out holds from `at` on, and doubles those within. */
static void quote(struct buf *out, size_t at)
{
    size_t n = out->len - at, more = 2;

    for (size_t i = 0; i < n; i++)
        more += out->data[at + i] == '"';
    if (!buf_reserve(out, more))
        return;
    char *from = out->data + out->len, *to = from + more;
    out->len += more;
    *--to = '"';
    while (n--) {
        *--to = *--from;
        if (*to == '"')
            *--to = '"';
    }
    *--to = '"';
}

/* Has the value of JSON that out holds from `at` on become a field. */
static void make_field(struct buf *out, size_t at)
{
    struct body_problem ignored;
    struct reader r;
    struct text t;

    if (out->failed)
        return;
    char *p = out->data + at;
    size_t n = out->len - at;
    if (n == 4 && memcmp(p, "null", 4) == 0) {
        out->len = at;
        return;
    }
    if (*p == '"') {
        reader_init(&r, p, n, &ignored);
        if (reader_string(&r, true, &t)) {
            memmove(p, t.p, t.len);
            out->len = at + t.len;
        }
    }
    if (needs_quotes(p, out->len - at))
        quote(out, at);
}

static void put_text(struct buf *out, const char *p, size_t n)
{
    size_t at = out->len;

    buf_put(out, p, n);
    if (!out->failed && needs_quotes(p, n))
        quote(out, at);
}

void encode_csv_head(struct buf *out, const struct scoring *s)
{
    const struct question *q = s->question;

    for (unsigned i = 0; i < q->n_echoes; i++) {
        put_text(out, q->echoes[i].p, q->echoes[i].len);
        buf_char(out, ',');
    }
    for (unsigned i = 0; i < q->n_columns; i++) {
        const char *name = s->plan->columns[q->columns[i]].name;
        put_text(out, name, strlen(name));
        buf_char(out, ',');
    }
    buf_lit(out, "error\n");
}

static void put_echo(struct buf *out, const struct rows *rows, unsigned row, unsigned echo)
{
    const struct token *token = &rows->echoes[row][echo];
    const struct buf *echoed = &rows->scoring->echoed;
    size_t at = out->len;

    if (!token->len || echoed->failed)
        return;
    buf_put(out, echoed->data + token->at, token->len);
    buf_char(out, '\n'); /* a reader's text ends so */
    out->len -= !out->failed;
    make_field(out, at);
}

static void put_column(struct buf *out, const struct scoring *s, uint16_t c, unsigned row)
{
    size_t at = out->len;

    encode_cell(out, s->plan->columns[c].shape.type, &s->frame->columns[c], row,
                s->question->spark_vectors);
    buf_char(out, '\n');
    out->len -= !out->failed;
    make_field(out, at);
}

static void put_why(struct buf *out, const struct frame *f, unsigned row)
{
    if (f->failed & row_bit(row)) {
        const struct row_error *e = &f->errors[row];
        size_t at = out->len;
        buf_text(out, problem_urn(e->problem));
        buf_lit(out, " ");
        buf_text(out, e->detail);
        if (!out->failed && needs_quotes(out->data + at, out->len - at))
            quote(out, at);
    } else if (f->skipped & row_bit(row)) {
        buf_lit(out, "skipped");
    }
}

void encode_csv_row(struct buf *out, const struct rows *rows, unsigned row)
{
    const struct scoring *s = rows->scoring;
    bool answered = !((s->frame->failed | s->frame->skipped) & row_bit(row));

    for (unsigned i = 0; i < s->question->n_echoes; i++) {
        put_echo(out, rows, row, i);
        buf_char(out, ',');
    }
    for (unsigned i = 0; i < s->question->n_columns; i++) {
        if (answered)
            put_column(out, s, s->question->columns[i], row);
        buf_char(out, ',');
    }
    put_why(out, s->frame, row);
}
