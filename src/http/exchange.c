/* SPDX-License-Identifier: Apache-2.0 */
#include "http_priv.h"

#include "gzip.h"
#include "unpack.h"
#include "worker.h"

#include "scored/clock.h"
#include "scored/hex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOGGED_A_SECOND = 20 };

struct exchange *exchange_new(struct app *app, struct connection *c, enum side side)
{
    struct exchange *x = calloc(1, sizeof *x);

    if (x) {
        x->app = app;
        x->side = side;
        x->connection = c;
        x->worker = c->worker->index;
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
    scoring_done(&x->scoring);
    free(x->program);
    free(x->columns);
    free(x);
}

void exchange_begin(struct exchange *x, const char *target)
{
    exchange_end(x);
    buf_text(&x->target, target);
    x->phase = PHASE_HEAD;
    metrics_begun(x->app->metrics, x->worker);
    x->head = (struct head){0};
    x->path = (struct text){"", 0};
    x->query = NULL;
    x->route = NULL;
    x->slot = NULL;
    x->is_head = false;
    x->method = NULL;
    x->token[0] = '\0';
    x->id[0] = x->trace.id[0] = '\0';
    x->times = (struct stage_times){0};
    x->scoring.counts = (struct counts){0};
    x->tells_times = false;
    x->began_ns = clock_ns();
    x->complete_ns = 0;
    x->late_ns = UINT64_MAX;
    x->received = 0;
    x->unpacked = 0;
    x->requests++;
    x->dialect = NULL;
    x->form = false;
    x->job.step = NULL;
    x->job.admitted = false;
    x->job.waited_ns = 0;
    atomic_store_explicit(&x->job.gone, false, memory_order_relaxed);
    x->status = 0;
    x->content_type = "application/json";
    x->extra_header = x->extra_value = NULL;
    x->encoding = NULL;
    x->etag = NULL;
    x->cors_origin = NULL;
    x->varies = x->varies_by_origin = x->preflight = false;
    x->problem = PROBLEM_NONE;
    x->field[0] = '\0';
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
    metrics_ended(x->app->metrics, x->worker);
    model_release(x->model);
    x->model = NULL;
    unpacker_free(x->unpacker);
    x->unpacker = NULL;
    gzip_free(x->gzip);
    x->gzip = NULL;
    buf_done(&x->packed);
    empty(&x->target);
    empty(&x->body);
    empty(&x->reply);
    empty(&x->extra);
    empty(&x->scoring.echoed);
    empty(&x->scoring.head);
    empty(&x->scoring.made);
    connection_hold(x->connection, 0);
}

/* Of a buffer, beyond what every connection is counted with. */
static size_t held(size_t n)
{
    const size_t step = 16384;

    return n > (size_t)KEPT_BYTES ? (n + step) / step * step : 0;
}

bool exchange_charge(struct exchange *x, size_t more)
{
    size_t coding = (x->unpacker ? unpack_holds(x->unpacker) : 0) + (x->gzip ? GZIP_BYTES : 0);

    return connection_hold(x->connection, held(x->body.len + more) + held(x->reply.len) +
                                              held(x->packed.len) + coding);
}

bool exchange_hold(struct exchange *x, size_t more)
{
    if (exchange_charge(x, more))
        return true;
    metrics_event(x->app->metrics, x->worker, EVENT_NO_ROOM);
    buf_done(&x->body);
    buf_done(&x->reply);
    connection_hold(x->connection, 0);
    reply_overloaded(x, "there is no memory for this request now");
    return false;
}

static bool is_request_id(const char *p)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strspn(p, allowed);

    return n > 0 && n < REQUEST_ID && !p[n];
}

/* run-thread-number: each in fixed width, so that no two are ever the same. */
void request_name(struct app *app, unsigned worker, char id[REQUEST_ID])
{
    hex_number(app->run, 4, id);
    hex_number(worker, 2, id + 8);
    hex_number(metrics_next_id(app->metrics, worker), 6, id + 12);
    id[24] = '\0';
}

/* No other server's number is likely to be the same: the upper half is random. */
static uint64_t own_number(struct exchange *x)
{
    uint64_t count = metrics_next_id(x->app->metrics, x->worker);

    return (uint64_t)x->app->run << 32 ^ (uint64_t)x->worker << 56 ^ count;
}

/* Is it one of those that begin a trace of their own? */
static bool is_first_of_trace(const struct exchange *x)
{
    uint64_t one_in = x->app->config->trace_one_in;

    return x->app->spans && one_in && x->connection->worker->untraced++ % one_in == 0;
}

void exchange_name(struct exchange *x)
{
    if (x->head.request_id && is_request_id(x->head.request_id))
        memcpy(x->id, x->head.request_id, strlen(x->head.request_id) + 1);
    else
        request_name(x->app, x->worker, x->id);
    trace_read(&x->trace, x->head.traceparent);
    if (!x->trace.id[0] && is_first_of_trace(x))
        trace_begin(&x->trace, own_number(x));
    if (x->trace.id[0])
        trace_span(&x->trace, own_number(x));
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

void reply_overloaded(struct exchange *x, const char *why)
{
    reply_problem(x, PROBLEM_OVERLOADED, NULL, "%s", why);
}

bool reply_whole(struct exchange *x)
{
    if (x->encoding)
        return true;
    if (x->reply.len && x->reply.data[x->reply.len - 1] != '\n')
        buf_char(&x->reply, '\n'); /* for terminals, and for who joins answers */
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

void reply_header_text(struct exchange *x, const char *name, const char *value)
{
    buf_reset(&x->extra);
    buf_text(&x->extra, value);
    reply_header(x, name);
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
