/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd at work: a public daemon whose pool of threads scores, and an admin daemon of one
 * thread, so that no load on the first can starve the second.
 */
#include "scored/server.h"

#include "guard.h"
#include "listen.h"
#include "scored/clock.h"
#include "scored/log.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 32 * 1024,
    READ_SECONDS = 15,       /* for a head and its body */
    RATE = 64 * 1024,        /* bytes a second that buy a request or a reply more time */
    DROP_BYTES = 256 * 1024, /* of a body that is read only so that its sender reads our answer */
    DRAIN_SECONDS = 20,      /* for requests in flight when the server stops */
    QUIET_MS = 50,
};

#define SECOND UINT64_C(1000000000)

struct listener {
    struct server *server;
    struct MHD_Daemon *daemon;
    enum side side;
    unsigned first_worker;
    atomic_uint threads; /* that have been given an index */
    uint16_t port;
};

struct server {
    struct app app;
    struct listener public, admin;
    struct watchdog watchdog;
    struct limiter library_lines;
};

/* -- connections -- */

static unsigned connection_cap(const struct server *s)
{
    return (unsigned)s->app.config->connections;
}

/* Our cap lies below the library's, which refuses by leaving connections in the backlog. */
static enum MHD_Result accept_connection(void *context, const struct sockaddr *address,
                                         socklen_t len)
{
    struct listener *l = context;
    struct server *s = l->server;

    (void)address;
    (void)len;
    if (l->side == SIDE_ADMIN || atomic_load(&s->app.connections) < connection_cap(s))
        return MHD_YES;
    metrics_refused(s->app.metrics);
    return MHD_NO;
}

static void set_deadline(struct exchange *x, uint64_t ns)
{
    atomic_store_explicit(&x->deadline_ns, ns, memory_order_relaxed);
}

static int connection_fd(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static void connection_event(void *context, struct MHD_Connection *c, void **socket_context,
                             enum MHD_ConnectionNotificationCode code)
{
    struct listener *l = context;
    struct server *s = l->server;
    struct exchange *x = *socket_context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        atomic_fetch_add(&s->app.connections, 1);
        *socket_context = x = exchange_new(&s->app, l->side);
        if (!x)
            return;
        x->fd = connection_fd(c);
        set_deadline(x, clock_ns() + READ_SECONDS * SECOND);
        watchdog_add(&s->watchdog, x);
        return;
    }
    atomic_fetch_sub(&s->app.connections, 1);
    if (x)
        watchdog_remove(&s->watchdog, x);
    exchange_free(x);
    *socket_context = NULL;
}

/* -- threads -- */

/* Threads of the pool number themselves as they first answer: a thread belongs to one daemon for
 * life. */
static unsigned worker_index(struct listener *l)
{
    static _Thread_local unsigned index;
    static _Thread_local bool known;

    if (!known) {
        index = l->first_worker + atomic_fetch_add(&l->threads, 1);
        known = true;
    }
    return index;
}

/* -- requests -- */

/* Called with the target as it was sent, before the library takes it apart. */
static void *begin(void *context, const char *target, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *x = info ? info->socket_context : NULL;

    (void)context;
    if (x) {
        exchange_begin(x, target);
        set_deadline(x, x->began_ns + READ_SECONDS * SECOND);
    }
    return x;
}

static void completed(void *context, struct MHD_Connection *c, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct listener *l = context;
    struct exchange *x = *request;

    (void)c;
    (void)code;
    if (!x)
        return;
    exchange_end(x);
    set_deadline(x, clock_ns() + (READ_SECONDS + l->server->app.config->timeout) * SECOND);
}

static bool add_header(struct MHD_Response *r, const char *name, const char *value)
{
    return !value || MHD_add_response_header(r, name, value) == MHD_YES;
}

