/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners: a public one, whose connections all workers share, and others, for operators and for
 * probes, with a worker of their own each, so that no load on the first can starve them.
 */
#include "scored/server.h"

#include "listen.h"
#include "tls_relay.h"
#include "worker.h"

#include "scored/clock.h"

#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_CONNECTIONS = 8192,
    CONNECTION_BYTES = 40 * 1024, /* of an open one, a small request and its reply included */
    SPARE_FILES = 128,            /* for everything but connections */
    TLS_FILES = 3,                /* of a connection: the client's, and a pair behind it */
    WAITING = 64,                 /* long requests a worker */
    HURRIED_MS = 1000,            /* for what is under way, at the second signal */
    TICK_MS = 5,
    OTHERS = 2, /* listeners beside the public one */
};

#define MS UINT64_C(1000000)

struct server {
    struct app app;
    struct listener public, admin, probe;
    unsigned n_workers; /* that run */
    struct relays relays;
};

/* -- start -- */

/* What open files leave. */
static uint64_t most_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return limit.rlim_cur > 2 * (rlim_t)SPARE_FILES ? limit.rlim_cur - SPARE_FILES
                                                    : limit.rlim_cur / 2;
}

static unsigned most_connections(const struct app *app)
{
    uint64_t n = app->config->connections, files = most_files() / (app->tls ? TLS_FILES : 1);

    if (!n) {
        n = app->budget.limit / 2 / (CONNECTION_BYTES + (app->tls ? FLOWING_BYTES : 0));
        n = n > MOST_CONNECTIONS ? MOST_CONNECTIONS : n;
    }
    n = n > files ? files : n;
    return n ? (unsigned)n : 1;
}

static bool init_app(struct app *app, struct registry *r, const struct config *config,
                     struct err *e)
{
    app->registry = r;
    app->config = config;
    app->workers = server_workers(config);
    app->library = library_version();
    app->tls = tls_is_wanted(config) ? tls_new(config, e) : NULL;
    if (!app->tls && tls_is_wanted(config))
        return false;
    budget_init(&app->budget, config->memory);
    atomic_init(&app->most_connections, most_connections(app));
    queue_init(&app->queue, app->workers,
               config->queue ? (unsigned)config->queue : WAITING * app->workers,
               config->queue_wait * MS);
    pthread_mutex_init(&app->failed_requests.lock, NULL);
    pthread_mutex_init(&app->strange_fields.lock, NULL);
    if (getrandom(&app->run, sizeof app->run, 0) != sizeof app->run)
        app->run = (uint32_t)clock_ms();
    if (!access_rule_read(&app->access_rule, config->access_log, e) ||
        !cors_check(config->cors_origins, e))
        return false;
    if (*config->tokens && !(app->tokens = tokens_open(config->tokens, e)))
        return false;
    app->metrics = metrics_new(r, app->workers + OTHERS + relays_needed(config, app->workers));
    app->documents = documents_new(r);
    app->costs = calloc(r->n_slots, sizeof *app->costs);
    app->strangers = strangers_new(r->n_slots);
    app->all = calloc(app->workers + OTHERS, sizeof(struct worker *));
    if (!app->metrics || !app->documents || !app->costs || !app->strangers || !app->all)
        return err_memory(e);
    if (app->access_rule.errors)
        app->access_log = access_log_start(app->workers + OTHERS, e);
    return (app->access_log || !app->access_rule.errors) &&
           spans_start(&app->spans, config->otlp_endpoint, app->workers + OTHERS, e);
}

static bool open_listener(struct listener *l, const char *address, enum side side, bool tls,
                          unsigned workers, struct err *e)
{
    static const char *const flags[] = {
        [SIDE_PUBLIC] = "--listen (--port, SCORED_LISTEN)",
        [SIDE_ADMIN] = "--admin-listen (SCORED_ADMIN_LISTEN)",
        [SIDE_PROBE] = "--probe-listen (SCORED_PROBE_LISTEN)",
    };
    static const char *const others[] = {
        [SIDE_PUBLIC] = "", [SIDE_ADMIN] = ", or off", [SIDE_PROBE] = ", or off"};

    *l = (struct listener){.side = side, .fd = -1, .tls = tls};
    atomic_init(&l->open, tls ? 0 : workers); /* relays count themselves */
    if (!strcmp(address, "off"))
        return true;
    l->fd = listen_open(address, &l->port, e);
    if (l->fd >= 0)
        return true;
    if (e->code == ERR_SYSTEM)
        err_wrap(e, "which may be another address%s", others[side]);
    return err_wrap(e, "%s", flags[side]);
}

