/* SPDX-License-Identifier: Apache-2.0 */
#include "http_priv.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOGGED_A_SECOND = 20 };

struct exchange *exchange_new(struct app *app, enum side side)
{
    struct exchange *x = calloc(1, sizeof *x);

    if (x) {
        x->app = app;
        x->side = side;
        x->fd = -1;
    }
    return x;
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    exchange_end(x);
    buf_done(&x->target);
    buf_done(&x->body);
    buf_done(&x->reply);
    buf_done(&x->extra);
    buf_done(&x->scoring.echoed);
    free(x->program);
    free(x->columns);
    free(x);
}

void exchange_begin(struct exchange *x, const char *target)
{
    exchange_end(x);
    buf_text(&x->target, target);
    x->phase = PHASE_HEAD;
    x->head = (struct head){0};
    x->path = (struct text){"", 0};
    x->query = NULL;
    x->route = NULL;
    x->slot = NULL;
    x->is_head = false;
    x->id[0] = '\0';
    x->began_ns = clock_ns();
    x->received = 0;
    x->ndjson = false;
    x->status = 0;
    x->content_type = "application/json";
    x->extra_header = x->extra_value = NULL;
    x->problem = PROBLEM_NONE;
    x->field[0] = '\0';
    atomic_fetch_add_explicit(&x->app->in_flight, 1, memory_order_relaxed);
}

static void empty(struct buf *b)
{
    if (b->cap > KEPT_BYTES)
        buf_done(b);
    else
        buf_reset(b);
}

void exchange_end(struct exchange *x)
{
    if (x->phase == PHASE_IDLE)
        return;
    x->phase = PHASE_IDLE;
    model_release(x->model);
    x->model = NULL;
    empty(&x->target);
    empty(&x->body);
    empty(&x->reply);
    empty(&x->extra);
    empty(&x->scoring.echoed);
    atomic_fetch_sub_explicit(&x->app->in_flight, 1, memory_order_release);
}

static bool is_request_id(const char *p)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strspn(p, allowed);

    return n > 0 && n < REQUEST_ID && !p[n];
}

static void put_hex(char *out, uint64_t n, unsigned digits)
{
    while (digits--) {
        out[digits] = "0123456789abcdef"[n & 15];
        n >>= 4;
    }
}

/* run-thread-number: each in fixed width, so that no two are ever the same. */
void exchange_name(struct exchange *x)
{
    if (x->head.request_id && is_request_id(x->head.request_id)) {
        memcpy(x->id, x->head.request_id, strlen(x->head.request_id) + 1);
        return;
    }
    put_hex(x->id, x->app->run, 8);
    put_hex(x->id + 8, x->worker, 4);
    put_hex(x->id + 12, metrics_next_id(x->app->metrics, x->worker), 12);
    x->id[24] = '\0';
}

void reply_problem(struct exchange *x, enum problem problem, const char *extra, const char *fmt,
                   ...)
{
    char detail[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    buf_reset(&x->reply);
    problem_body(&x->reply, problem, detail, extra);
    x->problem = problem;
    x->status = problem_status(problem);
    x->content_type = "application/problem+json";
    if (x->status == 503 && !x->extra_header) {
        buf_reset(&x->extra);
        buf_char(&x->extra, '1');
        reply_header(x, "Retry-After");
    }
}

bool reply_whole(struct exchange *x)
{
    if (x->reply.failed) {
        buf_done(&x->reply);
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
    }
    return !x->reply.failed;
}

void reply_header(struct exchange *x, const char *name)
{
    x->extra_header = x->extra.failed ? NULL : name;
    x->extra_value = x->extra.data;
}

bool limiter_pass(struct limiter *l, unsigned *dropped)
{
    uint64_t second = clock_ns() / 1000000000;

    pthread_mutex_lock(&l->lock);
    bool pass = l->second != second || l->passed < LOGGED_A_SECOND;
    if (l->second != second) {
        l->second = second;
        l->passed = 0;
    }
    *dropped = pass ? l->dropped : 0;
    l->passed += pass;
    l->dropped = pass ? 0 : l->dropped + 1;
    pthread_mutex_unlock(&l->lock);
    return pass;
}

/* Never a value of a row: only what the model or this program calls things. Not the probes' 503: it
 * is what they are there for, and comes every few seconds. */
void reply_log(struct exchange *x)
{
    char field[sizeof x->field * 4 + 5];
    unsigned dropped;

    if (x->status < 400 || x->problem == PROBLEM_NONE ||
        !limiter_pass(&x->app->failed_requests, &dropped))
        return;
    log_value(field, sizeof field, x->field, (unsigned)strlen(x->field));
    log_line(x->status < 500 ? LOG_WARN : LOG_ERROR,
             "request=%s route=%s status=%u type=%s field=\"%s\" unlogged=%u msg=\"%s\"", x->id,
             route_path(x->route), x->status, problem_urn(x->problem), field, dropped,
             x->head.wrong ? x->head.wrong : problem_title(x->problem));
}
