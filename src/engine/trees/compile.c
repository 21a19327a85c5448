/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From blocks to nodes (walk.c), in one pass over the trees in the order of their bytes: each node
 * is checked where it is copied, and the memory of what is behind the pass is given back, so that a
 * load never holds much more than the blocks themselves.
 */
#include "blocks.h"
#include "tiles.h"

#include "scored/bounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum node_kind { LEAF, SPLIT, SET_LEFT, SET_RIGHT };

enum {
    NODE_CATEGORIES = 63,   /* of a set within a node, whose last bit is for what is no category */
    RELEASE_NODES = 1 << 20 /* what is given back at a time */
};

/* -- categories -- */

static bool read_categories(const struct json *map, uint32_t n_features,
                            struct forest_category *out, struct err *e)
{
    struct json_iter it = {0};

    while (json_next(map, &it)) {
        uint64_t feature = 0;
        const char *key = it.value.key;
        for (; *key >= '0' && *key <= '9' && feature <= BOUND_FEATURES; key++)
            feature = feature * 10 + (uint64_t)(*key - '0');
        if (*key || key == it.value.key || feature >= n_features)
            return json_fail(&it.value, e, "the key must be the index of a feature");
        out[it.n - 1].feature = (uint32_t)feature;
        if (!json_as_u32(&it.value, INT32_MAX, &out[it.n - 1].count, e))
            return false;
    }
    return true;
}

/* Those whose sets fit into nodes go first. */
static uint32_t sort_categories(struct forest_category *c, uint32_t n)
{
    uint32_t narrow = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (c[i].count > NODE_CATEGORIES)
            continue;
        struct forest_category swap = c[narrow];
        c[narrow++] = c[i];
        c[i] = swap;
    }
    return narrow;
}

/* numCategories as an array by slot, and as a table from feature to slot. */
static bool load_categories(struct load *l, struct forest *x, struct bits_dict *out, struct err *e)
{
    struct json map;

    if (!json_get_object(&l->params, "numCategories", &map, e))
        return false;
    uint32_t n = json_size(&map);
    struct forest_category *categories = load_new(l, struct forest_category, n);
    uint64_t *features = load_new(l, uint64_t, n);
    uint32_t *slots = load_new(l, uint32_t, n);
    if (!features || !slots || !categories)
        return err_memory(e);
    if (!read_categories(&map, x->n_features, categories, e))
        return false;
    x->categories = categories;
    x->n_categories = n;
    x->category_slot = FEATURE_SLOT + x->n_features;
    x->wide_slot = x->category_slot + sort_categories(categories, n);
    for (uint32_t i = 0; i < n; i++) {
        features[i] = categories[i].feature;
        slots[i] = x->category_slot + i;
    }
    return bits_dict_build(out, features, slots, n, l->arena) || err_memory(e);
}

/* -- the pass -- */

/* A right child that is yet to come. */
struct due {
    uint32_t right, at, depth; /* in the tree, in the nodes */
};

struct compile {
    struct forest *x;
    struct forest_blocks b;
    struct bits_dict slots; /* by feature */
    uint32_t n_leaves;
    struct forest_node *nodes;
    uint64_t *words;
    uint32_t *root, *steps, *first_leaf;
    uint32_t *counts; /* by set: the categories of its feature; 0 where none was seen */
    struct due *due;
};

static bool fail_node(struct err *e, uint32_t tree, uint32_t node, const char *what)
{
    return err_set(e, ERR_BAD_BUNDLE, "forest: tree %u, node %u: %s", (unsigned)tree,
                   (unsigned)node, what);
}

static uint32_t members_of(const uint8_t *bits, uint32_t bytes)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bits + i, bytes - i < 8 ? bytes - i : 8);
        n += (uint32_t)__builtin_popcountll(word);
    }
    return n;
}

/* A set has the size of its feature's categories, no spare bit, and the side that its kind demands.
 */
static const char *check_set(struct compile *c, uint32_t node, uint32_t n)
{
    uint32_t set = c->b.set[node], from = c->b.set_offset[set],
             bytes = c->b.set_offset[set + 1] - from;
    const uint8_t *bits = c->b.set_bits + from;

    if (bytes != (n + 7) / 8)
        return "the set has not one bit a category";
    if (n % 8 && bits[bytes - 1] >> n % 8)
        return "a spare bit of the set is not 0";
    uint32_t members = members_of(bits, bytes);
    uint32_t left = c->b.kind[node] == SET_LEFT ? members : n - members;
    if ((left <= n / 2) != (c->b.kind[node] == SET_LEFT))
        return "the set is not the side that the kind demands";
    if (c->counts[set] && c->counts[set] != n)
        return "the set is used by features of different counts";
    c->counts[set] = n;
    return NULL;
}