static bool add_headers(struct exchange *x, struct MHD_Response *r)
{
    /* where the end of the body is in doubt, or it was not waited for; an error alone closes
     * nothing */
    bool closes = x->problem == PROBLEM_BAD_REQUEST || x->head.doubtful || x->head.chunked ||
                  x->received != x->head.length ||
                  atomic_load_explicit(&x->app->stopping, memory_order_relaxed);
    const struct bundle *b = x->model ? x->model->bundle : NULL;

    return add_header(r, "Content-Type", x->content_type) && add_header(r, "X-Request-Id", x->id) &&
           add_header(r, "X-Content-Type-Options", "nosniff") &&
           add_header(r, "Cache-Control", "no-store") &&
           add_header(r, "X-Model-Name", b ? slot_name(x->slot) : NULL) &&
           add_header(r, "X-Model-Version", b ? b->version : NULL) &&
           (!x->extra_header || add_header(r, x->extra_header, x->extra_value)) &&
           add_header(r, "Connection", closes ? "close" : NULL);
}

/* The reply's bytes stay where they are until the request has completed: the connection has one
 * request at a time. */
static enum MHD_Result send_reply(struct exchange *x, struct MHD_Connection *c)
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
    set_deadline(x, now + (READ_SECONDS + n / RATE) * SECOND);
    metrics_request(x->app->metrics, x->worker, route_id(x->route), x->status, now - x->began_ns);
    reply_log(x);
    enum MHD_Result result = add_headers(x, r) ? MHD_queue_response(c, x->status, r) : MHD_NO;
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

static enum MHD_Result first_call(struct exchange *x, struct MHD_Connection *c, const char *method,
                                  const char *version)
{
    bool sound = guard_head(x, c, method, version);

    exchange_name(x);
    if (x->target.failed) {
        x->head.doubtful = true; /* the body was not looked for */
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
        return send_reply(x, c);
    }
    if (!sound) {
        reply_problem(x, PROBLEM_BAD_REQUEST, NULL, "%s", x->head.wrong);
        return send_reply(x, c);
    }
    x->phase = route_open(x, method) ? PHASE_BODY : PHASE_DROP;
    return x->phase == PHASE_BODY || drops_body(x) ? MHD_YES : send_reply(x, c);
}

static enum MHD_Result body_call(struct exchange *x, const char *p, size_t n)
{
    x->received += n;
    if (x->phase == PHASE_BODY && x->route->body) {
        x->route->body(x, p, n);
        if (x->status)
            x->phase = PHASE_DROP;
        set_deadline(x, x->began_ns + (READ_SECONDS + x->received / RATE) * SECOND);
    }
    return x->received > x->app->config->max_ndjson + DROP_BYTES ? MHD_NO : MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *n_upload, void **request)
{
    struct exchange *x = *request;

    (void)url;
    if (!x)
        return MHD_NO;
    if (x->phase == PHASE_HEAD) {
        x->worker = worker_index(context);
        return first_call(x, c, method, version);
    }
    if (*n_upload) {
        enum MHD_Result result = body_call(x, upload, *n_upload);
        *n_upload = 0;
        return result;
    }
    if (x->phase == PHASE_ANSWERED)
        return MHD_YES;
    if (x->phase == PHASE_BODY)
        x->route->answer(x);
    return send_reply(x, c);
}

/* -- the library -- */

static void library_log(void *context, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
static void library_log(void *context, const char *fmt, va_list args)
{
    struct server *s = context;
    char line[256], quoted[512];
    unsigned dropped;

    if (!limiter_pass(&s->library_lines, &dropped))
        return;
    vsnprintf(line, sizeof line, fmt, args);
    line[strcspn(line, "\r\n")] = '\0';
    log_value(quoted, sizeof quoted, line, (unsigned)strlen(line));
    log_line(LOG_INFO, "from=libmicrohttpd unlogged=%u msg=\"%s\"", dropped, quoted);
}

static void library_panic(void *context, const char *file, unsigned line, const char *reason)
{
    (void)context;
    log_line(LOG_ERROR, "from=libmicrohttpd file=%s line=%u msg=\"panic: %s\"", file, line,
             reason ? reason : "no reason");
    abort();
}

/* Paths and queries are read from the target as it was sent. */
static size_t leave_escapes(void *context, struct MHD_Connection *c, char *text)
{
    (void)context;
    (void)c;
    return strlen(text);
}

static bool start_daemon(struct listener *l, const char *address, unsigned threads, struct err *e)
{
    struct server *s = l->server;
    unsigned cap = connection_cap(s) + 64;
    int fd = listen_open(address, &l->port, e);

    if (fd < 0)
        return false;
    struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    if (threads < 2)
        pool[0].option = MHD_OPTION_END;
    /* Not strict: so all heads come to the guard, which answers them once. The library shares its
     * limit out among the threads; any of them may get all connections. */
    l->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, accept_connection, l, answer, l,
        MHD_OPTION_EXTERNAL_LOGGER, library_log, s, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_CONNECTION, connection_event, l, MHD_OPTION_NOTIFY_COMPLETED, completed,
        l, MHD_OPTION_URI_LOG_CALLBACK, begin, l, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, l,
        MHD_OPTION_CONNECTION_LIMIT, cap * threads, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)s->app.config->timeout, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
    if (l->daemon)
        return true;
    close(fd);
    return err_set(e, ERR_SYSTEM, "libmicrohttpd does not start on %s", address);
}

