/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engines_bench [--json FILE] PACKAGES MODEL ...: nanoseconds a row of each engine, one thread, on
 * the models that models.py made; PACKAGES is the folder that Python's packages are in.
 *
 * Rows are answered in batches of 1, 8, 64 and 1,000: first all of them, not timed, then in rounds.
 * In a round all engines take the same slice of rows, one after the other, in the next one the
 * slice behind it: a row comes back when all others were there. Time is that of the process's
 * threads, so that a peer's helpers count, and what else runs on the machine does not. Every answer
 * is compared, bit by bit, with those that a walk gave in models.py.
 */
#include "engines.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { SLICE = 256, TIMED = 20000, ROUNDS = 100, ENGINES = 8 };

static const unsigned batches[] = {1, 8, 64, 1000};
static const struct engine *const engines[] = {
    &engine_walk,           &engine_avx2, &engine_avx512, &engine_lightgbm, &engine_xgboost,
    &engine_xgboost_matrix, NULL};

/* One engine on one model. */
struct entrant {
    const struct engine *engine;
    void *state;
    const double *want; /* by row */
    double *out;
    double ns[ROUNDS]; /* a row */
};

struct contest {
    const char *name; /* of the model */
    struct rows rows;
    double *f64, *ours, *peer;
    float *f32;
    struct entrant entrants[ENGINES];
    unsigned n, n_ours;
    FILE *json;
    unsigned written; /* lines of it */
};

void fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fputs("engines_bench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    exit(2);
}

void *room(size_t n, size_t size)
{
    void *p = calloc(n, size);

    if (!p)
        fail("no memory");
    return p;
}

void *peer_library(const struct engine *e, const char *packages)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", packages, e->file);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        fail("%s", dlerror());
    return library;
}

void peer_function(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);

    if (!found)
        fail("%s", dlerror());
    memcpy(function, &found, sizeof found);
}

/* -- what there is of a model -- */

static double *read_doubles(const char *directory, const char *name, size_t *n)
{
    char path[1024];
    struct stat about;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &about))
        fail("%s cannot be read", path);
    *n = (size_t)about.st_size / sizeof(double);
    double *values = room(*n, sizeof *values);
    if (fread(values, sizeof *values, *n, f) != *n)
        fail("%s cannot be read", path);
    fclose(f);
    return values;
}

static void read_rows(struct contest *c, const char *directory)
{
    size_t n, n_ours, n_peer;

    c->f64 = read_doubles(directory, "rows.f64", &n);
    c->ours = read_doubles(directory, "ours.f64", &n_ours);
    c->peer = read_doubles(directory, "peer.f64", &n_peer);
    if (n != n_ours * FEATURES || n_ours != n_peer || n_ours < TIMED)
        fail("%s: the files have different numbers of rows, or too few", directory);
    c->f32 = room(n, sizeof *c->f32);
    for (size_t i = 0; i < n; i++)
        c->f32[i] = (float)c->f64[i];
    c->rows = (struct rows){c->f64, c->f32, (unsigned)n_ours};
}

/* The model is of the library that its name begins with. */
static void open_engines(struct contest *c, const char *packages, const char *directory)
{
    for (unsigned i = 0; engines[i]; i++) {
        const struct engine *e = engines[i];
        if (e->library && strncmp(c->name, e->library, strlen(e->library)) != 0)
            continue;
        void *state = e->open(e, packages, directory, &c->rows);
        if (!state)
            continue;
        c->entrants[c->n++] = (struct entrant){.engine = e,
                                               .state = state,
                                               .want = e->library ? c->peer : c->ours,
                                               .out = room(c->rows.n, sizeof(double))};
        c->n_ours += !e->library;
    }
}

static void close_all(struct contest *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        c->entrants[i].engine->close(c->entrants[i].state);
        free(c->entrants[i].out);
    }
    free(c->f64);
    free(c->f32);
    free(c->ours);
    free(c->peer);
}

/* -- running -- */

/* Rows of a round: a whole batch at least. */
static unsigned slice_of(unsigned batch)
{
    return batch < SLICE ? SLICE : batch;
}

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void answer(struct entrant *e, unsigned from, unsigned end, unsigned batch)
{
    for (unsigned n; from < end; from += n) {
        n = end - from < batch ? end - from : batch;
        if (!e->engine->score(e->state, from, n, e->out + from))
            fail("%s does not answer", e->engine->name);
    }
}

