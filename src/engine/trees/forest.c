/* SPDX-License-Identifier: Apache-2.0 */
#include "forest.h"

#include "scored/bounds.h"
#include "scored/java.h"

#include <stdio.h>
#include <string.h>

enum node_kind { LEAF, CONTINUOUS, SET_LEFT, SET_RIGHT };

/* -- walking -- */

/* Spark looks the value up in a set of doubles: it matches iff it equals an integer of the set. */
static bool in_set(const struct forest *x, uint32_t set, double value)
{
    if (!(value >= 0 && value < x->n_categories[set]))
        return false;
    uint32_t c = (uint32_t)j_d2i(value);
    return (double)c == value && (x->set_bits[x->set_offset[set] + (c >> 3)] >> (c & 7) & 1);
}

static bool goes_left(const struct forest *x, uint32_t node, double value)
{
    if (x->kind[node] == CONTINUOUS)
        return value <= x->threshold[node];
    return in_set(x, x->set[node], value) == (x->kind[node] == SET_LEFT);
}

uint32_t forest_leaf(const struct forest *x, uint32_t t, const struct vec *v)
{
    uint32_t root = x->tree_offset[t], node = root;

    while (x->kind[node] != LEAF) {
        uint32_t feature = x->feature[node];
        if (feature >= v->size)
            return NODE_NONE;
        node = goes_left(x, node, vec_at(v, feature)) ? node + 1 : root + x->right[node];
    }
    return node;
}

uint64_t forest_rows(const struct forest *x, const struct unit *u, struct frame *f, uint64_t rows)
{
    if (!x->stumps)
        return fail_nulls(u, f, rows);
    f->columns[u->out].nulls = 0;
    return rows;
}

void forest_fail(const struct unit *u, struct frame *f, unsigned row)
{
    frame_fail(f, row, u, u->in[0], PROBLEM_SIZE_MISMATCH,
               "a vector of %u entries is too short for the trees",
               (unsigned)f->columns[u->in[0]].vec[row].size);
}

void forest_run_prediction(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        uint32_t leaf = forest_leaf(x, 0, &f->columns[u->in[0]].vec[r]);
        if (leaf == NODE_NONE)
            forest_fail(u, f, r);
        else
            f->columns[u->out].f64[r] = x->prediction[leaf];
    }
}

/* -- features -- */

enum { DENSE_FEATURES = 1024 }; /* of models with more, walks search the sparse vector */

static void run_features(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        struct vec *v = frame_vec(f, u->out, r);
        v->size = v->n = from->size < x->n_features ? from->size : x->n_features;
        v->sparse = false;
        if (!from->sparse) {
            v->values = from->values;
            continue;
        }
        memset(v->values, 0, v->n * sizeof(double));
        for (uint32_t k = 0; k < from->n && from->indices[k] < v->n; k++)
            v->values[from->indices[k]] = from->values[k];
    }
}

static bool add_features(struct load *l, const struct forest *x, uint16_t *in, struct err *e)
{
    uint16_t *from = load_new(l, uint16_t, 1);
    const struct unit u = {.run = run_features, .params = x, .in = from, .n_in = 1};
    struct shape shape = shape_vector(SIZE_UNKNOWN, x->n_features);

    if (x->stumps || x->n_features > DENSE_FEATURES)
        return true;
    if (!from)
        return err_memory(e);
    *from = *in;
    if (!load_unit(l, NULL, shape, false, &u, e))
        return false;
    *in = load_last(l);
    return true;
}

/* -- loading -- */

struct field {
    const char *name;
    enum block_type type;
    uint32_t n_dims;
    const struct block *block;
};

enum field_id {
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
    FIELDS
};

static bool load_fields(struct load *l, struct field fields[FIELDS], struct err *e)
{
    for (unsigned i = 0; i < FIELDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "forest.%s", fields[i].name);
        if (!load_block(l, name, fields[i].type, &fields[i].block, e))
            return false;
        if (fields[i].block->n_dims != fields[i].n_dims)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: must have %u dimensions",
                           fields[i].block->name, (unsigned)fields[i].n_dims);
    }
    return true;
}

