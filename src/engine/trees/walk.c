/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking trees without branches.
 *
 * A walk that branches at every node guesses at every node, and half of the guesses are wrong: the
 * processor then throws away some twenty cycles of work, which is most of what a tree costs. Here a
 * step is arithmetic. Siblings lie side by side, so it is
 *
 *     at = child + right
 *
 * where `right` is 0 or 1, a comparison's result that is added and never jumped on. All nodes make
 * the same comparison, of integers:
 *
 *     right = (test << shift) < key
 *
 * The node brings `test`, the row brings `shift` and `key`, in the slot that the node names. A
 * row's slots are made once for all trees (forest_put_slots):
 *
 *   - one for all leaves. Its key is above every test, so that a leaf says "right"; and a leaf's
 *     child is the node in front of it: it steps to itself. Hence all trees can take the same
 *     number of steps, that of the deepest, and nothing is left to guess. The test is the leaf's
 *     place among all leaves.
 *   - one for every feature, for continuous splits. The key is an integer that is ordered as the
 *     value is (forest_order), the test is that of the threshold, nothing is shifted. "Right" is
 *     !(value <= threshold), which NaN is too, as in Spark: its key is above all.
 *   - one for every feature that has categories. The test has a bit for every category, 1 where it
 *     goes right, and a last one for what is no category (unseen, a fraction, NaN). The shift is
 *     what brings the category's bit to the sign, and the key is 0: below it is what has the sign.
 *     Where the bits are more than 64, the slot is a wide one: the test is twice the place of the
 *     set's first word in `words`, plus 1 where the set goes left and its bits are flipped; the
 *     shift has 64 more for every word of the set in front of the category's.
 *
 * A step waits for the one before it, some ten cycles for the node, the slot and the comparison.
 * The steps of different trees do not wait for each other: four are walked side by side, one step
 * of each after the other, and the waiting overlaps. Trees come in groups, neighbours in the
 * forest, so that leaves come in the order in which Spark adds them.
 *
 * A vector that is shorter than the model's features, or of a model with too many of them, has no
 * slots: it is walked tree by tree, each slot made where it is asked for; the step is the same.
 */
#include "tiles.h"

#include "scored/java.h"

#include <assert.h>
#include <string.h>

enum {
    ABREAST = 4,     /* trees whose steps wait together: more do not fit into registers */
    STEPS_A_LOOK = 8 /* after so many steps it is worth a look whether all stand still */
};

/* -- slots -- */

/* Spark looks the value up in a set of doubles: it matches iff it equals an integer of the set. */
static uint32_t category_of(double value, uint32_t count)
{
    if (!(value >= 0 && value < count))
        return count;
    uint32_t c = (uint32_t)j_d2i(value);
    return (double)c == value ? c : count;
}

/* 63 less the place in the word, plus 64 for every word. */
static uint32_t category_shift(const struct forest_category *c, double value)
{
    return category_of(value, c->count) ^ 63;
}

void forest_finish_row(const struct forest *x, const struct forest_row *row)
{
    for (uint32_t k = 0; k < x->n_categories; k++) {
        const struct forest_category *c = &x->categories[k];
        double value = forest_value(row->keys[FEATURE_SLOT + c->feature]);
        row->shifts[x->category_slot + k] = category_shift(c, value);
    }
    if (x->tiles)
        x->tile_kernel->rank(x->tiles, row);
}

void forest_put_slots(const struct forest *x, const struct forest_row *row)
{
    const struct vec *v = row->features;

    for (uint32_t k = 0; k < v->n; k++) {
        uint32_t feature = v->sparse ? v->indices[k] : k;
        if (feature >= x->n_features)
            break;
        row->keys[FEATURE_SLOT + feature] = forest_order(v->values[k]);
    }
    forest_finish_row(x, row);
}

/* -- side by side -- */

/* Nodes that trees have come to; those behind the n-th make up a full row of ABREAST. */
struct cursors {
    uint32_t n, at[FOREST_GROUP];
};

static_assert(FOREST_GROUP % ABREAST == 0, "a full group has no room to make up");

