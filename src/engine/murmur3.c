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

static uint32_t with_word(uint32_t hash, uint32_t word)
{
    return rotate(hash ^ spread(word), 13) * 5 + 0xe6546b64U;
}

void murmur3_add(struct murmur3 *m, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->word |= (uint32_t)(unsigned char)p[i] << (m->n & 3) * 8;
        if ((++m->n & 3) == 0) {
            m->hash = with_word(m->hash, m->word);
            m->word = 0;
        }
    }
}

static int32_t finish(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    h ^= h >> 16;
    return (int32_t)h;
}

int32_t murmur3_end(struct murmur3 m)
{
    return finish(m.hash ^ spread(m.word) ^ m.n);
}

int32_t murmur3_end_old(struct murmur3 m)
{
    for (unsigned i = 0; i < (m.n & 3); i++)
        m.hash = with_word(m.hash, (uint32_t)(int32_t)(int8_t)(m.word >> 8 * i & 0xff));
    return finish(m.hash ^ m.n);
}
