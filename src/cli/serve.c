/* SPDX-License-Identifier: Apache-2.0 */
/* `scored serve`: the daemon. */
#include "command_line.h"
#include "commands.h"
#include "scored/log.h"
#include "scored/sandbox.h"
#include "scored/server.h"
#include "scored/version.h"
#include "settings.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char above[] =
    "usage: scored serve --model [NAME=]URI ... [flags]\n"
    "\n"
    "Answers POST /predict with what Spark would answer. URI is the directory of an exported "
    "bundle,\n"
    "file://DIRECTORY, s3://BUCKET/PREFIX/, or models:/NAME@ALIAS of MLflow; behind it,\n"
    "#sha256=<64 hex digits> pins a version. Of several models each must have a name, and is asked "
    "at\n"
    "/models/NAME/predict; what follows the first '=' is then the URI. Of a single one the name "
    "may "
    "be left\n"
    "out; to give it, write the URI with /, ./, file:, s3: or models:.\n"
    "\n"
    "A version that is published later replaces the one served, once its digests and golden rows "
    "are right;\n"
    "SIGHUP looks for one now. GET /models/NAME says what is served, and, on the admin listener, "
    "why "
    "not the\n"
    "latest. SIGTERM and SIGINT stop after the requests in flight; SIGQUIT, USR1, USR2, ALRM, "
    "VTALRM, PROF,\n"
    "IO, PWR, STKFLT, XFSZ, PIPE and the real-time signals do nothing.\n"
    "Each flag but --port, --trust and --print-config is also an environment variable, as "
    "SCORED_MAX_BODY\n"
    "is --max-body. Without --model it is SCORED_MODEL, of one model; without both, /opt/ml/model, "
    "if it\n"
    "has a bundle, as where SageMaker starts it.\n";
static const char below[] =
    "example:\n"
    "  scored serve --model models/days_to_sell/bundle --port 8080 &\n"
    "  curl -s --retry 5 --retry-connrefused localhost:8080/readyz\n"
    "  curl -s localhost:8080/models/days_to_sell |\n"
    "    sed 's/.*\"example\":{\"in\":\\({.*}\\),\"out\":{.*/\\1/' > row.json\n"
    "  curl -s localhost:8080/predict -H 'Content-Type: application/json' -d @row.json\n";

enum { OWN_OPTIONS = 4 };

struct arguments {
    struct settings settings;
    struct option options[SETTING_COUNT + OWN_OPTIONS];
    struct option_list models, keys;
    const char *model_source; /* what named the models */
    uint64_t port;
    bool has_port, print_config;
    char listen[32];
};

static struct option_table take_options(struct arguments *a)
{
    struct option *o = a->options + SETTING_COUNT;

    settings_init(&a->settings, a->options);
    o[0] = (struct option){.flag = "model",
                           .kind = OPTION_LIST,
                           .target = &a->models,
                           .value = "[NAME=]URI",
                           .help = "a model to serve; may stand many times"};
    o[1] = (struct option){.flag = "port",
                           .kind = OPTION_NUMBER,
                           .target = &a->port,
                           .value = "N",
                           .help = "short for --listen 0.0.0.0:N",
                           .high = UINT16_MAX,
                           .given = &a->has_port};
    o[2] = (struct option){.flag = "trust",
                           .kind = OPTION_LIST,
                           .target = &a->keys,
                           .value = "KEY.pem",
                           .help = "serve only what the holder of this Ed25519 key has signed; may "
                                   "stand many times, any one suffices"};
    o[3] = (struct option){.flag = "print-config",
                           .kind = OPTION_SWITCH,
                           .target = &a->print_config,
                           .help = "print all settings with their source, and exit"};
    return (struct option_table){a->options, SETTING_COUNT + OWN_OPTIONS};
}

/* Where no flag names a model: that of the environment, else what SageMaker has unpacked. */
static void take_usual_model(struct arguments *a)
{
    const char *named = getenv("SCORED_MODEL"); /* NOLINT(concurrency-mt-unsafe): no threads */

    a->model_source = "flag";
    if (a->models.n)
        return;
    if (named && *named) {
        a->models.items[a->models.n++] = named;
        a->model_source = "SCORED_MODEL";
    } else if (!access("/opt/ml/model/bundle.json", F_OK)) {
        a->models.items[a->models.n++] = "/opt/ml/model";
        a->model_source = "default";
    }
}