/* Where a wide set's words begin: a set of b bytes has less than b / 8 + 1 words. */
static uint64_t words_of(const struct compile *c, uint32_t set)
{
    return c->b.set_offset[set] / 8 + (uint64_t)set;
}

static uint64_t set_test(struct compile *c, uint32_t node, const struct forest_category *category)
{
    uint32_t set = c->b.set[node], from = c->b.set_offset[set], n = category->count;
    bool left = c->b.kind[node] == SET_LEFT;
    uint64_t members = 0;

    if (n > NODE_CATEGORIES) {
        memcpy(&c->words[words_of(c, set)], c->b.set_bits + from, c->b.set_offset[set + 1] - from);
        return words_of(c, set) << 1 | left;
    }
    memcpy(&members, c->b.set_bits + from, c->b.set_offset[set + 1] - from);
    uint64_t all = (UINT64_C(2) << n) - 1;
    return left ? ~members & all : members;
}

/* NULL, or what is wrong. */
static const char *compile_set(struct compile *c, uint32_t node, struct forest_node *out)
{
    if (c->b.threshold[node] != 0)
        return "a categorical split has a threshold";
    if (c->b.set[node] >= c->b.n_sets)
        return "the set does not exist";
    int64_t slot = bits_dict_find(&c->slots, c->b.feature[node]);
    if (slot == DICT_NONE)
        return "the feature is not in numCategories";
    const struct forest_category *category = &c->x->categories[slot - c->x->category_slot];
    const char *what = check_set(c, node, category->count);
    if (!what) {
        out->slot = (uint32_t)slot;
        out->test = set_test(c, node, category);
    }
    return what;
}

static const char *compile_split(struct compile *c, uint32_t node, struct forest_node *out)
{
    if (c->b.kind[node] > SET_RIGHT)
        return "the kind is not 0, 1, 2 or 3";
    if (c->b.feature[node] >= c->x->n_features)
        return "the feature is not below numFeatures";
    if (c->b.kind[node] != SPLIT)
        return compile_set(c, node, out);
    double threshold = c->b.threshold[node];
    int64_t order = isnan(threshold) ? INT64_MIN : forest_order(threshold); /* all go right */
    out->slot = FEATURE_SLOT + c->b.feature[node];
    out->test = (uint64_t)order;
    return c->b.set[node] ? "a continuous split has a set" : NULL;
}

static const char *compile_leaf(struct compile *c, uint32_t node, uint32_t at)
{
    struct forest *x = c->x;
    uint32_t leaf = c->n_leaves++;

    c->nodes[at] = (struct forest_node){.test = leaf, .slot = LEAF_SLOT, .child = at - 1};
    if (x->prediction)
        x->prediction[leaf] = c->b.prediction[node];
    if (x->stats)
        memcpy(forest_stats(x, leaf), c->b.stats + (size_t)node * x->n_stats,
               x->n_stats * sizeof(double));
    return c->b.feature[node] || c->b.threshold[node] != 0 || c->b.right[node] || c->b.set[node]
               ? "a leaf has a feature, threshold, right child or set"
               : NULL;
}

/* A tree in pre-order: after an inner node comes its left child; after a leaf comes the right child
 * that is due, the last one announced; when none is due the tree is over. */
static bool compile_tree(struct compile *c, uint32_t t, struct err *e)
{
    uint32_t from = c->b.tree_offset[t], n = c->b.tree_offset[t + 1] - from;
    uint32_t at = c->root[t], next = at + 1, end = at + n, depth = 0, n_due = 0;

    for (uint32_t i = 0; i < n; i++) {
        bool leaf = c->b.kind[from + i] == LEAF;
        const char *what =
            leaf ? compile_leaf(c, from + i, at) : compile_split(c, from + i, &c->nodes[at]);
        if (what)
            return fail_node(e, t, i, what);
        if (leaf && !n_due)
            return i + 1 == n || fail_node(e, t, i + 1, "no node has this child");
        if (leaf) {
            const struct due *right = &c->due[--n_due];
            if (right->right != i + 1)
                return fail_node(e, t, i + 1, "the node is not the child that is due in pre-order");
            at = right->at;
            depth = right->depth;
            continue;
        }
        if (c->b.right[from + i] <= i + 1 || c->b.right[from + i] >= n)
            return fail_node(e, t, i, "the right child is not behind the left one in the tree");
        if (end - next < 2)
            return fail_node(e, t, i, "the tree has not enough nodes for the children");
        c->nodes[at].child = next;
        depth++;
        c->due[n_due++] = (struct due){c->b.right[from + i], next + 1, depth};
        if (depth > c->steps[t / FOREST_GROUP])
            c->steps[t / FOREST_GROUP] = depth;
        at = next;
        next += 2;
    }
    return fail_node(e, t, n - 1, "the tree ends in a node that is no leaf");
}

