/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of requests that are a little wrong, the same for the same number. */
#ifndef SCORED_MUTATE_H
#define SCORED_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MUTANT_BYTES = 12 * 1024 };

struct seeds {
    char *data;
    const char **begin;
    size_t *size, n;
};

/* A file of seeds: each a line with its size in decimal, and its bytes. */
bool seeds_read(struct seeds *s, const char *path);

uint64_t random_next(uint64_t *state);

/* Changes the bytes once, in place; there are `cap`. Returns how many they are then. */
size_t mutate_once(char *p, size_t n, size_t cap, const struct seeds *s, uint64_t *random);

/* Stream `number`: some seeds, changed some times. */
size_t mutant(char *out, const struct seeds *s, uint64_t number);

#endif
