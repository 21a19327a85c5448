/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_bench URI: loads a model as the daemon does, its golden rows replayed, and prints as JSON
 * how long that took and what memory it took. It does so twice and prints the second time: memory
 * that a virtual machine has not used for a while comes slowly from its host.
 */
#include "scored/model.h"
#include "scored/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A line of /proc/self/status, in bytes. */
static unsigned long long memory(const char *key)
{
    char line[256];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, key, strlen(key)) == 0)
            kib = strtoull(line + strlen(key), NULL, 10);
    if (f)
        fclose(f);
    return kib << 10;
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A source's own fetch, and the time spent in it. */
static bool (*real_fetch)(void *, const struct source_request *, struct source_file *,
                          struct err *);
static double in_fetch, cpu_in_fetch;

static bool timed_fetch(void *context, const struct source_request *r, struct source_file *f,
                        struct err *e)
{
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    bool ok = real_fetch(context, r, f, e);

    in_fetch += seconds(CLOCK_MONOTONIC) - start;
    cpu_in_fetch += seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return ok;
}

static struct model *load(const char *uri, struct err *e)
{
    static const struct model_options options = {
        .workers = 1, .scratch = 16 << 20, .frame_rows = FRAME_ROWS, .verify = true};
    struct source *s = source_open(uri, NULL, e);

    if (!s)
        return NULL;
    real_fetch = s->fetch;
    s->fetch = timed_fetch;
    in_fetch = cpu_in_fetch = 0;
    struct model *m = model_load(s, &options, e);
    source_free(s);
    return m;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    struct model *first = argc == 2 ? load(argv[1], &e) : NULL;

    model_release(first);
    double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    struct model *m = first ? load(argv[1], &e) : NULL;
    if (!m) {
        fprintf(stderr, "load_bench: %s\n", argc == 2 ? e.msg : "one URI is needed");
        return 1;
    }
    printf("{\"seconds\":%.4f,\"cpu\":%.4f,\"fetch\":%.4f,\"fetch_cpu\":%.4f,\"rss\":%llu,\"peak\":"
           "%llu,\"blocks\":%llu,"
           "\"scratch\":%zu,\"golden\":%u}\n",
           seconds(CLOCK_MONOTONIC) - start, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, in_fetch,
           cpu_in_fetch, memory("VmRSS:"), memory("VmHWM:"),
           (unsigned long long)m->bundle->files[ROLE_BLOCKS].size, m->plan.frame_size,
           (unsigned)m->coverage.rows);
    model_release(m);
    return 0;
}
