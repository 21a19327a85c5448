/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's hash of texts: MurmurHash3 of 32 bits over their bytes, which may come in pieces. A long
 * or a double is its 8 bytes. */
#ifndef SCORED_MURMUR3_H
#define SCORED_MURMUR3_H

#include <stddef.h>
#include <stdint.h>

struct murmur3 {
    uint32_t hash, word, n; /* word: the last n & 3 bytes */
};

#define MURMUR3_SPARK ((struct murmur3){42, 0, 0}) /* the seed of Spark ML */

void murmur3_add(struct murmur3 *m, const char *p, size_t n);
int32_t murmur3_end(struct murmur3 m);
/* As Spark before 3.0 had it: each of the last bytes is a word of its own, with its sign. */
int32_t murmur3_end_old(struct murmur3 m);

/* A hash as an index below n: Spark's nonNegativeMod. */
static inline uint32_t murmur3_index(int32_t hash, uint32_t n)
{
    int64_t i = (int64_t)hash % (int64_t)n;

    return (uint32_t)(i < 0 ? i + (int64_t)n : i);
}

#endif
