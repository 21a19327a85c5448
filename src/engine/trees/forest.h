/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A forest, compiled from its blocks (FORMAT.md 4) into what walking reads and nothing else. Load
 * proves that every walk ends in a leaf of its tree, so that walking checks only what a row brings.
 * A leaf is named by its place among all leaves of the forest, counted from the left.
 */
#ifndef SCORED_FOREST_H
#define SCORED_FOREST_H

#include "../engine_priv.h"

#include <math.h>
#include <string.h>

#define LEAF_NONE UINT32_MAX /* an enumerator has to be an int */

enum { FOREST_GROUP = 32 }; /* trees whose leaves are found together (walk.c) */

/* See walk.c. */
struct forest_node {
    uint64_t test;
    uint32_t slot, child; /* the left child; the right one is behind it */
};

/* What nodes ask of a row are slots: one for all leaves, one a feature, then one a feature with
 * categories. */
enum { LEAF_SLOT, FEATURE_SLOT };

/* A feature with categorical splits. */
struct forest_category {
    uint32_t feature, count;
};

struct tiles;
struct tile_kernel;

struct forest {
    uint32_t n_trees, n_leaves, n_stats, n_features;
    const struct forest_node *nodes;
    const uint32_t *root;                     /* by tree */
    const uint32_t *steps;                    /* by group of trees: the depth of its deepest */
    const uint32_t *first_leaf;               /* by tree */
    const struct forest_category *categories; /* by slot - category_slot; the wide ones last */
    uint32_t n_categories, category_slot;
    uint32_t wide_slot;        /* the first one whose sets do not fit into a node */
    const uint64_t *words;     /* sets of wide slots; NULL where there are none */
    bool stumps;               /* every tree is a leaf: none looks at the vector */
    uint32_t cell;             /* bytes of a row of the hidden column of slots; 0: there is none */
    const struct tiles *tiles; /* of the trees' upper levels (tiles.h); NULL: all is walked */
    const struct tile_kernel *tile_kernel; /* who asks them; set where there are tiles */
    double *prediction;                    /* by leaf; where it is kept */
    double *stats;                         /* n_stats a leaf; the same */
    const double *tree_weight;
};

enum forest_keep { KEEP_PREDICTION = 1, KEEP_STATS = 2 };

struct forest_need {
    uint32_t n_stats; /* columns of `stats` */
    bool single;      /* there must be one tree */
    unsigned keep;    /* what of the leaves is wanted, of enum forest_keep */
};

/* Rows of a table of params: n_features is of the struct forest in the op's struct. */
#define FOREST_PARAMS(op, n_features)                                   \
    {"numFeatures", PARAM_INT(op, n_features), .high = BOUND_FEATURES}, \
        {"numCategories", .kind = &kind_categories},                    \
    {                                                                   \
        "forest", .kind = &kind_forest                                  \
    }
extern const struct param_kind kind_categories, kind_forest;

/* Loads sNNN.forest.* and params.numCategories; n_features is loaded. What the stage makes is then
 * made from the forest and its features: a hidden column of the rows' slots, unless they are too
 * many. The blocks' memory is given back, but that of tree_weight. */
bool forest_load(struct load *l, const struct forest_need *need, struct forest *x,
                 struct made m[OUTPUTS_MAX], struct err *e);

/* What trees look at: a vector, and its slots, which stand behind this in the hidden column. */
struct forest_row {
    const struct vec *features;
    int64_t *keys; /* NULL: there are no slots */
    uint32_t *shifts;
    uint8_t *ranks; /* where there are tiles */
};

static inline struct forest_row forest_row(const struct forest *x, const struct unit *u,
                                           const struct frame *f, unsigned row)
{
    const struct column *c = &f->columns[u->in[0]];

    if (x->cell)
        return *(const struct forest_row *)(const void *)(c->bytes + (size_t)row * x->cell);
    return (struct forest_row){.features = &c->vec[row]};
}

/* A step: 1 to the right, 0 to the left, as walk.c says. `wide` is a constant where kernels are
 * compiled. What is chosen is computed, both ways, and masked: compilers make branches of "?:". */
