/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-only tables from bytes, or from 64-bit patterns, to an index. Open addressing at a load of
 * at most one half; a look-up compares a fingerprint first and the key only on a hit. Keys are
 * borrowed.
 */
#ifndef SCORED_DICT_H
#define SCORED_DICT_H

#include "scored/arena.h"
#include "scored/hash.h"

#include <stdbool.h>
#include <stdint.h>

enum { DICT_NONE = -1 };

struct text {
    const char *p; /* not NUL-terminated */
    uint32_t len;
};

struct dict_entry;
struct dict {
    struct dict_entry *entries;
    const struct text *keys;
    uint64_t seed;
    uint32_t mask;
};

/* Of equal keys the last one wins. The keys must live as long as the table. false: out of memory.
 */
bool dict_build(struct dict *d, const struct text *keys, uint32_t n, struct arena *a);

/* Bytes that a table of n keys takes, the keys themselves not counted. */
uint64_t dict_size(uint64_t n);
uint64_t bits_dict_size(uint64_t n);

/* The key's index, or DICT_NONE. */
int64_t dict_find(const struct dict *d, const char *p, size_t n);

struct bits_dict_entry;
struct bits_dict {
    struct bits_dict_entry *entries;
    uint32_t mask;
};

/* From keys[i] to values[i]; of equal keys the last one wins. */
bool bits_dict_build(struct bits_dict *d, const uint64_t *keys, const uint32_t *values, uint32_t n,
                     struct arena *a);
int64_t bits_dict_find(const struct bits_dict *d, uint64_t key);

#endif
