/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upper levels of every tree as a tile, of which all nodes are asked at once, by a kernel
 * that the CPU allows (tiles_avx512.c, tiles_avx2.c).
 *
 * A tile has TILE_LEVELS levels as a heap has them: node 1 is the root, 2i and 2i + 1 are the
 * children of node i; below a leaf there is the leaf again. What is right of a node, of all 63,
 * is a bit each; the levels below a tile, where there are any, are walked (walk.c).
 *
 * Nodes compare bytes. The thresholds that the tiles have for a feature are few (Spark fits at most
 * maxBins - 1, of 32 by default): how many of them the row's value is above is its rank, and a node
 * goes right iff the rank is above the threshold's place. That is exact for every value, NaN and
 * -0.0 too, because values are compared by the integers of forest_order. A rank is a lane of the
 * row; a feature of more thresholds than a byte counts has several.
 *
 * A set of categories is no comparison. For every tree, feature and category there is a mask of the
 * nodes that then go right: it is added to what was compared. Masks of a group's trees lie side by
 * side.
 */
#ifndef SCORED_TILES_H
#define SCORED_TILES_H

#include "forest.h"

enum {
    TILE_LEVELS = 6,
    TILE_NODES = 1 << TILE_LEVELS,
    TILE_LANES = 128, /* in two registers */
    LANE_THRESHOLDS = 255,
    LANE_BLOCK = 8 /* thresholds that are compared at once */
};

struct tile {
    _Alignas(64) uint8_t lane[TILE_NODES]; /* by node */
    uint8_t above[TILE_NODES];
    uint32_t exit[TILE_NODES]; /* by way out: the leaf's number, or, in a group with a tree that is
                                  deeper than a tile, the node */
};

struct tile_lane {
    uint32_t slot;     /* whose key is ranked */
    uint32_t n_blocks; /* of thresholds; the last one is filled up with what no key is above */
    const int64_t *thresholds;
};

/* What a slot of categories says in a group of trees. */
struct tile_set {
    uint32_t slot;
    uint64_t (*right)[FOREST_GROUP]; /* by category */
};

struct tiles {
    const struct tile *tile; /* by tree */
    const struct tile_lane *lanes;
    uint32_t n_lanes;
    uint32_t *first_set; /* by group, and the end; NULL: there are no categories */
    struct tile_set *sets;
};

/* Makes the tiles of a compiled forest where this CPU has a kernel for them and their lanes are not
 * too many; else leaves x->tiles NULL. False: no memory. */
bool tiles_build(struct load *l, struct forest *x, struct err *e);

/* Keeps the tiles, with the kernel that asks them, if they are the faster way as measured here, or
 * forced by `kernel`; a kernel that this CPU has not is none. */
bool tiles_choose(struct forest *x, enum plan_kernel kernel, struct err *e);

struct tile_kernel {
    enum plan_kernel is;
    bool (*works)(void); /* on this CPU: all else may be called only then */
    /* Ranks a row's keys. */
    void (*rank)(const struct tiles *x, const struct forest_row *row);
    /* Where rows leave the tiles of trees [t, t + n), n at most FOREST_GROUP. */
    void (*exits)(const struct forest *x, uint32_t t, uint32_t n, const struct forest_row *row,
                  uint32_t exit[FOREST_GROUP]);
};

extern const struct tile_kernel tiles_avx512, tiles_avx2;
/* Those of this build, the i-th, or NULL. */
const struct tile_kernel *tiles_kernel(unsigned i);

#endif
