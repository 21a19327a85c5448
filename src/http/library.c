/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include "coding.h"
#include "headers.h"
#include "intake.h"
#include "worker.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE = 64 * 1024,        /* bytes a second that buy a request or a reply more time */
    DROP_BYTES = 256 * 1024, /* of a body that is read only so that its sender reads our answer */
    CONNECTIONS = 1 << 20,   /* never the limit that acts: the worker's is */
    STUCK_RUNS = 16,
};

#define SECOND UINT64_C(1000000000)
#define MS     UINT64_C(1000000)

struct library {
    struct worker *worker;
    struct MHD_Daemon *daemon;
    struct connection
        *given; /* that the library has not told us it began with: 1.0 does so later */
    bool resumed, moved;
    unsigned idle_runs; /* that moved nothing, while the library said that it had more to do */
};

/* -- connections -- */

static struct connection *take_given(struct library *l, struct MHD_Connection *m)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(m, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection **at = &l->given;

    while ((*at)->fd != info->connect_fd)
        at = &(*at)->given;
    struct connection *c = *at;
    *at = c->given;
    return c;
}

static void connection_changed(void *context, struct MHD_Connection *m, void **socket_context,
                               enum MHD_ConnectionNotificationCode code)
{
    struct library *l = context;

    l->moved = true;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = take_given(l, m);
        return;
    }
    connection_released(*socket_context);
}

/* False also where the library has begun with it and let go of it again. */
bool library_add(struct library *l, struct connection *c)
{
    c->given = l->given;
    l->given = c;
    if (MHD_add_connection(l->daemon, c->fd, &c->peer.any, sizeof c->peer) == MHD_YES)
        return true;
    if (l->given == c)
        l->given = c->given;
    return false;
}

/* What it had no memory for, and closed without a word. */
static void drop_given(struct library *l)
{
    for (struct connection *c = l->given, *next; c; c = next) {
        next = c->given;
        connection_released(c);
    }
    l->given = NULL;
}

static bool wants_more(const struct library *l)
{
    MHD_UNSIGNED_LONG_LONG wait;

    return MHD_get_timeout(l->daemon, &wait) == MHD_YES && !wait;
}

void library_run(struct library *l)
{
    l->resumed = l->moved = false;
    intake_open(l->worker);
    events_give(&l->worker->events);
    MHD_run(l->daemon);
    events_given(&l->worker->events);
    intake_close();
    drop_given(l);
    l->idle_runs = l->moved || !wants_more(l) ? 0 : l->idle_runs + 1;
}

bool library_has_more(const struct library *l)
{
    return l->resumed || (l->idle_runs < STUCK_RUNS && wants_more(l));
}

