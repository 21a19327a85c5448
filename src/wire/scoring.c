/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies and lines, a frame at a time. */
#include "wire_priv.h"

enum { LEAST_CELL = 4 }; /* bytes of "0.0," */

/* -- frames -- */

static bool is_limited(size_t limit)
{
    return limit != 0;
}

/* A small request may ask for a huge sparse vector with all its zeros: such a row fails instead. */
static void check_sizes(struct decoder *d)
{
    const struct scoring *s = d->scoring;
    const struct question *q = s->question;
    struct frame *f = s->frame;

    if (q->spark_vectors || !is_limited(q->max_reply))
        return;
    for (unsigned i = 0; i < q->n_columns; i++) {
        uint16_t c = q->columns[i];
        if (s->plan->columns[c].shape.type != TYPE_VECTOR)
            continue;
        FOR_ROWS(row, f->live & ~f->columns[c].nulls)
        {
            const struct vec *v = &f->columns[c].vec[row];
            if (v->sparse && v->size > q->max_reply / LEAST_CELL)
                frame_fail_field(f, row, PROBLEM_ROW_TOO_LARGE, FIELD_NONE,
                                 "a vector of size %u is too large to answer densely", v->size);
        }
    }
}

/* Rows as decoding left them. */
struct decoded {
    uint64_t live, failed;
};

static struct decoded what_decoding_left(const struct frame *f)
{
    return (struct decoded){.live = f->live, .failed = f->failed};
}

static void restore(struct frame *f, const struct decoded *left, uint64_t rows)
{
    f->live = left->live & rows;
    f->failed = left->failed;
    f->skipped = 0;
}

/* Runs n of the frame's rows. False: they need more memory together than there is. */
static bool run_rows(struct decoder *d, const struct decoded *left, unsigned from, unsigned n)
{
    struct frame *f = d->scoring->frame;
    uint64_t rows = rows_below(n) << from;

    restore(f, left, rows);
    if (f->live && !plan_run(d->scoring->question->program, f)) {
        if (n > 1)
            return false;
        restore(f, left, rows);
        frame_fail_full(f, from);
    }
    check_sizes(d);
    return true;
}

/* Counts n rows, and tells of those that failed. */
static void count_rows(struct decoder *d, unsigned from, unsigned n)
{
    struct scoring *s = d->scoring;
    const struct frame *f = s->frame;
    uint64_t rows = rows_below(n) << from;

    s->counts.rows += n;
    s->counts.failed += (unsigned)__builtin_popcountll(f->failed & rows);
    s->counts.skipped += (unsigned)__builtin_popcountll(f->skipped & ~f->failed & rows);
    if (!s->on_error)
        return;
    FOR_ROWS(row, f->failed & rows)
    s->on_error(s->context, &f->errors[row]);
}

/* Runs the frame, appends each row's answer, and a `separator` after each but the last
 * (`after_last`: after that too); counts, and empties the frame. Rows that do not fit into memory
 * together run one half after the other, each answered before the next: so a row's answer never
 * depends on the others. */
static void score_frame(struct decoder *d, char separator, bool after_last, struct buf *out)
{
    struct scoring *s = d->scoring;
    const struct decoded left = what_decoding_left(s->frame);
    unsigned all = s->frame->n_rows;

    for (unsigned from = 0, n = all; from < all; from += n) {
        n = n < all - from ? n : all - from;
        while (!run_rows(d, &left, from, n))
            n = (n + 1) / 2;
        for (unsigned row = from; row < from + n; row++) {
            encode_row(out, d, row);
            if (after_last || row + 1 < all)
                buf_char(out, separator);
        }
        count_rows(d, from, n);
    }
    out->failed |= s->echoed.failed;
    decoder_init(d, s);
}

/* -- bodies -- */

static bool check_reply(struct decoder *d, const struct buf *out, size_t start)
{
    size_t most = d->scoring->question->max_reply;

    if (out->failed)
        return reader_fail(&d->reader, d->reader.p, PROBLEM_OUT_OF_MEMORY,
                           "no memory for the reply");
    if (is_limited(most) && out->len - start > most)
        return reader_fail(&d->reader, d->reader.p, PROBLEM_TOO_LARGE,
                           "the reply is larger than %zu bytes, reached", most);
    return true;
}

