/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: an object is a row, an array is rows; scored when all of it is there. */
#include "wire_priv.h"

static bool check_reply(struct decoder *d, const struct buf *out, size_t start)
{
    size_t most = d->rows.scoring->question->max_reply;

    if (out->failed)
        return reader_fail(&d->reader, d->reader.p, PROBLEM_OUT_OF_MEMORY,
                           "no memory for the reply");
    if (most && out->len - start > most)
        return reader_fail(&d->reader, d->reader.p, PROBLEM_TOO_LARGE,
                           "the reply is larger than %zu bytes (--max-reply), reached", most);
    return true;
}

/* Goes on with an array: up to a frame's rows and their answers. */
static enum scoring_state score_rows(struct decoder *d, struct body_scoring *b, struct buf *out)
{
    struct reader *r = &d->reader;
    const struct scoring *s = d->rows.scoring;
    uint32_t most = s->question->max_rows;

    for (; b->more > 0; b->more = reader_more(r, ']'), b->rows++) {
        if (most && b->rows == most) {
            reader_fail(r, r->p, PROBLEM_TOO_LARGE,
                        "more than %u rows (--max-rows; lines of NDJSON may be more), the next",
                        most);
            return SCORING_FAILED;
        }
        if (s->frame->n_rows == s->plan->frame_rows) {
            rows_answer(&d->rows, encode_row, ',', true, out);
            return check_reply(d, out, b->start) ? SCORING_ON : SCORING_FAILED;
        }
        if (!decode_value_as_row(d))
            return SCORING_FAILED;
    }
    if (b->more < 0 || !reader_finish(r))
        return SCORING_FAILED;
    rows_answer(&d->rows, encode_row, ',', false, out);
    buf_char(out, ']');
    return check_reply(d, out, b->start) ? SCORING_DONE : SCORING_FAILED;
}

static bool begin_array(struct reader *r, struct body_scoring *b, struct buf *out)
{
    buf_char(out, '[');
    if (!reader_enter(r))
        return false;
    b->more = 1;
    if (reader_space(r) == ']') {
        reader_leave(r);
        b->more = 0;
    }
    return true;
}

/* Lines of rows that come as one JSON text are told what they are. */
static bool ends_behind_row(struct reader *r)
{
    if (reader_space(r) != '{')
        return reader_finish(r);
    return reader_fail(
        r, r->p, PROBLEM_MALFORMED_JSON,
        "expected the end of the text, found '{'; several rows stand in an array, or, "
        "a line each, come as application/x-ndjson,");
}

static enum scoring_state score_single(struct decoder *d, struct body_scoring *b, struct buf *out)
{
    if (!decode_value_as_row(d) || !ends_behind_row(&d->reader))
        return SCORING_FAILED;
    b->status = rows_answer_only(&d->rows, encode_row, encode_failed_body, out);
    return check_reply(d, out, b->start) ? SCORING_DONE : SCORING_FAILED;
}

/* The reader's place is kept between two steps; the frame is empty there. */
static void take_place(struct reader *r, struct body_scoring *b)
{
    reader_init(r, b->text, b->n, &b->why);
    r->p = b->text + b->done;
    r->line_start = b->text + b->line_start;
    r->line += b->line;
    r->depth = b->begun;
}

static void keep_place(struct body_scoring *b, const struct reader *r)
{
    b->done = (size_t)(r->p - b->text);
    b->line_start = (size_t)(r->line_start - b->text);
    b->line = r->line - 1;
}

static enum scoring_state begin_body(struct decoder *d, struct body_scoring *b, struct buf *out)
{
    b->begun = true;
    if (b->n >= UINT32_MAX) {
        reader_fail(&d->reader, b->text, PROBLEM_TOO_LARGE, "the body takes %zu bytes, counted",
                    b->n);
        return SCORING_FAILED;
    }
    if (reader_space(&d->reader) != '[')
        return score_single(d, b, out);
    return begin_array(&d->reader, b, out) ? score_rows(d, b, out) : SCORING_FAILED;
}

static enum scoring_state step(struct body_scoring *b, struct buf *out)
{
    struct decoder d;

    rows_begin(&d.rows, b->scoring);
    take_place(&d.reader, b);
    enum scoring_state state = b->begun ? score_rows(&d, b, out) : begin_body(&d, b, out);
    keep_place(b, &d.reader);
    if (state != SCORING_ON && b->rows > 1)
        b->row_bytes = b->done / b->rows;
    return state;
}

static bool is_single(const char *text, size_t n)
{
    return n && text[strspn(text, " \t\r\n")] == '{';
}

const struct dialect dialect_json = {
    .name = "JSON",
    .takes = DIALECT_JSON_TYPES,
    .answers = "application/json",
    .is_single = is_single,
    .step = step,
};
