/* SPDX-License-Identifier: Apache-2.0 */
/* From nodes to tiles, and whether they pay; what they are stands in tiles.h. */
#include "tiles.h"

#include "scored/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    CACHE_LINE = 64,
    TREES_MAX = 1 << 12,
    MASKS_MAX = 1 << 20,   /* all trees' categories */
    NEVER = UINT8_MAX,     /* the place of a threshold that no rank is above */
    TRIAL_STEPS = 1 << 13, /* trees that are asked in one timed round, over rows */
    TRIAL_ROWS = 16,
    TRIAL_ROUNDS = 5
};

static const struct tile_kernel *const kernels[] = {&tiles_avx512, &tiles_avx2, NULL};

const struct tile_kernel *tiles_kernel(unsigned i)
{
    return kernels[i];
}

static const struct tile_kernel *working(enum plan_kernel which)
{
    for (unsigned i = 0; kernels[i]; i++)
        if ((which == KERNEL_AUTO || which == kernels[i]->is) && kernels[i]->works())
            return kernels[i];
    return NULL;
}

/* A node of a tile that compares. */
struct split {
    int64_t threshold;
    uint32_t slot, tree, at; /* at: in the tile */
};

struct build {
    struct load *l;
    struct forest *x;
    struct tile *tile;
    struct split *splits;
    uint32_t n_splits;
    uint32_t (*nodes)[2 * TILE_NODES]; /* of the forest, by tree and place in the tile */
    uint32_t n_sets;
    uint64_t masks;
    struct tiles *tiles;
};

static bool splits_features(const struct forest *x, const struct forest_node *n)
{
    return n->slot >= FEATURE_SLOT && n->slot < x->category_slot;
}

/* -- shapes -- */

static void place_nodes(struct build *b, uint32_t t)
{
    const struct forest *x = b->x;
    uint32_t *nodes = b->nodes[t];

    nodes[1] = x->root[t];
    for (uint32_t i = 1; i < TILE_NODES; i++) {
        const struct forest_node *n = &x->nodes[nodes[i]];
        bool leaf = n->slot == LEAF_SLOT;
        nodes[(size_t)2 * i] = leaf ? nodes[i] : n->child;
        nodes[(size_t)2 * i + 1] = leaf ? nodes[i] : n->child + 1;
        b->tile[t].above[i] = NEVER;
        if (splits_features(x, n))
            b->splits[b->n_splits++] = (struct split){(int64_t)n->test, n->slot, t, i};
    }
}

static void place_exits(struct build *b, uint32_t t)
{
    const struct forest *x = b->x;
    bool deeper = x->steps[t / FOREST_GROUP] > TILE_LEVELS;

    for (uint32_t i = 0; i < TILE_NODES; i++) {
        uint32_t node = b->nodes[t][TILE_NODES + i];
        b->tile[t].exit[i] = deeper ? node : (uint32_t)x->nodes[node].test;
    }
}

/* -- lanes -- */

static int by_slot_and_threshold(const void *a, const void *b)
{
    const struct split *x = a, *y = b;

    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return (x->threshold > y->threshold) - (x->threshold < y->threshold);
}

/* One lane, from the splits at *from on; moves it behind them. False where there is no memory. */
static bool make_lane(struct build *b, uint32_t *from, uint32_t k, struct tile_lane *lane)
{
    int64_t thresholds[LANE_THRESHOLDS];
    const struct split *s = &b->splits[*from], *end = &b->splits[b->n_splits];
    uint32_t slot = s->slot, n = 0;

    for (; s < end && s->slot == slot; s++) {
        if (!n || thresholds[n - 1] != s->threshold) {
            if (n == LANE_THRESHOLDS)
                break;
            thresholds[n++] = s->threshold;
        }
        b->tile[s->tree].lane[s->at] = (uint8_t)k;
        b->tile[s->tree].above[s->at] = (uint8_t)(n - 1);
    }
    *from = (uint32_t)(s - b->splits);
    uint32_t n_blocks = (n + LANE_BLOCK - 1) / LANE_BLOCK;
    int64_t *kept = load_new(b->l, int64_t, (size_t)n_blocks * LANE_BLOCK);
    if (!kept)
        return false;
    for (uint32_t i = 0; i < n_blocks * LANE_BLOCK; i++)
        kept[i] = i < n ? thresholds[i] : INT64_MAX;
    *lane = (struct tile_lane){slot, n_blocks, kept};
    return true;
}

