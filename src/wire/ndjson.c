/* SPDX-License-Identifier: Apache-2.0 */
/* NDJSON: a line is a row, scored as lines come. */
#include "wire_priv.h"

#include <string.h>

static void decode_line(struct decoder *d, const struct text *line)
{
    struct body_problem why;
    char *text = (char *)(uintptr_t)line->p;

    if (!decode_text_as_row(d, text, line->len, &why))
        frame_fail_field(d->rows.scoring->frame, d->row, why.problem, FIELD_NONE, "%s", why.detail);
}

void score_lines(struct scoring *s, struct text *lines, unsigned n, struct buf *out)
{
    struct decoder d;

    rows_begin(&d.rows, s);
    for (unsigned i = 0; i < n; i++) {
        if (s->frame->n_rows == s->plan->frame_rows)
            rows_answer(&d.rows, encode_row, '\n', true, out);
        decode_line(&d, &lines[i]);
    }
    rows_answer(&d.rows, encode_row, '\n', true, out);
}

void score_line(struct scoring *s, char *text, size_t n, struct buf *out)
{
    struct text line = {text, (uint32_t)n};

    score_lines(s, &line, 1, out);
}

/* Blank lines and nothing behind them: at the end of the body they are ignored, so until more comes
 * they wait. */
static bool is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != '\n' && p[i] != '\r')
            return false;
    return true;
}

/* Takes the next line of the body from *at: one that ended, or, at the end of the body, the rest.
 */
static bool next_line(const struct body_scoring *b, size_t *at, struct text *line)
{
    const char *from = b->text + *at;
    size_t left = b->n - *at;
    const char *newline = left ? memchr(from, '\n', left) : NULL;

    if (is_blank(from, left))
        return false;
    if (!newline && !(b->last && left))
        return false;
    size_t n = newline ? (size_t)(newline - from) : left;
    *line = (struct text){from, (uint32_t)n};
    *at += n + (newline != NULL);
    return true;
}

/* Scores the next frame of lines. A frame that is not full waits for more lines, unless they take
 * much room. False: there is none. */
static bool score_some(struct body_scoring *b, struct buf *out)
{
    struct text lines[FRAME_ROWS];
    size_t at = b->done;
    unsigned n = 0, full = b->scoring->plan->frame_rows;

    while (n < full && next_line(b, &at, &lines[n]))
        n++;
    if (!n || (n < full && !b->last && b->n - b->done <= WAITING_BYTES))
        return false;
    score_lines(b->scoring, lines, n, out);
    b->row_bytes = (at - b->done) / n;
    b->done = at;
    return true;
}

static enum scoring_state step(struct body_scoring *b, struct buf *out)
{
    return stream_step(b, score_some, out);
}

const struct dialect dialect_ndjson = {
    .name = "NDJSON",
    .takes = DIALECT_NDJSON_TYPES,
    .answers = "application/x-ndjson",
    .streams = true,
    .step = step,
};
