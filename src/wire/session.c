/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a request through the plan, a frame at a time, whatever they are written in. */
#include "wire_priv.h"

#include "scored/clock.h"

enum { LEAST_CELL = 4 }; /* bytes of "0.0," */

void stage_passed(struct stage_times *t, enum stage stage)
{
    uint64_t now = clock_ns();

    t->ns[stage] += now - t->at_ns;
    t->at_ns = now;
}

static void passed(const struct scoring *s, enum stage stage)
{
    if (s->times)
        stage_passed(s->times, stage);
}

/* A small request may ask for a huge sparse vector with all its zeros: such a row fails instead. */
static void check_sizes(struct rows *rows)
{
    const struct scoring *s = rows->scoring;
    const struct question *q = s->question;
    struct frame *f = s->frame;

    if (q->spark_vectors || !q->max_reply)
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
static bool run_rows(struct rows *rows, const struct decoded *left, unsigned from, unsigned n)
{
    struct frame *f = rows->scoring->frame;
    uint64_t these = rows_below(n) << from;

    restore(f, left, these);
    if (f->live && !plan_run(rows->scoring->question->program, f)) {
        if (n > 1)
            return false;
        restore(f, left, these);
        frame_fail_full(f, from);
    }
    check_sizes(rows);
    return true;
}

/* Counts n rows, and tells of those that failed. */
static void count_rows(struct rows *rows, const struct decoded *left, unsigned from, unsigned n)
{
    struct scoring *s = rows->scoring;
    const struct frame *f = s->frame;
    uint64_t these = rows_below(n) << from;

    s->counts.rows += n;
    s->counts.failed += (unsigned)__builtin_popcountll(f->failed & these);
    s->counts.skipped += (unsigned)__builtin_popcountll(f->skipped & ~f->failed & these);
    if (s->on_rows && (left->live & these))
        s->on_rows(s->context, left->live & these);
    if (!s->on_error)
        return;
    FOR_ROWS(row, f->failed & these)
    s->on_error(s->context, &f->errors[row]);
}

/* Rows that do not fit into memory together run one half after the other, each answered before the
 * next: so a row's answer never depends on the others. */
void rows_answer(struct rows *rows, put_row *put, char separator, bool after_last, struct buf *out)
{
    struct scoring *s = rows->scoring;
    const struct decoded left = what_decoding_left(s->frame);
    unsigned all = s->frame->n_rows;

    passed(s, STAGE_PARSE);
    for (unsigned from = 0, n = all; from < all; from += n) {
        n = n < all - from ? n : all - from;
        while (!run_rows(rows, &left, from, n))
            n = (n + 1) / 2;
        passed(s, STAGE_SCORE);
        for (unsigned row = from; row < from + n; row++) {
            put(out, rows, row);
            if (after_last || row + 1 < all)
                buf_char(out, separator);
        }
        count_rows(rows, &left, from, n);
        passed(s, STAGE_ENCODE);
    }
    out->failed |= s->echoed.failed;
    rows_begin(rows, s);
}

unsigned rows_answer_only(struct rows *rows, put_row *put,
                          unsigned (*failed)(struct buf *out, const struct rows *rows),
                          struct buf *out)
{
    struct scoring *s = rows->scoring;
    const struct decoded left = what_decoding_left(s->frame);
    unsigned status = 200;

    passed(s, STAGE_PARSE);
    run_rows(rows, &left, 0, 1); /* alone, it runs or fails */
    passed(s, STAGE_SCORE);
    if (s->frame->failed)
        status = failed(out, rows);
    else
        put(out, rows, 0);
    count_rows(rows, &left, 0, 1);
    passed(s, STAGE_ENCODE);
    out->failed |= s->echoed.failed;
    return status;
}

void rows_begin(struct rows *rows, struct scoring *s)
{
    rows->scoring = s;
    rows->schema = s->schema;
    rows->first_row = s->counts.rows;
    frame_reset(s->frame, s->scratch);
    buf_reset(&s->echoed);
}
