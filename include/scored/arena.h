/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed as a whole. A model's arena owns everything the model is made of. Not for
 * scoring, which allocates nothing: its memory is laid out when the model is loaded.
 */
#ifndef SCORED_ARENA_H
#define SCORED_ARENA_H

#include <stdalign.h>
#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks;
    size_t total; /* bytes asked of the system */
};

/* {0} is an empty arena. Frees all; the arena is empty again. */
void arena_done(struct arena *a);

/* Zeroed memory for n items, or NULL (also where n * size overflows). n = 0 gives a valid pointer.
 * Pages of large items come into being when they are used. */
void *arena_alloc(struct arena *a, size_t n, size_t size, size_t align);
#define arena_new(a, type, n) ((type *)arena_alloc((a), (n), sizeof(type), alignof(type)))

/* A copy of n bytes, with a NUL behind them. */
char *arena_copy(struct arena *a, const char *p, size_t n);

#endif
