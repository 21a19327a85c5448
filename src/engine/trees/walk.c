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
 * where `right` is 0 or 1, a comparison's result that is added and never jumped on. A leaf's child
 * is the node in front of it, and its test says "right" to every value: it steps to itself. Hence
 * all trees can take the same number of steps, that of the deepest, and nothing is left to guess.
 *
 * A step waits for the one before it, some fifteen cycles for the node, the value and the
 * comparison. The steps of different trees do not wait for each other: a group of trees is walked
 * side by side, one step of each tree after the other, and the waiting overlaps. Groups are
 * neighbours in the forest, so leaves come in the order in which Spark adds them.
 *
 * A node is 16 bytes:
 *
 *   slot   which value of the row is tested. Slots below n_features are features, for continuous
 *          splits. Behind them each feature that has categories owns a slot for its category, as an
 *          integer. What is no category (unseen, a fraction, NaN) is the integer behind the last.
 *   test   of a continuous split the bits of its threshold; "right" is !(value <= threshold), which
 *          NaN is too, as in Spark. Of a categorical split a bit for every category, 1 where it
 *          goes right, and a last one for what is no category. Where these are more than 64, the
 *          slot is a wide one: test is twice the place of the set's first word in `words`, plus 1
 *          where the set goes left: then bits are flipped. Of a leaf a NaN, so that no value is
 *          below it, whose lower half is the leaf's place among all leaves.
 *   child  the left child; the right one is behind it.
 *
 * The values lie in a dense array of a row's slots, made once a row (forest_put_categories). A
 * vector that is shorter than the model's features, or of a model with too many to copy, is walked
 * tree by tree with every look checked (forest_leaf); the step is the same.
 */
#include "forest.h"

#include "scored/java.h"

#include <string.h>

enum { STEPS_A_LOOK = 8 }; /* after so many steps it is worth a look whether all stand still */

static inline double as_double(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof d);
    return d;
}

static inline uint64_t as_bits(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* Spark looks the value up in a set of doubles: it matches iff it equals an integer of the set. */
static inline uint64_t category_of(double value, uint32_t count)
{
    if (!(value >= 0 && value < count))
        return count;
    uint32_t c = (uint32_t)j_d2i(value);
    return (double)c == value ? c : count;
}

void forest_put_categories(const struct forest *x, double *values)
{
    for (uint32_t k = 0; k < x->n_categories; k++) {
        const struct forest_category *c = &x->categories[k];
        values[x->n_features + k] = as_double(category_of(values[c->feature], c->count));
    }
}

/* Which splits the forest has; a constant where the kernels are compiled. What is chosen between is
 * computed, both ways, and masked: compilers make branches of "?:". */
enum splits { CONTINUOUS, NARROW, WIDE };

static inline uint32_t goes_right(const struct forest *x, const struct forest_node *n, double value,
                                  enum splits splits)
{
    uint32_t above = !(value <= as_double(n->test));
    if (splits == CONTINUOUS)
        return above;
    uint64_t category = as_bits(value), bits = n->test;
    if (splits == WIDE) {
        uint64_t wide = -(uint64_t)(n->slot >= x->wide_slot);
        uint64_t word = x->words[((n->test >> 1) + (category >> 6)) & wide];
        bits ^= (bits ^ word ^ -(n->test & 1)) & wide;
    }
    uint32_t member = (uint32_t)(bits >> (category & 63)); /* its lowest bit, as of all below */
    uint32_t categorical = n->slot >= x->n_features;
    return above ^ ((above ^ member) & categorical);
}

/* -- side by side -- */

/* Trees under way. */
struct cursors {
    uint32_t n, at[FOREST_GROUP];
};

static inline void walk(const struct forest *forest, const double *row, struct cursors *c,
                        uint32_t steps, enum splits splits)
{
    const struct forest x = *forest; /* a copy stays in registers: no write can change it */
    uint32_t n_trees = c->n;

    for (uint32_t s = 0; s < steps; s++) {
#pragma GCC unroll 4
        for (uint32_t k = 0; k < n_trees; k++) {
            const struct forest_node *n = &x.nodes[c->at[k]];
            c->at[k] = n->child + goes_right(&x, n, row[n->slot], splits);
        }
    }
}

static bool all_in_leaves(const struct forest *x, const struct cursors *c)
{
    uint32_t moving = 0;

    for (uint32_t k = 0; k < c->n; k++)
        moving |= (x->nodes[c->at[k]].child + 1) ^ c->at[k];
    return moving == 0;
}

static void walk_group(const struct forest *x, const double *row, struct cursors *c, uint32_t steps)
{
    if (!x->n_categories)
        walk(x, row, c, steps, CONTINUOUS);
    else if (x->wide_slot == x->n_features + x->n_categories)
        walk(x, row, c, steps, NARROW);
    else
        walk(x, row, c, steps, WIDE);
}

/* -- checked -- */

static bool slot_value(const struct forest *x, uint32_t slot, const struct vec *v, double *value)
{
    const struct forest_category *c =
        slot < x->n_features ? NULL : &x->categories[slot - x->n_features];
    uint32_t feature = c ? c->feature : slot;

    if (feature >= v->size)
        return false;
    *value = vec_at(v, feature);
    if (c)
        *value = as_double(category_of(*value, c->count));
    return true;
}

uint32_t forest_leaf(const struct forest *x, uint32_t t, const struct vec *v)
{
    uint32_t at = x->root[t];
    double value;

    while (x->nodes[at].child + 1 != at) {
        const struct forest_node *n = &x->nodes[at];
        if (!slot_value(x, n->slot, v, &value))
            return LEAF_NONE;
        at = n->child + goes_right(x, n, value, x->words ? WIDE : NARROW);
    }
    return (uint32_t)x->nodes[at].test;
}

static uint32_t leaves_checked(const struct forest *x, uint32_t t, uint32_t n, const struct vec *v,
                               uint32_t leaf[FOREST_GROUP])
{
    for (uint32_t k = 0; k < n; k++) {
        leaf[k] = forest_leaf(x, t + k, v);
        if (leaf[k] == LEAF_NONE)
            return 0;
    }
    return n;
}

uint32_t forest_leaves(const struct forest *x, uint32_t t, const struct vec *v,
                       uint32_t leaf[FOREST_GROUP])
{
    struct cursors c = {.n = x->n_trees - t < FOREST_GROUP ? x->n_trees - t : FOREST_GROUP};

    if (!x->slots || v->size < x->n_features)
        return leaves_checked(x, t, c.n, v, leaf);
    memcpy(c.at, &x->root[t], c.n * sizeof *c.at);
    uint32_t left = x->steps[t / FOREST_GROUP];
    for (; left > STEPS_A_LOOK && !all_in_leaves(x, &c); left -= STEPS_A_LOOK)
        walk_group(x, v->values, &c, STEPS_A_LOOK);
    if (left <= STEPS_A_LOOK)
        walk_group(x, v->values, &c, left);
    for (uint32_t k = 0; k < c.n; k++)
        leaf[k] = (uint32_t)x->nodes[c.at[k]].test;
    return c.n;
}
