/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles by AVX2; used only where the CPU has it.
 *
 * The idea is that of tiles_avx512.c: all 63 nodes of a tile are asked at once, and what they say
 * is a mask of 64 bits. Here a register has 32 bytes, so half a tile, and the instruction that
 * takes a byte from a register by its number (vpshufb) knows 16 bytes only. A row's lanes are
 * therefore tables of 16, each twice in a register, for both of its halves:
 *
 *   - up to 16 lanes are one table: one vpshufb;
 *   - up to 32 are two: both are asked, and bit 4 of the number says which answer counts;
 *   - more are asked one table after the other. The number less the table's first is from 0 to 15
 *     where the table has it; 0x70 is added then, so that the highest bit, which makes vpshufb
 *     answer 0, is set by every other number: of larger ones because they pass 0x7f, of those
 *     below 0 because they are above 0x8f without a sign, and the addition saturates. The answers
 *     are joined by "or".
 *
 * There is no comparison of bytes without a sign either: the rank less the place, which stops at 0,
 * is 0 where the rank is not above it.
 *
 * Following the bits is as there, of four trees in a register.
 */
#include "tiles.h"

#include <immintrin.h>

enum { TREES_A_REGISTER = 4, TABLE = 16, TABLES = TILE_LANES / TABLE, HALF = 32 };

static bool works(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

static __m256i load(const void *p)
{
    return _mm256_loadu_si256(p);
}

static unsigned below4(const int64_t *thresholds, __m256i key)
{
    __m256i less = _mm256_cmpgt_epi64(key, load(thresholds));

    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(less));
}

static void rank(const struct tiles *x, const struct forest_row *row)
{
    for (uint32_t k = 0; k < x->n_lanes; k++) {
        const struct tile_lane *lane = &x->lanes[k];
        __m256i key = _mm256_set1_epi64x(row->keys[lane->slot]);
        unsigned below = 0;
        for (uint32_t b = 0; b < lane->n_blocks; b++) {
            const int64_t *some = &lane->thresholds[(size_t)b * LANE_BLOCK];
            below += (unsigned)__builtin_popcount(below4(some, key) | below4(some + 4, key) << 4);
        }
        row->ranks[k] = (uint8_t)below;
    }
}

/* The ranks of the lanes that 32 nodes name; n is a constant where this is compiled. */
static inline __m256i look_up(const __m256i table[TABLES], uint32_t n, __m256i lane)
{
    if (n == 1)
        return _mm256_shuffle_epi8(table[0], lane);
    if (n == 2)
        return _mm256_blendv_epi8(_mm256_shuffle_epi8(table[0], lane),
                                  _mm256_shuffle_epi8(table[1], lane), _mm256_slli_epi16(lane, 3));
    __m256i all = _mm256_setzero_si256();
    for (uint32_t t = 0; t < n; t++) {
        __m256i at = _mm256_sub_epi8(lane, _mm256_set1_epi8((char)(t * TABLE)));
        at = _mm256_adds_epu8(at, _mm256_set1_epi8(0x70));
        all = _mm256_or_si256(all, _mm256_shuffle_epi8(table[t], at));
    }
    return all;
}

/* A bit for each of 32 nodes: 1 where its lane's rank is above its place. */
static inline uint32_t ask(const __m256i table[TABLES], uint32_t n, const uint8_t *lane,
                           const uint8_t *above)
{
    __m256i more = _mm256_subs_epu8(look_up(table, n, load(lane)), load(above));

    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(more, _mm256_setzero_si256()));
}

static inline void compare(const struct tile *tile, uint32_t n, const uint8_t *ranks,
                           uint32_t n_tables, uint64_t right[FOREST_GROUP])
{
    __m256i table[TABLES];

    for (uint32_t t = 0; t < n_tables; t++)
        table[t] = _mm256_broadcastsi128_si256(
            _mm_loadu_si128((const __m128i *)(const void *)(ranks + (size_t)t * TABLE)));
    for (uint32_t k = 0; k < n; k++)
        right[k] = ask(table, n_tables, tile[k].lane, tile[k].above) |
                   (uint64_t)ask(table, n_tables, tile[k].lane + HALF, tile[k].above + HALF)
                       << HALF;
}

static void look_up_sets(const struct tiles *x, uint32_t group, uint32_t n, const uint32_t *shifts,
                         uint64_t right[FOREST_GROUP])
{
    const struct tile_set *set = &x->sets[x->first_set[group]],
                          *end = &x->sets[x->first_set[group + 1]];

    for (; set < end; set++) {
        const uint64_t *more = set->right[shifts[set->slot] ^ 63];
        for (uint32_t k = 0; k < n; k++)
            right[k] |= more[k];
    }
}

static void follow(const struct tile *tile, uint32_t n, const uint64_t right[FOREST_GROUP],
                   uint32_t exit[FOREST_GROUP])
{
    const __m256i one = _mm256_set1_epi64x(1);
    uint64_t out[FOREST_GROUP];

    for (uint32_t k = 0; k < n; k += TREES_A_REGISTER) {
        __m256i mask = load(&right[k]), i = one;
        for (unsigned level = 0; level < TILE_LEVELS; level++) {
            __m256i bit = _mm256_and_si256(_mm256_srlv_epi64(mask, i), one);
            i = _mm256_add_epi64(_mm256_add_epi64(i, i), bit);
        }
        _mm256_storeu_si256((__m256i *)(void *)&out[k], i);
    }
    for (uint32_t k = 0; k < n; k++)
        exit[k] = tile[k].exit[out[k] - TILE_NODES];
}

static void exits(const struct forest *x, uint32_t t, uint32_t n, const struct forest_row *row,
                  uint32_t exit[FOREST_GROUP])
{
    const struct tiles *tiles = x->tiles;
    const struct tile *tile = &tiles->tile[t];
    uint32_t n_tables = (tiles->n_lanes + TABLE - 1) / TABLE;
    uint64_t right[FOREST_GROUP];

    for (uint32_t k = n & ~(TREES_A_REGISTER - 1U); k < FOREST_GROUP; k++)
        right[k] = 0; /* what is behind the last tree is followed too */
    if (n_tables <= 1)
        compare(tile, n, row->ranks, 1, right);
    else if (n_tables == 2)
        compare(tile, n, row->ranks, 2, right);
    else
        compare(tile, n, row->ranks, n_tables, right);
    if (tiles->first_set)
        look_up_sets(tiles, t / FOREST_GROUP, n, row->shifts, right);
    follow(tile, n, right, exit);
}

const struct tile_kernel tiles_avx2 = {
    .is = KERNEL_AVX2, .works = works, .rank = rank, .exits = exits};