static bool start_listeners(struct server *s, struct err *e)
{
    const struct config *config = s->app.config;

    s->public = (struct listener){.server = s, .side = SIDE_PUBLIC};
    s->admin = (struct listener){.server = s, .side = SIDE_ADMIN, .first_worker = s->app.workers};
    if (!start_daemon(&s->public, config->listen, s->app.workers, e))
        return false;
    return !strcmp(config->admin_listen, "off") ||
           start_daemon(&s->admin, config->admin_listen, 1, e);
}

static void stop_listeners(struct server *s)
{
    if (s->public.daemon)
        MHD_stop_daemon(s->public.daemon);
    if (s->admin.daemon)
        MHD_stop_daemon(s->admin.daemon);
}

static bool init_app(struct app *app, struct registry *r, const struct config *config,
                     struct err *e)
{
    app->registry = r;
    app->config = config;
    app->workers = server_workers(config);
    app->library = MHD_get_version();
    pthread_mutex_init(&app->failed_requests.lock, NULL);
    if (getrandom(&app->run, sizeof app->run, 0) != sizeof app->run)
        app->run = (uint32_t)clock_ms();
    app->metrics = metrics_new(r, app->workers + 1);
    app->documents = documents_new(r);
    return (app->metrics && app->documents) || err_memory(e);
}

struct server *server_start(struct registry *r, const struct config *config, struct err *e)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s) {
        err_memory(e);
        return NULL;
    }
    pthread_mutex_init(&s->library_lines.lock, NULL);
    MHD_set_panic_func(library_panic, NULL);
    if (init_app(&s->app, r, config, e) && watchdog_start(&s->watchdog, s->app.metrics, e)) {
        if (start_listeners(s, e))
            return s;
        stop_listeners(s);
        watchdog_stop(&s->watchdog);
    }
    metrics_free(s->app.metrics);
    documents_free(s->app.documents);
    free(s);
    return NULL;
}

uint16_t server_port(const struct server *s)
{
    return s->public.port;
}

uint16_t server_admin_port(const struct server *s)
{
    return s->admin.port;
}

/* Until no request has been in flight for a moment. Quiescing the library first may abort it
 * (0.9.75), so connections that come meanwhile are answered too, and closed. */
static void drain(struct server *s)
{
    const struct timespec tick = {.tv_nsec = 5 * 1000000L};
    uint64_t end = clock_ns() + DRAIN_SECONDS * SECOND, quiet_since = clock_ns();

    atomic_store(&s->app.stopping, true);
    for (uint64_t now = quiet_since; now < end; now = clock_ns()) {
        if (atomic_load_explicit(&s->app.in_flight, memory_order_acquire))
            quiet_since = now;
        else if (now - quiet_since > QUIET_MS * UINT64_C(1000000))
            return;
        nanosleep(&tick, NULL);
    }
}

void server_stop(struct server *s)
{
    if (!s)
        return;
    drain(s);
    stop_listeners(s);
    watchdog_stop(&s->watchdog);
    metrics_free(s->app.metrics);
    documents_free(s->app.documents);
    free(s);
}