/* *fit: whether they are enough. */
static bool make_lanes(struct build *b, bool *fit)
{
    struct tile_lane *lanes = load_new(b->l, struct tile_lane, TILE_LANES);
    uint32_t n = 0, from = 0;

    if (!lanes)
        return false;
    qsort(b->splits, b->n_splits, sizeof *b->splits, by_slot_and_threshold);
    while (from < b->n_splits && n < TILE_LANES) {
        if (!make_lane(b, &from, n, &lanes[n]))
            return false;
        n++;
    }
    *fit = from == b->n_splits;
    b->tiles->lanes = lanes;
    b->tiles->n_lanes = n;
    return true;
}

/* -- sets -- */

static uint32_t groups_of(const struct forest *x)
{
    return (x->n_trees + FOREST_GROUP - 1) / FOREST_GROUP;
}

static uint32_t end_of(const struct forest *x, uint32_t group)
{
    uint32_t end = (group + 1) * FOREST_GROUP;

    return end < x->n_trees ? end : x->n_trees;
}

static bool group_asks(const struct build *b, uint32_t group, uint32_t slot)
{
    for (uint32_t t = group * FOREST_GROUP; t < end_of(b->x, group); t++)
        for (uint32_t i = 1; i < TILE_NODES; i++)
            if (b->x->nodes[b->nodes[t][i]].slot == slot)
                return true;
    return false;
}

static uint64_t right_of(const struct build *b, uint32_t t, uint32_t slot, uint32_t category)
{
    const struct forest *x = b->x;
    uint64_t right = 0;

    for (uint32_t i = 1; i < TILE_NODES; i++) {
        const struct forest_node *n = &x->nodes[b->nodes[t][i]];
        if (n->slot == slot && forest_goes_right(x, n, 0, category ^ 63, x->words))
            right |= UINT64_C(1) << i;
    }
    return right;
}

static bool make_set(struct build *b, uint32_t group, uint32_t slot)
{
    const struct forest *x = b->x;
    uint32_t n = x->categories[slot - x->category_slot].count + 1; /* and what is none */
    uint64_t(*right)[FOREST_GROUP];

    b->masks += (uint64_t)n * FOREST_GROUP;
    if (b->masks > MASKS_MAX)
        return true;
    right = arena_alloc(b->l->arena, n, sizeof *right, CACHE_LINE);
    if (!right)
        return false;
    for (uint32_t t = group * FOREST_GROUP; t < end_of(x, group); t++)
        for (uint32_t c = 0; c < n; c++)
            right[c][t % FOREST_GROUP] = right_of(b, t, slot, c);
    b->tiles->sets[b->n_sets++] = (struct tile_set){slot, right};
    return true;
}

static bool make_sets(struct build *b)
{
    const struct forest *x = b->x;
    uint32_t groups = groups_of(x);

    if (!x->n_categories)
        return true;
    b->tiles->first_set = load_new(b->l, uint32_t, (size_t)groups + 1);
    b->tiles->sets = load_new(b->l, struct tile_set, (size_t)groups * x->n_categories);
    if (!b->tiles->first_set || !b->tiles->sets)
        return false;
    for (uint32_t g = 0; g < groups; g++) {
        for (uint32_t k = 0; k < x->n_categories; k++)
            if (group_asks(b, g, x->category_slot + k) && !make_set(b, g, x->category_slot + k))
                return false;
        b->tiles->first_set[g + 1] = b->n_sets;
    }
    return true;
}

/* -- building -- */