static bool check_size(const struct field *f, uint64_t n, struct err *e)
{
    return f->block->n == n ||
           err_set(e, ERR_BAD_BUNDLE, "block %s: %llu elements, %llu are needed", f->block->name,
                   (unsigned long long)f->block->n, (unsigned long long)n);
}

/* Offsets: first 0, rising (strictly or not), last = end. */
static bool check_offsets(const struct field *f, uint64_t end, bool strictly, struct err *e)
{
    const uint32_t *at = f->block->data;
    uint64_t n = f->block->n;

    if (n < 1 || at[0] != 0 || at[n - 1] != end)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go from 0 to %llu", f->block->name,
                       (unsigned long long)end);
    for (uint64_t i = 1; i < n; i++)
        if (at[i] < at[i - 1] || (strictly && at[i] == at[i - 1]))
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu does not rise",
                           f->block->name, (unsigned long long)i);
    return true;
}

static bool check_shapes(const struct field *fields, uint32_t n_stats, struct err *e)
{
    uint64_t nodes = fields[KIND].block->n;
    static const enum field_id of_nodes[] = {FEATURE, THRESHOLD, RIGHT, SET, PREDICTION};

    if (nodes >= UINT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: too many nodes", fields[KIND].block->name);
    for (unsigned i = 0; i < countof(of_nodes); i++)
        if (!check_size(&fields[of_nodes[i]], nodes, e))
            return false;
    const struct block *stats = fields[STATS].block;
    if (stats->shape[0] != nodes || stats->shape[1] != n_stats)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: the shape must be [%llu, %u]", stats->name,
                       (unsigned long long)nodes, (unsigned)n_stats);
    uint64_t offsets = fields[TREE_OFFSET].block->n;
    if (offsets < 2 || offsets - 1 > BOUND_TREES)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: 1 to %d trees",
                       fields[TREE_OFFSET].block->name, BOUND_TREES);
    return check_size(&fields[TREE_WEIGHT], offsets - 1, e) &&
           check_offsets(&fields[TREE_OFFSET], nodes, true, e) &&
           check_offsets(&fields[SET_OFFSET], fields[SET_BITS].block->n, false, e);
}

static bool fail_node(struct err *e, uint32_t tree, uint32_t node, const char *what)
{
    return err_set(e, ERR_BAD_BUNDLE, "forest: tree %u, node %u: %s", (unsigned)tree,
                   (unsigned)node, what);
}

/* numCategories as a table from feature to count. */
static bool load_categories(struct load *l, const struct forest *x, struct bits_dict *out,
                            struct err *e)
{
    struct json map;
    struct json_iter it = {0};

    if (!json_get_object(&l->params, "numCategories", &map, e))
        return false;
    uint32_t n = json_size(&map);
    uint64_t *features = load_new(l, uint64_t, n);
    uint32_t *counts = load_new(l, uint32_t, n);
    if (!features || !counts)
        return err_memory(e);
    while (json_next(&map, &it)) {
        uint64_t feature = 0;
        const char *key = it.value.key;
        for (; *key >= '0' && *key <= '9' && feature <= BOUND_FEATURES; key++)
            feature = feature * 10 + (uint64_t)(*key - '0');
        if (*key || key == it.value.key || feature >= x->n_features)
            return json_fail(&it.value, e, "the key must be the index of a feature");
        features[it.n - 1] = feature;
        if (!json_as_u32(&it.value, INT32_MAX, &counts[it.n - 1], e))
            return false;
    }
    return bits_dict_build(out, features, counts, n, l->arena) || err_memory(e);
}

/* A set has the size of its feature's categories, no spare bit, and the side that its kind demands.
 */
