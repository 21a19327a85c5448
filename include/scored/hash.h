/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes of 64 bits, by 128-bit products that are folded: fast, and in line where rows are scored.
 * Not for what others may choose to collide. */
#ifndef SCORED_HASH_H
#define SCORED_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_load8(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t hash_load4(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* 128-bit products, folded. */
static inline uint64_t hash_bytes(const char *p, size_t n, uint64_t seed)
{
    const uint64_t odd2 = 0xc2b2ae3d27d4eb4fU, odd3 = 0x165667b19e3779f9U;
    uint64_t a = 0, b = 0, h = seed ^ 0x9e3779b97f4a7c15U;

    if (n > 16) {
        for (size_t left = n; left > 16; left -= 16, p += 16)
            h = hash_fold(hash_load8(p) ^ odd2, hash_load8(p + 8) ^ h);
        size_t rest = (n - 1) % 16 + 1;
        a = hash_load8(p + rest - 16);
        b = hash_load8(p + rest - 8);
    } else if (n >= 8) {
        a = hash_load8(p);
        b = hash_load8(p + n - 8);
    } else if (n >= 4) {
        a = hash_load4(p);
        b = hash_load4(p + n - 4);
    } else if (n) {
        a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[n / 2] << 8 |
            (unsigned char)p[n - 1];
    }
    return hash_fold(a ^ odd2, b ^ h ^ n ^ odd3);
}

static inline uint64_t hash_bits(uint64_t key)
{
    return hash_fold(key ^ 0x9e3779b97f4a7c15U, 0xc2b2ae3d27d4eb4fU);
}

#endif
