/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines that score rows of doubles, side by side: ours, in this process by its library, and
 * others by the C interfaces of theirs, each by its fastest path, on one thread.
 */
#ifndef SCORED_BENCH_ENGINES_H
#define SCORED_BENCH_ENGINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FEATURES = 30 };

/* What engines read: each in the form that it likes best, made before anything is timed. */
struct rows {
    const double *f64; /* FEATURES a row */
    const float *f32;
    unsigned n;
};

struct engine {
    const char *name, *path; /* path: of the interface, for people */
    const char *library;     /* of the model it scores; NULL: any */
    const char *file;        /* of the library, below Python's packages; NULL: linked */
    /* Loads the model of a directory. NULL: there is no such engine on this CPU. */
    void *(*open)(const struct engine *e, const char *packages, const char *directory,
                  const struct rows *rows);
    /* Answers rows [from, from + n) into out. */
    bool (*score)(void *state, unsigned from, unsigned n, double *out);
    void (*close)(void *state);
    int kernel; /* of ours */
};

extern const struct engine engine_walk, engine_avx2, engine_avx512;
extern const struct engine engine_lightgbm, engine_xgboost, engine_xgboost_matrix;

/* Ends the program with a message. */
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Opens a peer's library, and finds a function of it, a pointer to which is at *function. */
void *peer_library(const struct engine *e, const char *packages);
void peer_function(void *library, const char *name, void *function);

/* Room for n things of a size, zeroed. */
void *room(size_t n, size_t size);

#endif