static inline uint32_t forest_goes_right(const struct forest *x, const struct forest_node *n,
                                         int64_t key, uint32_t shift, bool wide)
{
    uint64_t test = n->test;

    if (wide) {
        uint64_t mask = -(uint64_t)(n->slot >= x->wide_slot);
        uint64_t word = x->words[((test >> 1) + shift / 64) & mask];
        test ^= (test ^ word ^ -(test & 1)) & mask;
    }
    return (int64_t)(test << shift % 64) < key;
}

/* The leaf of tree t for a row, or LEAF_NONE where the walk asks for a feature that it has not.
 */
uint32_t forest_leaf(const struct forest *x, uint32_t t, const struct forest_row *row);

/* The leaves of tree t and those behind it, t a multiple of FOREST_GROUP: at most FOREST_GROUP.
 * Returns how many, or 0 where a walk asks for a feature that the vector has not. */
uint32_t forest_leaves(const struct forest *x, uint32_t t, const struct forest_row *row,
                       uint32_t leaf[FOREST_GROUP]);

/* Takes the leaf of tree t. */
typedef void forest_take(const struct forest *x, uint32_t t, uint32_t leaf, double *to);

/* Has the leaves of a vector taken, tree by tree: Spark adds in this order. False where a walk asks
 * for a feature that the vector has not; some may be taken by then. */
static inline bool forest_each(const struct forest *x, const struct forest_row *row,
                               forest_take *take, double *to)
{
    for (uint32_t t = 0, n; t < x->n_trees; t += n) {
        uint32_t leaf[FOREST_GROUP];
        n = forest_leaves(x, t, row, leaf);
        if (!n)
            return false;
        for (uint32_t k = 0; k < n; k++)
            take(x, t + k, leaf[k], to);
    }
    return true;
}

/* Makes the hidden column of rows' slots from features; its params are the struct forest. */
unit_run forest_run_slots;

/* Whether rows have slots: not where trees ask nothing, or for too many features. */
bool forest_has_slots(const struct forest *x);
/* A cell with the slots of a row of zeros: its features are to be put into the keys; then what is
 * made of them, categories and ranks. */
struct forest_row *forest_begin_row(const struct forest *x, void *cell);
struct forest_row *forest_new_slots(const struct forest *x, struct frame *f, unsigned column,
                                    unsigned row);
void forest_finish_row(const struct forest *x, const struct forest_row *row);
/* Puts both, of a vector that has all features. */
void forest_put_slots(const struct forest *x, const struct forest_row *row);

/* An integer that is ordered as the value: -0.0 is 0.0, and NaN is above all. */
static inline int64_t forest_order(double value)
{
    double positive = value + 0.0; /* -0.0 becomes 0.0 */
    int64_t bits;

    memcpy(&bits, &positive, sizeof bits);
    bits ^= -(int64_t)(bits < 0) & INT64_MAX;
    return isnan(value) ? INT64_MAX : bits;
}

/* The value so ordered: a zero without its sign, a NaN without its bits. */
static inline double forest_value(int64_t order)
{
    double value;

    order ^= -(int64_t)(order < 0) & INT64_MAX;
    memcpy(&value, &order, sizeof value);
    return value;
}

/* Make a column of the first tree's predictions; of leaf indexes, a double of a single tree, else a
 * dense vector. */
unit_run forest_run_prediction, forest_run_leaf, forest_run_leaves;
#define LEAF_PORT                                                      \
    {                                                                  \
        "leafCol", IS_DOUBLE, .optional = true, .run = forest_run_leaf \
    }
#define LEAVES_PORT                                                      \
    {                                                                    \
        "leafCol", IS_VECTOR, .optional = true, .run = forest_run_leaves \
    }

/* Null vectors fail, unless no tree looks at them. Returns the other rows. */
uint64_t forest_rows(const struct forest *x, const struct unit *u, struct frame *f, uint64_t rows);

/* The row fails: its vector is too short for a tree. */
void forest_fail(const struct forest *x, const struct unit *u, struct frame *f, unsigned row);

static inline double *forest_stats(const struct forest *x, uint32_t leaf)
{
    return x->stats + (size_t)leaf * x->n_stats;
}

/* Adds the hidden column, if there is to be one, and sets the columns' inputs; part of forest_load.
 */
bool forest_add_features(struct load *l, struct forest *x, struct made m[OUTPUTS_MAX],
                         struct err *e);

#endif