static inline void walk(const struct forest *x, const struct forest_row *row, struct cursors *c,
                        uint32_t steps, bool wide)
{
    const int64_t *keys = row->keys;
    const uint32_t *shifts = row->shifts;

    for (uint32_t first = 0; first < c->n; first += ABREAST) {
        uint32_t at[ABREAST]; /* in registers */
        memcpy(at, &c->at[first], sizeof at);
        for (uint32_t s = 0; s < steps; s++) {
#pragma GCC unroll 4
            for (uint32_t k = 0; k < ABREAST; k++) {
                const struct forest_node *n = &x->nodes[at[k]];
                at[k] = n->child + forest_goes_right(x, n, keys[n->slot], shifts[n->slot], wide);
            }
        }
        memcpy(&c->at[first], at, sizeof at);
    }
}

static bool all_in_leaves(const struct forest *x, const struct cursors *c)
{
    uint32_t moving = 0;

    for (uint32_t k = 0; k < c->n; k++)
        moving |= x->nodes[c->at[k]].slot; /* that of leaves is 0 */
    return moving == 0;
}

static void walk_group(const struct forest *x, const struct forest_row *row, struct cursors *c,
                       uint32_t steps)
{
    if (x->words)
        walk(x, row, c, steps, true);
    else
        walk(x, row, c, steps, false);
}

/* -- tree by tree -- */

/* What the slot is, or would be. */
static bool find_slot(const struct forest *x, uint32_t slot, const struct forest_row *row,
                      int64_t *key, uint32_t *shift)
{
    const struct vec *v = row->features;
    const struct forest_category *c =
        slot < x->category_slot ? NULL : &x->categories[slot - x->category_slot];
    uint32_t feature = c ? c->feature : slot - FEATURE_SLOT;

    if (row->keys) {
        *key = row->keys[slot];
        *shift = row->shifts[slot];
        return true;
    }
    if (feature >= v->size)
        return false;
    double value = vec_at(v, feature);
    *key = c ? 0 : forest_order(value);
    *shift = c ? category_shift(c, value) : 0;
    return true;
}

uint32_t forest_leaf(const struct forest *x, uint32_t t, const struct forest_row *row)
{
    const struct forest_node *n = &x->nodes[x->root[t]];

    while (n->slot != LEAF_SLOT) {
        int64_t key;
        uint32_t shift;
        if (!find_slot(x, n->slot, row, &key, &shift))
            return LEAF_NONE;
        n = &x->nodes[n->child + forest_goes_right(x, n, key, shift, x->words)];
    }
    return (uint32_t)n->test;
}

static uint32_t leaves_one_by_one(const struct forest *x, uint32_t t, uint32_t n,
                                  const struct forest_row *row, uint32_t leaf[FOREST_GROUP])
{
    for (uint32_t k = 0; k < n; k++) {
        leaf[k] = forest_leaf(x, t + k, row);
        if (leaf[k] == LEAF_NONE)
            return 0;
    }
    return n;
}

uint32_t forest_leaves(const struct forest *x, uint32_t t, const struct forest_row *row,
                       uint32_t leaf[FOREST_GROUP])
{
    struct cursors c;

    c.n = x->n_trees - t < FOREST_GROUP ? x->n_trees - t : FOREST_GROUP;
    if (!row->keys)
        return leaves_one_by_one(x, t, c.n, row, leaf);
    uint32_t left = x->steps[t / FOREST_GROUP];
    if (x->tiles && left <= TILE_LEVELS) {
        x->tile_kernel->exits(x, t, c.n, row, leaf);
        return c.n;
    }
    if (x->tiles) {
        x->tile_kernel->exits(x, t, c.n, row, c.at);
        left -= TILE_LEVELS;
    } else {
        memcpy(c.at, &x->root[t], c.n * sizeof *c.at);
    }
    for (uint32_t k = c.n; k % ABREAST; k++)
        c.at[k] = c.at[0];
    for (; left > STEPS_A_LOOK && !all_in_leaves(x, &c); left -= STEPS_A_LOOK)
        walk_group(x, row, &c, STEPS_A_LOOK);
    if (left <= STEPS_A_LOOK)
        walk_group(x, row, &c, left);
    for (uint32_t k = 0; k < c.n; k++)
        leaf[k] = (uint32_t)x->nodes[c.at[k]].test;
    return c.n;
}