int library_events(const struct library *l)
{
    return MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

bool library_is_stuck(const struct library *l)
{
    return l->idle_runs == STUCK_RUNS / 2 || l->idle_runs == STUCK_RUNS;
}

void library_drop(struct exchange *x)
{
    if (x->handle)
        MHD_set_connection_option(x->handle, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
}

/* -- requests -- */

static struct connection *connection_of(struct MHD_Connection *m)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(m, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info->socket_context;
}

static const struct config *config_of(const struct exchange *x)
{
    return x->app->config;
}

/* Until when the rest of the request may come: each byte buys time, but not much. */
static void set_read_deadline(const struct exchange *x)
{
    struct connection *c = x->connection;

    c->deadline_ns = c->since_ns + config_of(x)->body_timeout * MS + x->received / RATE * SECOND;
}

/* Called with the target as it was sent, before the library takes it apart. */
static void *begin(void *context, const char *target, struct MHD_Connection *m)
{
    struct connection *c = connection_of(m);
    struct exchange *x = c->exchange;

    (void)context;
    exchange_begin(x, target);
    x->handle = m;
    c->begun++;
    c->since_ns = worker_now(c->worker);
    return x;
}

static void completed(void *context, struct MHD_Connection *m, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *request;

    (void)context;
    (void)m;
    (void)code;
    if (!x)
        return;
    if (x->phase != PHASE_ANSWERED && x->phase != PHASE_IDLE)
        metrics_event(x->app->metrics, x->worker, EVENT_CUT);
    struct connection *c = x->connection;
    c->quiet_ns = worker_now(c->worker);
    exchange_end(x);
    connection_deadline(
        c, (intake_has_begun(c) ? config_of(x)->head_timeout : config_of(x)->idle_timeout) * MS);
    if (c->half_closed || c->wrong)
        worker_look_again(c->worker, c);
}

static bool add_header(struct MHD_Response *r, const char *name, const char *value)
{
    return !value || MHD_add_response_header(r, name, value) == MHD_YES;
}

/* A connection ends where the end of the body is in doubt, or was not waited for; when it has
 * served long enough; and when the server does. An error alone closes nothing. */
static bool is_last(const struct exchange *x)
{
    const struct connection *c = x->connection;
    uint64_t age = worker_now(c->worker) - c->accepted_ns;

    return x->problem == PROBLEM_BAD_REQUEST || x->head.wrong || x->head.doubtful ||
           x->head.chunked || x->received != x->head.length || app_life(x->app) != LIFE_SERVING ||
           x->requests >= config_of(x)->max_requests || age > config_of(x)->max_age * MS;
}

enum { TIMING = 160 };

static double milliseconds(uint64_t ns)
{
    return (double)ns / 1e6;
}

/* As Server-Timing of W3C has it: in milliseconds. */
static const char *timing(const struct exchange *x, char out[TIMING])
{
    if (!x->tells_times)
        return NULL;
    const uint64_t *ns = x->times.ns;
    snprintf(out, TIMING,
             "parse;dur=%.6f, score;dur=%.6f, encode;dur=%.6f, wait;dur=%.6f, total;dur=%.6f",
             milliseconds(ns[STAGE_PARSE]), milliseconds(ns[STAGE_SCORE]),
             milliseconds(ns[STAGE_ENCODE]), milliseconds(x->job.waited_ns),
             milliseconds(clock_ns() - x->began_ns));
    return out;
}

static const char *traceparent(const struct exchange *x, char out[TRACEPARENT])
{
    if (!x->trace.id[0])
        return NULL;
    trace_write(&x->trace, out);
    return out;
}

static const char *vary(const struct exchange *x)
{
    static const char *const by[] = {NULL, "Accept-Encoding", "Origin", "Accept-Encoding, Origin"};

    return by[x->varies + 2 * x->varies_by_origin];
}

/* For pages of other origins: what they may read, and, where their browser asks, send. */
static bool add_cors(const struct exchange *x, struct MHD_Response *r)
{
    static const struct {
        const char *name, *value;
        bool preflight;
    } headers[] = {
        {"Access-Control-Expose-Headers",
         "X-Request-Id, X-Model-Name, X-Model-Version, X-Scored-Unknown-Fields, Server-Timing, "
         "traceparent, Retry-After, WWW-Authenticate",
         false},
        {"Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS", true},
        {"Access-Control-Allow-Headers",
         "Authorization, Content-Type, Content-Encoding, X-Request-Id, X-Request-Timeout-Ms, "
         "traceparent, tracestate",
         true},
        {"Access-Control-Max-Age", "600", true},
    };

    if (!x->cors_origin)
        return true;
    bool ok = add_header(r, "Access-Control-Allow-Origin", x->cors_origin);
    for (size_t i = 0; i < countof(headers); i++)
        if (headers[i].preflight == x->preflight)
            ok &= add_header(r, headers[i].name, headers[i].value);
    return ok;
}

static bool add_headers(struct exchange *x, struct MHD_Response *r)
{
    const struct bundle *b = x->model ? x->model->bundle : NULL;
    char times[TIMING], trace[TRACEPARENT];

    return add_header(r, "Content-Type", x->content_type) && add_header(r, "X-Request-Id", x->id) &&
           add_header(r, "traceparent", traceparent(x, trace)) &&
           add_header(r, "Server-Timing", timing(x, times)) &&
           add_header(r, "X-Content-Type-Options", "nosniff") &&
           add_header(r, "Cache-Control", x->etag ? "no-cache" : "no-store") &&
           add_header(r, "ETag", x->etag) && add_header(r, "Content-Encoding", x->encoding) &&
           add_header(r, "Vary", vary(x)) && add_cors(x, r) &&
           add_header(r, "X-Model-Name", b ? slot_name(x->slot) : NULL) &&
           add_header(r, "X-Model-Version", b ? b->version : NULL) &&
           (!x->extra_header || add_header(r, x->extra_header, x->extra_value)) &&
           add_header(r, "Connection", is_last(x) ? "close" : NULL);
}

static enum MHD_Result send_reply(struct exchange *x, struct MHD_Connection *m)
{
    uint64_t now = clock_ns();

    if (!reply_whole(x))
        return MHD_NO;
    size_t n = x->status == 204 ? 0 : x->reply.len;
    struct MHD_Response *r =
        MHD_create_response_from_buffer(n, n ? x->reply.data : NULL, MHD_RESPMEM_PERSISTENT);
    if (!r)
        return MHD_NO;
    x->phase = PHASE_ANSWERED;
    x->connection->quiet_ns = worker_now(x->connection->worker);
    connection_deadline(x->connection, config_of(x)->write_timeout * MS + n / RATE * SECOND);
    const struct answered a = {
        .route = route_id(x->route),
        .place = x->slot ? slot_index(x->app->registry, x->slot) + 1 : 0,
        .status = x->status,
        .ns = now - x->began_ns,
        .trace = x->trace.id[0] && x->trace.sampled ? x->trace.id : NULL,
    };
    metrics_request(x->app->metrics, x->worker, &a);
    if (x->job.waited_ns)
        metrics_wait(x->app->metrics, x->worker, x->job.waited_ns);
    reply_log(x);
    tell_reply(x, now, n);
    enum MHD_Result result = add_headers(x, r) ? MHD_queue_response(m, x->status, r) : MHD_NO;
    MHD_destroy_response(r);
    return result;
}

/* An error that is known before the body waits for a short one: closing on a sender makes its
 * system drop what we answered. Not where it waits for us, and not where the end of the body is in
 * doubt. */
static bool drops_body(const struct exchange *x)
{
    return !x->head.chunked && !x->head.expect && x->head.length <= DROP_BYTES;
}

/* True: it is done. */
static bool work_at_once(struct exchange *x)
{
    bool more = x->job.step(x);

    for (uint64_t end = more ? clock_ns() + STEP_NS : 0; more && clock_ns() < end;)
        more = x->job.step(x);
    x->job.admitted = more;
    return !more;
}

/* Short work is done at once. Long work waits for its turn among that of all connections: nothing
 * of the exchange is touched here then until library_resume. */
static void work(struct exchange *x, struct MHD_Connection *m)
{
    struct connection *c = x->connection;

    x->job.left_ns = x->gzip ? coding_estimate(x) : predict_estimate(x);
    if ((x->job.left_ns < STEP_NS && work_at_once(x))) {
        x->job.step = NULL;
        return;
    }
    x->phase = PHASE_WORK;
    c->deadline_ns = UINT64_MAX; /* it is not the client who is slow */
    c->paused_ns = worker_now(c->worker);
    if (worker_queue(c->worker, x)) {
        MHD_suspend_connection(m);
        return;
    }
    x->phase = PHASE_BODY;
    x->job.step = NULL;
}

void library_resume(struct exchange *x)
{
    struct connection *c = x->connection;

    c->since_ns += worker_now(c->worker) - c->paused_ns;
    set_read_deadline(x);
    x->phase = x->status && !x->complete_ns ? PHASE_DROP : PHASE_BODY;
    if (c->half_closed)
        worker_look_again(c->worker, c);
    c->worker->library->resumed = true;
    MHD_resume_connection(x->handle);
}

static enum MHD_Result body_call(struct exchange *x, struct MHD_Connection *m, const char *p,
                                 size_t n)
{
    x->received += n;
    set_read_deadline(x);
    x->connection->quiet_ns = worker_now(x->connection->worker);
    if (x->phase == PHASE_BODY && x->route->body) {
        route_body(x, p, n);
        if (x->job.step)
            work(x, m);
        if (x->phase == PHASE_WORK)
            return MHD_YES;
        if (x->status)
            x->phase = PHASE_DROP;
    }
    return x->received > config_of(x)->max_ndjson + DROP_BYTES ? MHD_NO : MHD_YES;
}

/* The client's own limit counts from its request's head, ours from its end. */
static void set_time_limit(struct exchange *x)
{
    uint64_t late = x->complete_ns + config_of(x)->deadline * MS;

    if (x->late_ns > late)
        x->late_ns = late;
}

/* Called again when work that was put off is done. */
static enum MHD_Result last_call(struct exchange *x, struct MHD_Connection *m)
{
    if (x->phase == PHASE_ANSWERED)
        return MHD_YES;
    if (x->phase == PHASE_BODY && !x->complete_ns) {
        x->complete_ns = x->connection->worker->round_ns;
        set_time_limit(x);
        x->route->answer(x);
        if (x->job.step)
            work(x, m);
    }
    if (x->phase != PHASE_WORK && coding_begin(x))
        work(x, m);
    return x->phase == PHASE_WORK ? MHD_YES : send_reply(x, m);
}

static enum MHD_Result first_call(struct exchange *x, struct MHD_Connection *m, const char *method)
{
    bool sound = headers_read(x, m);

    x->method = method;
    set_read_deadline(x);
    exchange_name(x);
    if (x->target.failed) {
        x->head.doubtful = true; /* the body was not looked for */
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
        return send_reply(x, m);
    }
    if (!sound) {
        reply_problem(x, PROBLEM_BAD_REQUEST, NULL, "%s", x->head.wrong);
        return send_reply(x, m);
    }
    x->phase = route_open(x, method) ? PHASE_BODY : PHASE_DROP;
    if (x->head.expect && !x->head.chunked && !x->head.length)
        return last_call(x, m); /* else the library says "100", and takes no reply behind it */
    return x->phase == PHASE_BODY || drops_body(x) ? MHD_YES : send_reply(x, m);
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static enum MHD_Result answer(void *context, struct MHD_Connection *m, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *n_upload, void **request)
{
    struct library *l = context;
    struct exchange *x = *request;

    (void)url;
    (void)version;
    l->moved = true;
    if (!x || x->connection->refused || x->connection->begun > x->connection->judged)
        return MHD_NO; /* a head that nobody has judged is never answered */
    if (atomic_load_explicit(&x->job.gone, memory_order_relaxed))
        return MHD_NO;
    if (x->phase == PHASE_HEAD)
        return first_call(x, m, method);
    if (!*n_upload)
        return last_call(x, m);
    if (x->phase == PHASE_WORK)
        return MHD_YES; /* the library has more chunks at hand; it keeps them for later */
    enum MHD_Result result = body_call(x, m, upload, *n_upload);
    *n_upload = 0;
    return result;
}

/* -- the library -- */

static struct limiter library_lines = LIMITER_INIT;

static void library_log(void *context, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
static void library_log(void *context, const char *fmt, va_list args)
{
    char line[256];
    unsigned dropped;

    (void)context;
    if (!limiter_pass(&library_lines, &dropped))
        return;
    vsnprintf(line, sizeof line, fmt, args);
    line[strcspn(line, "\r\n")] = '\0';
    log_with(LOG_DEBUG, line, log_text("from", "libmicrohttpd"), log_count("unlogged", dropped));
}

static void library_panic(void *context, const char *file, unsigned line, const char *reason)
{
    (void)context;
    log_with(LOG_ERROR, reason ? reason : "panic", log_text("from", "libmicrohttpd"),
             log_text("file", file), log_number("line", line));
    abort();
}

/* Paths and queries are read from the target as it was sent. */
static size_t leave_escapes(void *context, struct MHD_Connection *m, char *text)
{
    (void)context;
    (void)m;
    return strlen(text);
}

void library_init(void)
{
    MHD_set_panic_func(library_panic, NULL);
}

const char *library_version(void)
{
    return MHD_get_version();
}

const char *library_reason(unsigned status)
{
    return MHD_get_reason_phrase_for(status);
}

struct library *library_new(struct worker *w, struct err *e)
{
    struct library *l = calloc(1, sizeof *l);

    if (!l) {
        err_memory(e);
        return NULL;
    }
    l->worker = w;
    /* Not strict: what is wrong with a head was told before the library read it. No time limit: it
     * would start again with each byte; the worker has its own. */
    l->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, answer, l, MHD_OPTION_EXTERNAL_LOGGER, library_log, l,
        MHD_OPTION_NOTIFY_CONNECTION, connection_changed, l, MHD_OPTION_NOTIFY_COMPLETED, completed,
        l, MHD_OPTION_URI_LOG_CALLBACK, begin, l, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, l,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, 0U,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_END);
    if (l->daemon)
        return l;
    free(l);
    err_set(e, ERR_SYSTEM, "libmicrohttpd does not start");
    return NULL;
}

void library_free(struct library *l)
{
    if (!l)
        return;
    MHD_stop_daemon(l->daemon);
    free(l);
}