static bool make(struct build *b)
{
    struct forest *x = b->x;
    bool fit = false;

    b->tiles = load_new(b->l, struct tiles, 1);
    b->tile = arena_alloc(b->l->arena, x->n_trees, sizeof *b->tile, CACHE_LINE);
    b->nodes = malloc(x->n_trees * sizeof *b->nodes);
    b->splits = malloc(x->n_trees * sizeof *b->splits * (TILE_NODES - 1));
    if (!b->tiles || !b->tile || !b->nodes || !b->splits)
        return false;
    b->tiles->tile = b->tile;
    for (uint32_t t = 0; t < x->n_trees; t++) {
        place_nodes(b, t);
        place_exits(b, t);
    }
    if (!make_lanes(b, &fit) || !make_sets(b))
        return false;
    if (fit && b->masks <= MASKS_MAX)
        x->tiles = b->tiles;
    return true;
}

bool tiles_build(struct load *l, struct forest *x, struct err *e)
{
    struct build b = {.l = l, .x = x};

    x->tile_kernel = working(l->plan->kernel);
    if (!x->tile_kernel || x->stumps || x->n_trees > TREES_MAX || !forest_has_slots(x))
        return true;
    bool good = make(&b);
    free(b.nodes);
    free(b.splits);
    return good || err_memory(e);
}

/* -- choosing -- */

/* A key near one of the thresholds of a lane, and any category. */
static void draw_keys(const struct forest *x, const struct forest_row *row, uint32_t seed)
{
    const struct tiles *tiles = x->tiles;

    for (uint32_t k = 0; k < tiles->n_lanes; k++) {
        const struct tile_lane *lane = &tiles->lanes[k];
        seed = seed * 1664525 + 1013904223;
        row->keys[lane->slot] = lane->thresholds[(seed >> 8) % (lane->n_blocks * LANE_BLOCK)];
    }
    for (uint32_t k = 0; k < x->n_categories; k++) {
        seed = seed * 1664525 + 1013904223;
        row->shifts[x->category_slot + k] = (seed >> 8) % (x->categories[k].count + 1) ^ 63;
    }
}

/* The least of some rounds' times, for a row's ranks and all of its leaves. */
static uint64_t time_rows(const struct forest *x, void *cell, uint32_t n_rows,
                          const struct tiles *drawn)
{
    struct forest drawing = *x;
    uint64_t least = UINT64_MAX;

    drawing.tiles = drawn;
    for (unsigned round = 0; round < TRIAL_ROUNDS; round++) {
        uint64_t spent = 0;
        for (uint32_t r = 0; r < n_rows; r++) {
            struct forest_row *row = forest_begin_row(&drawing, cell);
            draw_keys(&drawing, row, r);
            uint64_t begin = clock_ns();
            if (x->tiles)
                x->tile_kernel->rank(x->tiles, row);
            for (uint32_t t = 0; t < x->n_trees; t += FOREST_GROUP) {
                uint32_t leaf[FOREST_GROUP];
                forest_leaves(x, t, row, leaf);
            }
            spent += clock_ns() - begin;
        }
        least = spent < least ? spent : least;
    }
    return least;
}

/* The fastest of walking and the kernels that work here. */
static void choose(struct forest *x, void *cell)
{
    uint32_t n_rows = TRIAL_STEPS / x->n_trees + 1;
    const struct tiles *tiles = x->tiles;
    struct forest trial = *x;

    n_rows = n_rows < TRIAL_ROWS ? n_rows : TRIAL_ROWS;
    trial.tiles = x->tiles = NULL;
    uint64_t least = time_rows(&trial, cell, n_rows, tiles);
    trial.tiles = tiles;
    for (unsigned i = 0; kernels[i]; i++) {
        trial.tile_kernel = kernels[i];
        uint64_t took = kernels[i]->works() ? time_rows(&trial, cell, n_rows, tiles) : UINT64_MAX;
        if (took > least)
            continue;
        least = took;
        x->tiles = tiles;
        x->tile_kernel = kernels[i];
    }
}

bool tiles_choose(struct forest *x, enum plan_kernel kernel, struct err *e)
{
    if (!x->tiles || kernel != KERNEL_AUTO)
        return true;
    void *cell = malloc(x->cell);
    if (!cell)
        return err_memory(e);
    choose(x, cell);
    free(cell);
    return true;
}