static unsigned count_wrong(const struct entrant *e, unsigned n)
{
    unsigned wrong = 0;

    for (unsigned r = 0; r < n; r++)
        wrong += memcmp(&e->out[r], &e->want[r], sizeof(double)) != 0;
    return wrong;
}

static void warm_up(struct contest *c, unsigned batch)
{
    unsigned slice = slice_of(batch);

    for (unsigned i = 0; i < c->n; i++)
        for (unsigned from = 0; from < c->rows.n; from += slice) {
            unsigned end = c->rows.n - from < slice ? c->rows.n : from + slice;
            answer(&c->entrants[i], from, end, batch);
        }
}

static void run_rounds(struct contest *c, unsigned batch)
{
    unsigned slice = slice_of(batch), slices = TIMED / slice;

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned from = round % slices * slice;
        for (unsigned i = 0; i < c->n; i++) {
            struct entrant *e = &c->entrants[(i + round) % c->n];
            uint64_t start = cpu_ns();
            answer(e, from, from + slice, batch);
            e->ns[round] = (double)(cpu_ns() - start) / slice;
        }
    }
}

/* -- telling -- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct entrant *e)
{
    return e->ns[ROUNDS / 2];
}

static double best(const struct entrant *e, unsigned n)
{
    double least = median(e);

    for (unsigned i = 1; i < n; i++)
        least = median(&e[i]) < least ? median(&e[i]) : least;
    return least;
}

static void print_line(struct contest *c, const struct entrant *e, unsigned batch, unsigned wrong)
{
    double low = e->ns[0], high = e->ns[ROUNDS - 1 - ROUNDS / 100];

    printf("%-18s %5u  %-16s %9.0f %9.0f %9.0f   %u of %u rows differ\n", c->name, batch,
           e->engine->name, low, median(e), high, wrong, c->rows.n);
    if (c->json)
        fprintf(c->json,
                "%s\n{\"model\":\"%s\",\"batch\":%u,\"engine\":\"%s\",\"path\":\"%s\","
                "\"min\":%.1f,\"median\":%.1f,\"p99\":%.1f,\"rows\":%u,\"differ\":%u}",
                c->written++ ? "," : "", c->name, batch, e->engine->name, e->engine->path, low,
                median(e), high, c->rows.n, wrong);
}

/* False where an answer is wrong. */
static bool bench_batch(struct contest *c, unsigned batch)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < c->n; i++)
        memset(c->entrants[i].out, 0, c->rows.n * sizeof(double));
    warm_up(c, batch);
    run_rounds(c, batch);
    for (unsigned i = 0; i < c->n; i++) {
        struct entrant *e = &c->entrants[i];
        unsigned differ = count_wrong(e, c->rows.n);
        qsort(e->ns, ROUNDS, sizeof *e->ns, compare);
        print_line(c, e, batch, differ);
        wrong += differ;
    }
    printf("%-18s %5u  the best of others takes %.2f times as long as the best of ours\n", c->name,
           batch, best(&c->entrants[c->n_ours], c->n - c->n_ours) / best(c->entrants, c->n_ours));
    fflush(stdout);
    return !wrong;
}

static bool bench_model(const char *packages, const char *directory, FILE *json, unsigned *written)
{
    const char *slash = strrchr(directory, '/');
    struct contest c = {.name = slash ? slash + 1 : directory, .json = json, .written = *written};
    bool good = true;

    read_rows(&c, directory);
    open_engines(&c, packages, directory);
    for (unsigned i = 0; i < sizeof batches / sizeof *batches; i++)
        good = bench_batch(&c, batches[i]) && good;
    close_all(&c);
    *written = c.written;
    return good;
}

int main(int argc, char **argv)
{
    FILE *json = NULL;
    unsigned written = 0;
    bool good = true;

    if (argc > 2 && strcmp(argv[1], "--json") == 0) {
        json = fopen(argv[2], "w");
        if (!json)
            fail("%s cannot be written", argv[2]);
        fputc('[', json);
        argv += 2;
        argc -= 2;
    }
    if (argc < 3)
        fail("usage: engines_bench [--json FILE] PACKAGES MODEL ...");
    setenv("OMP_NUM_THREADS", "1", 1); /* whatever else a peer may take it from */
    printf("%-18s %5s  %-16s %9s %9s %9s   ns a row, of %d rounds\n", "model", "batch", "engine",
           "least", "median", "p99", ROUNDS);
    for (int i = 2; i < argc; i++)
        good = bench_model(argv[1], argv[i], json, &written) && good;
    if (json && (fputs("\n]\n", json) < 0 || fclose(json)))
        fail("the JSON cannot be written");
    return !good;
}
