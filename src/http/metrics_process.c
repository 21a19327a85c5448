/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of the process and of what it shares out. */
#include "metrics_text.h"
#include "tls.h"

#include "scored/log.h"
#include "scored/sandbox.h"
#include "scored/version.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

struct statm {
    double virtual, resident; /* bytes */
};

static struct statm memory_of(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return (struct statm){0};
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
    if (fscanf(f, "%19llu %19llu", &size, &resident) != 2)
        size = resident = 0;
    fclose(f);
    double page = (double)sysconf(_SC_PAGESIZE);
    return (struct statm){(double)size * page, (double)resident * page};
}

static double open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    double n = -3; /* two that are no file, and the folder's own */

    while (d && readdir(d)) /* NOLINT(concurrency-mt-unsafe): the folder is this thread's */
        n++;
    if (d)
        closedir(d);
    return d ? n : 0;
}

static double most_files(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) ? 0 : (double)limit.rlim_cur;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void put_events(const struct text_of *t)
{
    static const struct {
        const char *name, *help;
    } events[] = {
#define X(id, name, help) {"scored_" name, help},
        EVENTS(X)
#undef X
    };

    for (unsigned e = 0; e < EVENT_COUNT; e++) {
        uint64_t n = 0;
        for (unsigned i = 0; i < t->m->n_threads; i++)
            n += metrics_get(&t->m->threads[i].events[e]);
        put_counter(t, events[e].name, events[e].help, (double)n);
    }
}

/* What is used of what there is. */
static void put_use(const struct text_of *t)
{
    struct app *app = t->app;

    put_gauge(t, "scored_connections", "Connections that are open.",
              atomic_load(&app->connections));
    put_gauge(t, "scored_connections_max", "Connections that may be open.",
              atomic_load(&app->most_connections));
    put_gauge(t, "scored_requests_waiting", "Long requests that wait for a turn.",
              atomic_load(&app->queue.waiting));
    put_gauge(t, "scored_requests_waiting_max", "Long requests that may wait.", app->queue.most);
    put_gauge(t, "scored_request_memory_bytes", "Memory of connections, bodies and replies.",
              (double)atomic_load(&app->budget.used));
    put_gauge(t, "scored_request_memory_max_bytes", "Memory that they may take.",
              (double)atomic_load(&app->budget.limit));
}

static void put_handshakes(const struct text_of *t)
{
    static const char *const labels[] = {
#define X(id, label) label,
        HANDSHAKES(X)
#undef X
    };

    put_family(t, "scored_tls_handshakes", "counter", "How TLS handshakes have ended.");
    for (unsigned h = 0; h < HANDSHAKE_COUNT; h++) {
        put_label(t, "scored_tls_handshakes_total{outcome", labels[h]);
        put_value(t, tls_counted(t->app->tls, h));
    }
}

static void put_tls(const struct text_of *t)
{
    struct tls *tls = t->app->tls;

    if (!tls)
        return;
    put_handshakes(t);
    put_gauge(t, "scored_tls_certificate_expiry_timestamp_seconds",
              "When the certificate that new connections get expires.", (double)tls_expires(tls));
    put_counter(t, "scored_tls_certificate_reloads",
                "Times that its files had changed and were taken.",
                (double)tls_replaced(tls, true));
    put_counter(t, "scored_tls_certificate_reload_errors",
                "Times that they were wrong, and those before stayed.",
                (double)tls_replaced(tls, false));
}

/* Those that clients of Prometheus have, by its names. */
static void put_standard(const struct text_of *t)
{
    struct statm memory = memory_of();
    struct rusage used;

    if (!getrusage(RUSAGE_SELF, &used))
        put_counter(t, "process_cpu_seconds", "Processor time of the process.",
                    seconds(used.ru_utime) + seconds(used.ru_stime));
    put_gauge(t, "process_start_time_seconds", "When the server started, since 1970.",
              (double)t->m->started_ms / 1e3);
    put_gauge(t, "process_resident_memory_bytes", "Memory of the process.", memory.resident);
    put_gauge(t, "process_virtual_memory_bytes", "Address space of the process.", memory.virtual);
    put_gauge(t, "process_open_fds", "Files and sockets that are open.", open_files());
    put_gauge(t, "process_max_fds", "Files and sockets that may be open.", most_files());
}

/* Of who may ask; without a file of tokens there are none of these. */
static void put_tokens(const struct text_of *t)
{
    struct tokens *tokens = t->app->tokens;

    if (!tokens)
        return;
    put_gauge(t, "scored_tokens", "Tokens that are known.", tokens_count(tokens));
    put_gauge(t, "scored_tokens_read_timestamp_seconds", "When they were read, since 1970.",
              (double)tokens_read_ms(tokens) / 1e3);
    put_counter(t, "scored_tokens_failures",
                "Files of tokens that were not taken: those known before stay.",
                (double)tokens_failures(tokens));
}

static void put_sandbox(const struct text_of *t)
{
    static const char *const walls[] = {"seccomp", "landlock"};

    put_family(t, "scored_sandbox", "gauge", "Whether a wall of the sandbox holds.");
    for (size_t i = 0; i < countof(walls); i++) {
        put_label(t, "scored_sandbox{wall", walls[i]);
        put_value(t, strstr(sandbox_holds(), walls[i]) != NULL);
    }
}

static void put_process(const struct text_of *t)
{
    put_counter(t, "scored_log_lines_dropped", "Lines of the log that nobody read in time.",
                (double)log_dropped());
    put_counter(t, "scored_access_log_lines_dropped",
                "Lines of the access log that were not read in time, or by nobody.",
                (double)access_log_dropped(t->app->access_log));
    put_counter(t, "scored_spans_sent", "Spans that their collector has taken.",
                (double)spans_sent(t->app->spans));
    put_counter(t, "scored_spans_dropped", "Spans that it has not, or not in time.",
                (double)spans_dropped(t->app->spans));
    put_gauge(t, "scored_workers", "Threads that score.", t->app->workers);
    put_gauge(t, "scored_credentials_expiry_timestamp_seconds",
              "When the credentials for S3 expire; 0: never, or none are used.",
              (double)registry_credentials_expiry(t->app->registry) / 1e3);
    put_sandbox(t);
    put_family(t, "scored_build_info", "gauge", "What runs: always 1.");
    put_label(t, "scored_build_info{version", scored_version);
    put_label(t, ",commit", scored_commit);
    put_label(t, ",libmicrohttpd", t->app->library);
    put_value(t, 1);
}

void put_process_metrics(const struct text_of *t)
{
    put_use(t);
    put_events(t);
    put_tokens(t);
    put_process(t);
    put_tls(t);
    put_standard(t);
}
