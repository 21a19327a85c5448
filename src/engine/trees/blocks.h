/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a forest (FORMAT.md 4), checked as arrays; what is in nodes is not checked yet. */
#ifndef SCORED_FOREST_BLOCKS_H
#define SCORED_FOREST_BLOCKS_H

#include "../engine_priv.h"

enum forest_field {
    TREE_OFFSET,
    TREE_WEIGHT,
    KIND,
    FEATURE,
    THRESHOLD,
    RIGHT,
    SET,
    PREDICTION,
    STATS,
    SET_OFFSET,
    SET_BITS,
    FOREST_FIELDS
};

struct forest_blocks {
    const struct block *blocks[FOREST_FIELDS];
    uint32_t n_trees, n_nodes, n_sets;
    uint64_t n_set_bytes;
    const uint32_t *tree_offset, *feature, *right, *set, *set_offset;
    const double *tree_weight, *threshold, *prediction, *stats;
    const uint8_t *kind, *set_bits;
};

/* n_stats: the columns that `stats` must have. */
bool forest_blocks_load(struct load *l, uint32_t n_stats, struct forest_blocks *out, struct err *e);

/* Gives back the memory of what nodes [from, to) are made of. */
void forest_blocks_release(const struct forest_blocks *b, uint32_t from, uint32_t to);

#endif