static bool compile_trees(struct compile *c, struct err *e)
{
    uint32_t released = 0;

    for (uint32_t t = 0; t < c->x->n_trees; t++) {
        c->first_leaf[t] = c->n_leaves;
        if (!compile_tree(c, t, e))
            return false;
        uint32_t end = c->b.tree_offset[t + 1];
        if (end - released < RELEASE_NODES)
            continue;
        forest_blocks_release(&c->b, released, end);
        released = end;
    }
    return true;
}

/* -- loading -- */

/* Roots at odd places, so that siblings share a cache line. */
static bool place_trees(struct compile *c, struct load *l)
{
    uint32_t n_trees = c->b.n_trees, at = 1, largest = 0;

    c->root = load_new(l, uint32_t, n_trees);
    c->first_leaf = load_new(l, uint32_t, n_trees);
    c->steps = load_new(l, uint32_t, (n_trees + FOREST_GROUP - 1) / FOREST_GROUP);
    if (!c->root || !c->first_leaf || !c->steps)
        return false;
    for (uint32_t t = 0; t < n_trees; t++) {
        uint32_t n = c->b.tree_offset[t + 1] - c->b.tree_offset[t];
        c->root[t] = at;
        largest = n > largest ? n : largest;
        at = (at + n) | 1;
    }
    c->nodes = arena_alloc(l->arena, at, sizeof *c->nodes, 64);
    c->due = malloc((largest / 2 + 1) * sizeof *c->due);
    return c->nodes && c->due;
}

static bool place_leaves(struct compile *c, struct load *l, unsigned keep)
{
    struct forest *x = c->x;
    size_t most = ((size_t)c->b.n_nodes + c->b.n_trees) / 2;

    if (keep & KEEP_PREDICTION)
        x->prediction = load_new(l, double, most);
    else
        block_release(c->b.blocks[PREDICTION], 0, UINT64_MAX);
    if (keep & KEEP_STATS)
        x->stats = load_new(l, double, most * x->n_stats);
    else
        block_release(c->b.blocks[STATS], 0, UINT64_MAX);
    return (x->prediction || !(keep & KEEP_PREDICTION)) && (x->stats || !(keep & KEEP_STATS));
}

static bool place_sets(struct compile *c, struct load *l)
{
    bool wide = c->x->wide_slot < c->x->category_slot + c->x->n_categories;

    if (wide)
        c->words = load_new(l, uint64_t, c->b.n_set_bytes / 8 + c->b.n_sets + 1);
    c->counts = calloc((size_t)c->b.n_sets + 1, sizeof *c->counts);
    return c->counts && (c->words || !wide);
}

static bool compile(struct load *l, struct compile *c, unsigned keep, struct err *e)
{
    struct forest *x = c->x;

    if (!load_categories(l, x, &c->slots, e))
        return false;
    if (!place_trees(c, l) || !place_leaves(c, l, keep) || !place_sets(c, l))
        return err_memory(e);
    if (!compile_trees(c, e))
        return false;
    x->n_leaves = c->n_leaves;
    x->nodes = c->nodes;
    x->root = c->root;
    x->steps = c->steps;
    x->first_leaf = c->first_leaf;
    x->words = c->words;
    x->stumps = c->b.n_nodes == c->b.n_trees;
    for (unsigned i = 0; i < FOREST_FIELDS; i++)
        if (i != TREE_WEIGHT)
            block_release(c->b.blocks[i], 0, UINT64_MAX);
    return true;
}

bool forest_load(struct load *l, const struct forest_need *need, struct forest *x,
                 struct made m[OUTPUTS_MAX], struct err *e)
{
    struct compile c = {.x = x};

    if (!forest_blocks_load(l, need->n_stats, &c.b, e))
        return false;
    x->n_trees = c.b.n_trees;
    x->n_stats = need->n_stats;
    x->tree_weight = c.b.tree_weight;
    if (need->single && x->n_trees != 1)
        return err_set(e, ERR_BAD_BUNDLE, "forest: %u trees, one is needed", (unsigned)x->n_trees);
    bool good = compile(l, &c, need->keep, e);
    free(c.due);
    free(c.counts);
    return good && tiles_build(l, x, e) && forest_add_features(l, x, m, e) &&
           tiles_choose(x, l->plan->kernel, e);
}

const struct param_kind kind_categories = {.name = "categories by feature"};
