/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles by AVX-512 VBMI; used only where the CPU has it.
 *
 * A walk of one tree is a chain: the next node is known when the last one has been asked. Here no
 * node waits for another. The lanes of the row lie in a register (two, where they are more than
 * 64), a byte each. One instruction (vpermb) takes to every node of a tile the lane that it asks
 * for, a second one compares all with the nodes' places, and a bit of the mask says for every node
 * where it goes, whether the row comes by or not. These two do not depend on any other tree.
 *
 * What is left is to follow the bits: i = 2 i + (mask >> i & 1), from 1, as often as there are
 * levels, which are shifts in registers, of eight trees in one. Then i - 64 is the way out.
 *
 * So a tree of at most six levels costs the same whatever its shape and whatever the row: the load
 * of 128 bytes, two instructions, an eighth of 6 times 4, and the load of the exit.
 */
#include "tiles.h"

#include <immintrin.h>

enum { TREES_A_REGISTER = 8 };

static bool works(void)
{
    return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static void rank(const struct tiles *x, const struct forest_row *row)
{
    for (uint32_t k = 0; k < x->n_lanes; k++) {
        const struct tile_lane *lane = &x->lanes[k];
        __m512i key = _mm512_set1_epi64(row->keys[lane->slot]);
        unsigned below = 0;
        for (uint32_t b = 0; b < lane->n_blocks; b++) {
            __m512i some = _mm512_loadu_si512(&lane->thresholds[(size_t)b * LANE_BLOCK]);
            below += (unsigned)__builtin_popcount(_mm512_cmplt_epi64_mask(some, key));
        }
        row->ranks[k] = (uint8_t)below;
    }
}

/* `two` is a constant where this is compiled. */
static inline void compare(const struct tile *tile, uint32_t n, const uint8_t *ranks, bool two,
                           uint64_t right[FOREST_GROUP])
{
    __m512i low = _mm512_loadu_si512(ranks), high = _mm512_loadu_si512(ranks + 64);

    for (uint32_t k = 0; k < n; k++) {
        __m512i lane = _mm512_load_si512(tile[k].lane);
        __m512i found =
            two ? _mm512_permutex2var_epi8(low, lane, high) : _mm512_permutexvar_epi8(lane, low);
        right[k] = _mm512_cmpgt_epu8_mask(found, _mm512_load_si512(tile[k].above));
    }
}

static void look_up_sets(const struct tiles *x, uint32_t group, uint32_t n, const uint32_t *shifts,
                         uint64_t right[FOREST_GROUP])
{
    const struct tile_set *set = &x->sets[x->first_set[group]],
                          *end = &x->sets[x->first_set[group + 1]];

    for (; set < end; set++) {
        const uint64_t *more = set->right[shifts[set->slot] ^ 63];
        for (uint32_t k = 0; k < n; k += TREES_A_REGISTER) {
            __m512i both =
                _mm512_or_si512(_mm512_loadu_si512(&right[k]), _mm512_load_si512(&more[k]));
            _mm512_storeu_si512(&right[k], both);
        }
    }
}

static void follow(const struct tile *tile, uint32_t n, const uint64_t right[FOREST_GROUP],
                   uint32_t exit[FOREST_GROUP])
{
    const __m512i one = _mm512_set1_epi64(1);
    uint64_t out[FOREST_GROUP];

    for (uint32_t k = 0; k < n; k += TREES_A_REGISTER) {
        __m512i mask = _mm512_loadu_si512(&right[k]), i = one;
        for (unsigned level = 0; level < TILE_LEVELS; level++) {
            __m512i bit = _mm512_and_si512(_mm512_srlv_epi64(mask, i), one);
            i = _mm512_add_epi64(_mm512_add_epi64(i, i), bit);
        }
        _mm512_storeu_si512(&out[k], i);
    }
    for (uint32_t k = 0; k < n; k++)
        exit[k] = tile[k].exit[out[k] - TILE_NODES];
}

static void exits(const struct forest *x, uint32_t t, uint32_t n, const struct forest_row *row,
                  uint32_t exit[FOREST_GROUP])
{
    const struct tiles *tiles = x->tiles;
    const struct tile *tile = &tiles->tile[t];
    uint64_t right[FOREST_GROUP];

    for (uint32_t k = n & ~(TREES_A_REGISTER - 1U); k < FOREST_GROUP; k++)
        right[k] = 0; /* what is behind the last tree is followed too */
    if (tiles->n_lanes > 64)
        compare(tile, n, row->ranks, true, right);
    else
        compare(tile, n, row->ranks, false, right);
    if (tiles->first_set)
        look_up_sets(tiles, t / FOREST_GROUP, n, row->shifts, right);
    follow(tile, n, right, exit);
}

const struct tile_kernel tiles_avx512 = {
    .is = KERNEL_AVX512, .works = works, .rank = rank, .exits = exits};