static bool check_set(const struct forest *x, uint32_t node, const struct bits_dict *categories,
                      uint32_t *n_categories, const char **what)
{
    int64_t count = bits_dict_find(categories, x->feature[node]);
    uint32_t set = x->set[node];

    *what = "the feature is not in numCategories";
    if (count == DICT_NONE)
        return false;
    uint32_t n = (uint32_t)count, from = x->set_offset[set], bytes = x->set_offset[set + 1] - from;
    *what = "the set has not one bit a category";
    if (bytes != (n + 7) / 8)
        return false;
    uint32_t members = 0;
    for (uint32_t i = 0; i < bytes; i++)
        members += (uint32_t)__builtin_popcount(x->set_bits[from + i]);
    *what = "a spare bit of the set is not 0";
    if (n % 8 && x->set_bits[from + bytes - 1] >> n % 8)
        return false;
    uint32_t left = x->kind[node] == SET_LEFT ? members : n - members;
    *what = "the set is not the side that the kind demands";
    if ((left <= n / 2) != (x->kind[node] == SET_LEFT))
        return false;
    *what = "the set is used by features of different counts";
    if (n_categories[set] && n_categories[set] != n)
        return false;
    n_categories[set] = n;
    return true;
}

static const char *check_node(const struct forest *x, uint32_t node, uint32_t n_sets,
                              const struct bits_dict *categories, uint32_t *n_categories)
{
    const char *what = NULL;

    if (x->kind[node] == LEAF)
        return x->feature[node] || x->threshold[node] != 0 || x->right[node] || x->set[node]
                   ? "a leaf has a feature, threshold, right child or set"
                   : NULL;
    if (x->kind[node] > SET_RIGHT)
        return "the kind is not 0, 1, 2 or 3";
    if (x->feature[node] >= x->n_features)
        return "the feature is not below numFeatures";
    if (x->kind[node] == CONTINUOUS)
        return x->set[node] ? "a continuous split has a set" : NULL;
    if (x->threshold[node] != 0)
        return "a categorical split has a threshold";
    if (x->set[node] >= n_sets)
        return "the set does not exist";
    return check_set(x, node, categories, n_categories, &what) ? NULL : what;
}

/* The shape of a tree in pre-order: after an inner node comes its left child; after a leaf comes
 * the right child that is due, the last one announced; when none is due the tree is over. */
static bool check_tree(const struct forest *x, uint32_t tree, uint32_t *due, uint32_t *leaf_index,
                       struct err *e)
{
    uint32_t from = x->tree_offset[tree], n = x->tree_offset[tree + 1] - from;
    uint32_t n_due = 0, leaves = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (x->kind[from + i] != LEAF) {
            if (x->right[from + i] <= i + 1 || x->right[from + i] >= n)
                return fail_node(e, tree, i,
                                 "the right child is not behind the left one in the tree");
            due[n_due++] = x->right[from + i];
            continue;
        }
        leaf_index[from + i] = leaves++;
        if (!n_due)
            return i + 1 == n || fail_node(e, tree, i + 1, "no node has this child");
        if (due[--n_due] != i + 1)
            return fail_node(e, tree, i + 1, "the node is not the child that is due in pre-order");
    }
    return fail_node(e, tree, n - 1, "the tree ends in a node that is no leaf");
}

static bool check_forest(struct load *l, struct forest *x, const struct field *fields,
                         struct err *e)
{
    uint32_t nodes = x->tree_offset[x->n_trees], n_sets = (uint32_t)fields[SET_OFFSET].block->n - 1;
    uint32_t *leaf_index = load_new(l, uint32_t, nodes), *due = load_new(l, uint32_t, nodes);
    uint32_t *n_categories = load_new(l, uint32_t, n_sets);
    struct bits_dict categories;

    if (!leaf_index || !due || !n_categories)
        return err_memory(e);
    if (!load_categories(l, x, &categories, e))
        return false;
    for (uint32_t t = 0; t < x->n_trees; t++) {
        for (uint32_t i = x->tree_offset[t]; i < x->tree_offset[t + 1]; i++) {
            const char *what = check_node(x, i, n_sets, &categories, n_categories);
            if (what)
                return fail_node(e, t, i - x->tree_offset[t], what);
        }
        if (!check_tree(x, t, due, leaf_index, e))
            return false;
    }
    x->leaf_index = leaf_index;
    x->stumps = nodes == x->n_trees;
    x->n_categories = n_categories;
    return true;
}

