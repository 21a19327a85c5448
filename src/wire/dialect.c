/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies in any dialect, a step at a time. */
#include "wire_priv.h"

const struct dialect *const dialects[DIALECT_COUNT] = {&dialect_json, &dialect_ndjson};

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