static bool make_worker(struct app *app, struct listener *l, unsigned *n, struct err *e)
{
    app->all[*n] = worker_new(app, l, *n, e);
    return app->all[*n] && ++*n;
}

static bool make_workers(struct server *s, struct err *e)
{
    struct app *app = &s->app;
    struct listener *others[OTHERS] = {&s->admin, &s->probe};
    unsigned n = 0;

    while (n < app->workers)
        if (!make_worker(app, &s->public, &n, e))
            return false;
    for (unsigned i = 0; i < OTHERS; i++)
        if (others[i]->fd >= 0 && !make_worker(app, others[i], &n, e))
            return false;
    if (app->tls && !relays_make(&s->relays, app, (struct listener *[]){&s->public, &s->admin},
                                 app->workers + OTHERS, e))
        return false;
    for (; s->n_workers < n; s->n_workers++)
        if (!worker_start(app->all[s->n_workers], e))
            return false;
    return relays_start(&s->relays, e);
}

static void free_server(struct server *s)
{
    for (unsigned i = 0; s->app.all && i < s->app.workers + OTHERS; i++)
        worker_free(s->app.all[i]);
    relays_free(&s->relays);
    tls_free(s->app.tls);
    access_log_stop(s->app.access_log);
    spans_stop(s->app.spans);
    tokens_close(s->app.tokens);
    metrics_free(s->app.metrics);
    documents_free(s->app.documents);
    free(s->app.costs);
    strangers_free(s->app.strangers, s->app.registry ? s->app.registry->n_slots : 0);
    free(s->app.all);
    free(s);
}

static void live(struct server *s, enum life life)
{
    atomic_store(&s->app.life, life);
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_wake(s->app.all[i]);
    relays_wake(&s->relays);
}

static void join(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++)
        worker_join(s->app.all[i]);
    relays_join(&s->relays);
}

/* Who accepts from a listener closes it; those that never ran do not. */
static void abandon(struct server *s)
{
    struct listener *all[] = {&s->public, &s->admin, &s->probe};
    unsigned started = s->n_workers;

    if (started < s->app.workers && !s->public.tls)
        atomic_fetch_sub(&s->public.open, s->app.workers - started);
    live(s, LIFE_OVER);
    join(s);
    for (unsigned i = 0; i < countof(all); i++)
        if (all[i]->fd >= 0)
            close(all[i]->fd);
    free_server(s);
}

struct server *server_start(struct registry *r, const struct config *config, struct err *e)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s) {
        err_memory(e);
        return NULL;
    }
    s->public.fd = s->admin.fd = s->probe.fd = -1;
    library_init();
    if (init_app(&s->app, r, config, e) &&
        open_listener(&s->public, config->listen, SIDE_PUBLIC, s->app.tls, s->app.workers, e) &&
        open_listener(&s->admin, config->admin_listen, SIDE_ADMIN, config->admin_tls, 1, e) &&
        open_listener(&s->probe, config->probe_listen, SIDE_PROBE, false, 1, e) &&
        make_workers(s, e))
        return s;
    abandon(s);
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

uint16_t server_probe_port(const struct server *s)
{
    return s->probe.port;
}

void server_look(struct server *s)
{
    budget_look(&s->app.budget);
    tokens_look(s->app.tokens);
    if (s->app.tls)
        tls_look(s->app.tls, false);
}

void server_reload(struct server *s)
{
    if (s->app.tls)
        tls_look(s->app.tls, true);
}

/* -- end -- */

static bool is_quiet(const struct server *s)
{
    for (unsigned i = 0; i < s->app.workers; i++)
        if (atomic_load(&s->app.all[i]->connections))
            return false;
    return relays_are_quiet(&s->relays) && !queue_waits((struct queue *)(uintptr_t)&s->app.queue);
}

void server_stop(struct server *s, bool (*hurry)(void *context), void *context)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    bool hurried = false;

    if (!s)
        return;
    live(s, LIFE_LAME);
    uint64_t end = clock_ns() + s->app.config->lame_duck * MS;
    for (; clock_ns() < end && !hurried; nanosleep(&tick, NULL))
        hurried = hurry && hurry(context);
    live(s, LIFE_CLOSING);
    end = clock_ns() + (hurried ? HURRIED_MS : s->app.config->drain) * MS;
    for (uint64_t now; (now = clock_ns()) < end && !is_quiet(s); nanosleep(&tick, NULL)) {
        if (!hurried && hurry && hurry(context)) {
            hurried = true;
            end = now + HURRIED_MS * MS < end ? now + HURRIED_MS * MS : end;
        }
    }
    live(s, LIFE_OVER);
    join(s);
    free_server(s);
}