bool forest_load(struct load *l, uint32_t n_stats, bool single, struct forest *out, uint16_t *in,
                 struct err *e)
{
    struct field fields[FIELDS] = {
        [TREE_OFFSET] = {"tree_offset", BLOCK_U32, 1, NULL},
        [TREE_WEIGHT] = {"tree_weight", BLOCK_F64, 1, NULL},
        [KIND] = {"kind", BLOCK_U8, 1, NULL},
        [FEATURE] = {"feature", BLOCK_U32, 1, NULL},
        [THRESHOLD] = {"threshold", BLOCK_F64, 1, NULL},
        [RIGHT] = {"right", BLOCK_U32, 1, NULL},
        [SET] = {"set", BLOCK_U32, 1, NULL},
        [PREDICTION] = {"prediction", BLOCK_F64, 1, NULL},
        [STATS] = {"stats", BLOCK_F64, 2, NULL},
        [SET_OFFSET] = {"set_offset", BLOCK_U32, 1, NULL},
        [SET_BITS] = {"set_bits", BLOCK_U8, 1, NULL},
    };
    uint32_t n_features;

    if (!json_get_u32(&l->params, "numFeatures", BOUND_FEATURES, &n_features, e) ||
        !load_fields(l, fields, e) || !check_shapes(fields, n_stats, e))
        return false;
    *out = (struct forest){
        .n_trees = (uint32_t)fields[TREE_OFFSET].block->n - 1,
        .n_stats = n_stats,
        .n_features = n_features,
        .tree_offset = fields[TREE_OFFSET].block->data,
        .tree_weight = fields[TREE_WEIGHT].block->data,
        .kind = fields[KIND].block->data,
        .feature = fields[FEATURE].block->data,
        .threshold = fields[THRESHOLD].block->data,
        .right = fields[RIGHT].block->data,
        .set = fields[SET].block->data,
        .prediction = fields[PREDICTION].block->data,
        .stats = fields[STATS].block->data,
        .set_offset = fields[SET_OFFSET].block->data,
        .set_bits = fields[SET_BITS].block->data,
    };
    if (single && out->n_trees != 1)
        return err_set(e, ERR_BAD_BUNDLE, "forest: %u trees, one is needed",
                       (unsigned)out->n_trees);
    return check_forest(l, out, fields, e) && add_features(l, out, in, e);
}

/* -- leafCol -- */

static void run_leaf(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        uint32_t leaf = forest_leaf(x, 0, &f->columns[u->in[0]].vec[r]);
        if (leaf == NODE_NONE)
            forest_fail(u, f, r);
        else
            f->columns[u->out].f64[r] = x->leaf_index[leaf];
    }
}

static void run_leaves(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        struct vec *v = frame_vec(f, u->out, r);
        v->size = v->n = x->n_trees;
        v->sparse = false;
        for (uint32_t t = 0; t < x->n_trees; t++) {
            uint32_t leaf = forest_leaf(x, t, &f->columns[u->in[0]].vec[r]);
            if (leaf == NODE_NONE) {
                forest_fail(u, f, r);
                break;
            }
            v->values[t] = x->leaf_index[leaf];
        }
    }
}

bool forest_load_leaf_column(struct load *l, const struct forest *x, const uint16_t *in,
                             bool single, struct err *e)
{
    const struct unit u = {.run = single ? run_leaf : run_leaves, .params = x, .in = in, .n_in = 1};
    const char *name;

    if (!load_output(l, "leafCol", &name, e))
        return false;
    return !name || load_unit(l, name, single ? shape_double : shape_vector(x->n_trees, x->n_trees),
                              false, &u, e);
}
