/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in any dialect, a step at a time. */
#include "wire_priv.h"

#include <stdio.h>

const struct dialect *const dialects[DIALECT_COUNT] = {&dialect_json, &dialect_ndjson,
                                                       &dialect_csv};

void score_begin(struct body_scoring *b, const struct dialect *dialect, struct scoring *s,
                 const struct buf *out)
{
    *b = (struct body_scoring){.dialect = dialect, .scoring = s, .start = out->len, .status = 200};
}

enum scoring_state score_step(struct body_scoring *b, struct buf *out)
{
    enum scoring_state state = b->dialect->step(b, out);

    if (state != SCORING_FAILED)
        return state;
    if (out->len > b->start) {
        out->len = b->start;
        out->data[b->start] = '\0';
    }
    b->status = problem_status(b->why.problem);
    return state;
}

static enum scoring_state too_large(struct body_scoring *b, const char *what, size_t limit,
                                    const char *flag)
{
    b->why.problem = PROBLEM_TOO_LARGE;
    snprintf(b->why.detail, sizeof b->why.detail, "%s %zu bytes; see --%s", what, limit, flag);
    return SCORING_FAILED;
}

enum scoring_state stream_waits(struct body_scoring *b)
{
    size_t left = b->n - b->done, most = b->scoring->question->max_line;

    if (most && left > most && left > WAITING_BYTES)
        return too_large(b, "a line may have", most, "max-body");
    return b->last ? SCORING_DONE : SCORING_WAITS;
}

enum scoring_state stream_step(struct body_scoring *b, score_rows_of *some, struct buf *out)
{
    const struct question *q = b->scoring->question;
    bool more = some(b, out) && !out->failed;

    if (q->max_reply && out->len - b->start > q->max_reply)
        return too_large(b, "the reply would exceed", q->max_reply, "max-reply");
    return more ? SCORING_ON : stream_waits(b);
}

void scoring_done(struct scoring *s)
{
    buf_done(&s->echoed);
    buf_done(&s->head);
    buf_done(&s->made);
}

unsigned score_body(struct scoring *s, char *text, size_t n, struct buf *out,
                    struct body_problem *why)
{
    struct body_scoring b;

    score_begin(&b, &dialect_json, s, out);
    score_text(&b, text, n, true);
    while (score_step(&b, out) == SCORING_ON)
        ;
    *why = b.why;
    return b.status;
}
