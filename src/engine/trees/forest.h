/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A forest as its blocks hold it: structure of arrays, pre-order (FORMAT.md 4). Load proves that
 * every walk ends in a leaf of its tree, so that walking checks only what a row brings. This is the
 * plain walk, and the reference of any faster kernel.
 */
#ifndef SCORED_FOREST_H
#define SCORED_FOREST_H

#include "../engine_priv.h"

#define NODE_NONE UINT32_MAX

struct forest {
    uint32_t n_trees, n_stats, n_features;
    const uint32_t *tree_offset, *feature, *right, *set, *set_offset;
    const double *tree_weight, *threshold, *prediction, *stats;
    const uint8_t *kind, *set_bits;
    bool stumps;                  /* every tree is a leaf: none looks at the vector */
    const uint32_t *leaf_index;   /* by node: of its tree's leaves, counted from the left */
    const uint32_t *n_categories; /* by row of set_offset */
};

/* Loads sNNN.forest.*, params.numFeatures and params.numCategories. n_stats is the columns of
 * `stats`; `single`: there must be one tree. *in is the column of features: it becomes a hidden one
 * of the same vectors, dense and cut to the model's features, so that no walk searches a sparse
 * vector; unless the features are too many to copy. */
bool forest_load(struct load *l, uint32_t n_stats, bool single, struct forest *out, uint16_t *in,
                 struct err *e);

/* The node of tree t's leaf for a vector, or NODE_NONE where the walk asks for a feature that it
 * has not. */
uint32_t forest_leaf(const struct forest *x, uint32_t t, const struct vec *v);

/* Makes a column of the first tree's predictions. */
unit_run forest_run_prediction;

/* Null vectors fail, unless no tree looks at them. Returns the other rows. */
uint64_t forest_rows(const struct forest *x, const struct unit *u, struct frame *f, uint64_t rows);

/* The row fails: its vector is too short for a tree. */
void forest_fail(const struct unit *u, struct frame *f, unsigned row);

static inline const double *forest_stats(const struct forest *x, uint32_t node)
{
    return x->stats + (size_t)node * x->n_stats;
}

/* Adds the column of leaf indexes, if it is asked for: a double of a single tree, else a dense
 * vector. */
bool forest_load_leaf_column(struct load *l, const struct forest *x, const uint16_t *in,
                             bool single, struct err *e);

#endif