/* Goes on with an array: up to a frame's rows and their answers. */
static enum scoring_state score_rows(struct decoder *d, struct body_scoring *b, struct buf *out)
{
    struct reader *r = &d->reader;
    const struct scoring *s = d->scoring;
    uint32_t most = s->question->max_rows;

    for (; b->more > 0; b->more = reader_more(r, ']'), b->rows++) {
        if (is_limited(most) && b->rows == most) {
            reader_fail(r, r->p, PROBLEM_TOO_LARGE, "more than %u rows (see --max-rows), the next",
                        most);
            return SCORING_FAILED;
        }
        if (s->frame->n_rows == s->plan->frame_rows) {
            score_frame(d, ',', true, out);
            return check_reply(d, out, b->start) ? SCORING_ON : SCORING_FAILED;
        }
        if (!decode_value_as_row(d))
            return SCORING_FAILED;
    }
    if (b->more < 0 || !reader_finish(r))
        return SCORING_FAILED;
    score_frame(d, ',', false, out);
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

static enum scoring_state score_single(struct decoder *d, struct body_scoring *b, struct buf *out)
{
    if (!decode_value_as_row(d) || !reader_finish(&d->reader))
        return SCORING_FAILED;
    const struct decoded left = what_decoding_left(d->scoring->frame);
    run_rows(d, &left, 0, 1); /* alone, it runs or fails */
    if (d->scoring->frame->failed)
        b->status = encode_failed_body(out, d);
    else
        encode_row(out, d, 0);
    count_rows(d, 0, 1);
    out->failed |= d->scoring->echoed.failed;
    return check_reply(d, out, b->start) ? SCORING_DONE : SCORING_FAILED;
}

void score_begin(struct body_scoring *b, struct scoring *s, char *text, size_t n,
                 const struct buf *out)
{
    *b = (struct body_scoring){
        .scoring = s, .at = text, .text = text, .n = n, .line_start = text, .start = out->len};
    b->status = 200;
}

/* The reader's place is kept between two steps; the frame is empty there. */
static void take_place(struct reader *r, struct body_scoring *b)
{
    reader_init(r, b->text, b->n, &b->why);
    r->p = b->at;
    r->line_start = b->line_start;
    r->line += b->line;
    r->depth = b->begun;
}

static void keep_place(struct body_scoring *b, const struct reader *r)
{
    b->at = r->p;
    b->line_start = r->line_start;
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

enum scoring_state score_step(struct body_scoring *b, struct buf *out)
{
    struct decoder d;

    decoder_init(&d, b->scoring);
    take_place(&d.reader, b);
    enum scoring_state state = b->begun ? score_rows(&d, b, out) : begin_body(&d, b, out);
    keep_place(b, &d.reader);
    if (state != SCORING_FAILED)
        return state;
    if (out->len > b->start) {
        out->len = b->start;
        out->data[b->start] = '\0';
    }
    b->status = problem_status(b->why.problem);
    return state;
}

unsigned score_body(struct scoring *s, char *text, size_t n, struct buf *out,
                    struct body_problem *why)
{
    struct body_scoring b;

    score_begin(&b, s, text, n, out);
    while (score_step(&b, out) == SCORING_ON)
        ;
    *why = b.why;
    return b.status;
}

/* -- lines -- */

static void decode_line(struct decoder *d, const struct text *line)
{
    struct body_problem why;
    char *text = (char *)(uintptr_t)line->p;

    if (!decode_text_as_row(d, text, line->len, &why))
        frame_fail_field(d->scoring->frame, d->row, why.problem, FIELD_NONE, "%s", why.detail);
}

void score_lines(struct scoring *s, struct text *lines, unsigned n, struct buf *out)
{
    struct decoder d;

    decoder_init(&d, s);
    for (unsigned i = 0; i < n; i++) {
        if (s->frame->n_rows == s->plan->frame_rows)
            score_frame(&d, '\n', true, out);
        decode_line(&d, &lines[i]);
    }
    score_frame(&d, '\n', true, out);
}

void score_line(struct scoring *s, char *text, size_t n, struct buf *out)
{
    struct text line = {text, (uint32_t)n};

    score_lines(s, &line, 1, out);
}
