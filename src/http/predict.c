/* SPDX-License-Identifier: Apache-2.0 */
/* POST /predict: JSON is scored when the body is there, NDJSON as its lines come in. */
#include "http_priv.h"

#include <stdio.h>
#include <strings.h>

enum { WAITING_BYTES = 256 * 1024 }; /* of lines that wait for their frame to fill */

static void on_error(void *context, const struct row_error *error)
{
    struct exchange *x = context;
    const struct plan *p = &x->model->plan;
    const char *field = error->field < p->n_inputs ? p->columns[error->field].name : "";

    x->problem = error->problem;
    snprintf(x->field, sizeof x->field, "%s", field);
    metrics_row_error(x->app->metrics, x->worker, (unsigned)(x->slot - x->app->registry->slots),
                      field, error->problem);
}

static void too_large(struct exchange *x, uint64_t max)
{
    reply_problem(x, PROBLEM_TOO_LARGE, NULL, "%s may have %llu bytes; see --max-%s",
                  x->ndjson ? "a body of NDJSON" : "a JSON body", (unsigned long long)max,
                  x->ndjson ? "ndjson" : "body");
}

static uint64_t body_max(const struct exchange *x)
{
    return x->ndjson ? x->app->config->max_ndjson : x->app->config->max_body;
}

static bool open_version(struct exchange *x)
{
    x->model = slot_acquire_version(x->slot, x->version.p, x->version.len);
    if (x->model)
        return true;
    struct buf extra = {0};
    put_reload(&extra, x->slot);
    reply_problem(x, PROBLEM_NO_VERSION, extra.failed ? NULL : extra.data,
                  "`versions` lists those that are kept beside the current one");
    buf_done(&extra);
    return false;
}

bool model_open(struct exchange *x)
{
    if (x->version.len)
        return open_version(x);
    x->model = slot_acquire(x->slot);
    if (!x->model)
        reply_not_loaded(x);
    return x->model != NULL;
}

bool predict_open(struct exchange *x)
{
    x->ndjson = x->head.content_type && !media_is(x->head.content_type, "application/json");
    if (x->head.length > body_max(x)) {
        too_large(x, body_max(x));
        return false;
    }
    if (!media_accepts(x->head.accept, x->ndjson ? "application/x-ndjson" : "application/json",
                       true)) {
        reply_problem(x, PROBLEM_NOT_ACCEPTABLE, NULL,
                      "NDJSON is answered by NDJSON, JSON by JSON");
        return false;
    }
    if (!model_open(x) || !query_open(x))
        return false;
    struct buf echoed = x->scoring.echoed;
    x->scoring = (struct scoring){
        .plan = &x->model->plan,
        .schema = x->model->schema,
        .question = &x->question,
        .frame = x->model->frames[x->worker],
        .on_error = on_error,
        .context = x,
        .echoed = echoed,
    };
    if (x->ndjson)
        x->content_type = "application/x-ndjson";
    else if (x->head.length)
        buf_reserve(&x->body, x->head.length);
    return true;
}

/* Takes the next line of the body from *at: one that ended, or, at the end of the body, the rest.
 */
static bool next_line(struct exchange *x, size_t *at, bool last, struct text *line)
{
    char *from = x->body.data + *at;
    size_t left = x->body.len - *at;
    const char *newline = left ? memchr(from, '\n', left) : NULL;

    if (!newline && !(last && left))
        return false;
    size_t n = newline ? (size_t)(newline - from) : left;
    *line = (struct text){from, (uint32_t)n};
    *at += n + (newline != NULL);
    return true;
}

/* Scores the whole lines of the body, a frame at a time; what is left of it is the beginning of a
 * line. A frame that is not full waits for more lines. */
static void score_whole_lines(struct exchange *x, bool last)
{
    struct text lines[FRAME_ROWS];
    size_t done = 0, at = 0;
    unsigned n = 0, full = x->scoring.plan->frame_rows;

    while (next_line(x, &at, last, &lines[n])) {
        if (++n < full)
            continue;
        score_lines(&x->scoring, lines, n, &x->reply);
        n = 0;
        done = at;
        if (x->reply.len > x->question.max_reply)
            break;
    }
    if (n && (last || x->body.len - done > WAITING_BYTES)) {
        score_lines(&x->scoring, lines, n, &x->reply);
        done = at;
    }
    x->body.len -= done;
    if (x->body.len && done)
        memmove(x->body.data, x->body.data + done, x->body.len + 1);
}

static bool check_lines(struct exchange *x)
{
    const struct config *config = x->app->config;

    if (x->reply.len > config->max_reply)
        reply_problem(x, PROBLEM_TOO_LARGE, NULL, "the reply would exceed %llu bytes",
                      (unsigned long long)config->max_reply);
    else if (x->body.len > config->max_body && x->body.len > WAITING_BYTES)
        reply_problem(x, PROBLEM_TOO_LARGE, NULL, "a line may have %llu bytes",
                      (unsigned long long)config->max_body);
    else
        return true;
    return false;
}

/* Once the reply is a problem the rest is dropped. */
void predict_body(struct exchange *x, const char *p, size_t n)
{
    if (x->received > body_max(x)) {
        too_large(x, body_max(x));
        return;
    }
    buf_put(&x->body, p, n);
    if (!x->ndjson || x->body.failed || x->body.len < KEPT_BYTES / 2)
        return;
    score_whole_lines(x, false);
    check_lines(x);
}

static void body_failed(struct exchange *x, const struct body_problem *why)
{
    char extra[96];

    snprintf(extra, sizeof extra, ",\"offset\":%zu,\"line\":%zu,\"column\":%zu", why->offset,
             why->line, why->column);
    reply_problem(x, why->problem, why->problem == PROBLEM_TOO_LARGE ? NULL : extra, "%s",
                  why->detail);
}

static void answer_json(struct exchange *x)
{
    struct body_problem why;

    if (!buf_reserve(&x->body, 0))
        return;
    x->status = score_body(&x->scoring, x->body.data, x->body.len, &x->reply, &why);
    if (x->status == 200)
        x->problem = PROBLEM_NONE;
    else if (why.problem != PROBLEM_NONE)
        body_failed(x, &why);
    else
        x->content_type = "application/problem+json";
}

static void answer_lines(struct exchange *x)
{
    if (x->body.len)
        score_whole_lines(x, true);
    if (check_lines(x)) {
        x->status = 200;
        x->problem = PROBLEM_NONE;
    }
}

void predict_answer(struct exchange *x)
{
    if (!x->body.failed && x->ndjson)
        answer_lines(x);
    else if (!x->body.failed)
        answer_json(x);
    if (x->body.failed || x->reply.failed)
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again, or with fewer rows");
    metrics_rows(x->app->metrics, x->worker, (unsigned)(x->slot - x->app->registry->slots),
                 &x->scoring.counts);
}