/* What no single flag says: what they are together, and what the environment adds. */
static bool finish(struct arguments *a, struct err *e)
{
    if (a->has_port && a->settings.by_flag[SETTING_listen])
        return err_set(e, ERR_USAGE, "--port and --listen exclude each other");
    if (a->has_port) {
        snprintf(a->listen, sizeof a->listen, "0.0.0.0:%u", (unsigned)a->port);
        a->settings.config.listen = a->listen;
        a->settings.by_flag[SETTING_listen] = true;
    }
    if (!settings_finish(&a->settings, a->options, e))
        return false;
    take_usual_model(a);
    return a->print_config || a->models.n ||
           err_set(e, ERR_USAGE, "which model? --model URI, a directory with a bundle.json");
}

/* As many open files as the system lets us have: connections take one each. */
static void raise_descriptors(const struct config *config)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit))
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (config->connections > limit.rlim_cur)
        log_with(LOG_WARN, "fewer connections, as the limit of open files is low",
                 log_number("connections", config->connections),
                 log_number("files", limit.rlim_cur));
}

static void log_models(struct registry *r)
{
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(registry_slot(r, i));
        if (m)
            log_with(LOG_INFO, "loaded", log_text("model", slot_name(registry_slot(r, i))),
                     log_text("to", m->bundle->version), log_text("sha256", m->bundle->sha256),
                     log_real("load_ms", (double)m->load_ns / 1e6),
                     log_number("golden", m->coverage.rows));
        model_release(m);
    }
}

enum { ADDRESS = 300 };

/* The address asked for, with the port that it got; "off" has none. */
static const char *address(char out[ADDRESS], const char *asked, uint16_t port)
{
    const char *colon = strrchr(asked, ':');

    if (colon && port)
        snprintf(out, ADDRESS, "%.*s:%u", (int)(colon - asked), asked, port);
    else
        snprintf(out, ADDRESS, "%s", asked);
    return out;
}

static atomic_bool stopping; /* ends what the loader waits for */

static int fail(const struct err *e)
{
    log_plain(LOG_ERROR, e->msg);
    return e->code == ERR_USAGE ? EXIT_USAGE : EXIT_BAD;
}

/* Looks after the server until a signal comes. Returns it, or 0 for SIGHUP. */
static int wait_for_end(struct server *s, const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};
    int got;

    while ((got = sigtimedwait(signals, NULL, &second)) <= 0)
        server_look(s);
    return got == SIGHUP ? 0 : got;
}

/* A second SIGTERM or SIGINT hastens the end. */
static bool another_signal(void *signals)
{
    const struct timespec none = {0};
    int got = sigtimedwait(signals, NULL, &none);

    if (got != SIGTERM && got != SIGINT)
        return false;
    log_with(LOG_INFO, "stopping at once", log_text("signal", sigabbrev_np(got)));
    return true;
}

static int serve(struct registry *r, const struct config *config, const sigset_t *signals)
{
    struct err e = {0};
    struct server *s = server_start(r, config, &e);
    int got = 0;

    if (!s)
        return fail(&e);
    log_models(r);
    char at[ADDRESS], admin[ADDRESS], probe[ADDRESS];
    log_with(LOG_INFO, "serving", log_text("listen", address(at, config->listen, server_port(s))),
             log_text("admin", address(admin, config->admin_listen, server_admin_port(s))),
             log_number("workers", server_workers(config)), log_text("version", scored_version),
             log_text("sandbox", sandbox_holds()),
             log_text("probe", address(probe, config->probe_listen, server_probe_port(s))));
    bool started = registry_start(r, &e);
    while (started && !(got = wait_for_end(s, signals))) {
        log_plain(LOG_INFO, "SIGHUP: looking for new versions");
        server_reload(s);
        registry_reload(r, NULL, false);
    }
    log_with(LOG_INFO, "stopping", log_text("signal", sigabbrev_np(got)),
             log_number("lame_duck_ms", config->lame_duck),
             log_text("sooner", "by a second signal"));
    server_stop(s, another_signal, (void *)(uintptr_t)signals);
    atomic_store(&stopping, true);
    registry_stop(r);
    if (!started)
        return fail(&e);
    log_plain(LOG_INFO, "stopped");
    return EXIT_FINE;
}

/* A model's memory goes back when the model goes, whatever came before: by itself the C library
 * keeps more the larger what was freed was, up to 64 MiB, and malloc_trim does not take it away. */
static void set_memory_thresholds(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);   /* NOLINT(concurrency-mt-unsafe): no threads yet */
    mallopt(M_TRIM_THRESHOLD, 256 << 10); /* NOLINT(concurrency-mt-unsafe) */
}

