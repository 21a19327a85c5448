/* SPDX-License-Identifier: Apache-2.0 */
#include "murmur3.h"

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static uint32_t spread(uint32_t word)
{
    return rotate(word * 0xcc9e2d51U, 15) * 0x1b873593U;
}

void murmur3_add(struct murmur3 *m, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->word |= (uint32_t)(unsigned char)p[i] << (m->n & 3) * 8;
        if ((++m->n & 3) == 0) {
            m->hash = rotate(m->hash ^ spread(m->word), 13) * 5 + 0xe6546b64U;
            m->word = 0;
        }
    }
}

int32_t murmur3_end(struct murmur3 m)
{
    uint32_t h = m.hash ^ spread(m.word) ^ m.n;

    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    h ^= h >> 16;
    return (int32_t)h;
}