/* A signal that means nothing here must not end the process; one that a tool has taken over for
 * itself, as profilers do, stays. */
static void ignore(int number)
{
    struct sigaction now;

    if (!sigaction(number, NULL, &now) && now.sa_handler == SIG_DFL)
        signal(number, SIG_IGN);
}

/* Leaves `awaited` to sigwait; all threads inherit that. */
static void arrange_signals(sigset_t *awaited)
{
    static const int nothing[] = {SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2,   SIGALRM, SIGVTALRM,
                                  SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT, SIGXFSZ};

    for (size_t i = 0; i < countof(nothing); i++)
        ignore(nothing[i]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        ignore(number);
    sigemptyset(awaited);
    sigaddset(awaited, SIGTERM);
    sigaddset(awaited, SIGINT);
    sigaddset(awaited, SIGHUP);
    pthread_sigmask(SIG_BLOCK, awaited, NULL);
}

/* Folders are read where they are. */
static void warn_of_idle_cache(const struct arguments *a)
{
    const char *cache = a->settings.config.cache;

    for (unsigned i = 0; i < a->models.n; i++)
        if (strstr(a->models.items[i], "s3://") || strstr(a->models.items[i], "models:/"))
            return;
    if (*cache)
        log_with(LOG_WARN, "nothing is cached: no model is of s3:// or models:/",
                 log_text("cache", cache));
}

static int serve_models(struct arguments *a, const sigset_t *signals)
{
    struct config *config = &a->settings.config;
    struct registry registry = {0};
    struct err e = {0};

    raise_descriptors(config);
    warn_of_idle_cache(a);
    struct trust *trust = NULL;
    if (a->keys.n) {
        trust = trust_new(a->keys.items, a->keys.n, &e);
        if (!trust)
            return fail(&e);
    }
    const struct registry_options options = {
        .model = {.workers = server_workers(config),
                  .scratch = config->scratch,
                  .frame_rows = (unsigned)config->frame_rows,
                  .no_fuse = config->no_fuse,
                  .kernel = (enum plan_kernel)config->kernel,
                  .verify = true,
                  .trust = trust,
                  .memory = config->memory},
        .source = {.cache = config->cache,
                   .cache_bytes = config->cache_bytes,
                   .mlflow = config->mlflow,
                   .stop = &stopping},
        .poll_ms = config->poll,
        .keep = (unsigned)config->keep_versions,
        .no_older = config->no_older,
        .allow_schema_change = config->allow_schema_change,
        .must_load = config->exit_on_load_failure,
    };
    int code = EXIT_BAD;
    if (registry_open(&registry, a->models.items, a->models.n, &options, &e)) {
        code = serve(&registry, config, signals);
        registry_close(&registry);
    } else {
        code = fail(&e);
    }
    trust_free(trust);
    return code;
}

/* Nothing that comes from outside was read yet, and there are no threads. */
static bool enter_sandbox(const struct config *config, struct err *e)
{
    return sandbox_enter((enum sandbox_mode)config->sandbox, config->cache, e);
}

static int run(struct arguments *a)
{
    struct err e = {0};
    sigset_t signals;

    log_set((enum log_level)a->settings.config.log_level,
            (enum log_format)a->settings.config.log_format);
    set_memory_thresholds();
    arrange_signals(&signals);
    settings_warn(&a->settings);
    if (!enter_sandbox(&a->settings.config, &e) || !log_start(&e))
        return fail(&e);
    int code = serve_models(a, &signals);
    log_stop();
    return code;
}

static void print_list(const char *flag, const struct option_list *l, const char *source)
{
    for (unsigned i = 0; i < l->n; i++)
        printf("%-20s %-24s %s\n", flag, l->items[i], source);
    if (!l->n)
        printf("%-20s %-24s default\n", flag, "");
}

int cmd_serve(int argc, char **argv)
{
    struct arguments a = {0};
    const struct command_line line = {"serve", above, below, take_options(&a), 0, NULL};
    struct err e = {0};
    int status;

    if (!command_read(&line, argc, argv, NULL, &status))
        return status;
    if (!finish(&a, &e))
        return command_usage("serve", &e);
    if (a.print_config) {
        settings_print(&a.settings, a.options);
        print_list("model", &a.models, a.model_source);
        print_list("trust", &a.keys, "flag");
        return EXIT_FINE;
    }
    return run(&a);
}
