/* SPDX-License-Identifier: Apache-2.0 */
/* Random forests, as a stage of a bundle; and values on and beside their thresholds, in and out of
 * their categories. */
#ifndef TESTS_FORESTS_H
#define TESTS_FORESTS_H

#include "ops_fixture.h"

#include <math.h>

enum {
    MAX_TREES = 70,
    MAX_NODES = 30000,
    MAX_SETS = 4000,
    MAX_SET_BYTES = 100000,
    MAX_FEATURES = 1500, /* more than have slots (forest.c) */
};

#define EXACT(column) "\"" column "\":{\"tier\":\"exact\",\"why\":\"w\"}"

enum kind { LEAF, SPLIT, SET_LEFT, SET_RIGHT };

struct plain {
    uint32_t n_trees, n_nodes, n_sets, n_features;
    uint32_t tree_offset[MAX_TREES + 1], set_offset[MAX_SETS + 1];
    uint32_t feature[MAX_NODES], right[MAX_NODES], set[MAX_NODES];
    double threshold[MAX_NODES], prediction[MAX_NODES], stats[MAX_NODES][3];
    double tree_weight[MAX_TREES];
    uint8_t kind[MAX_NODES], set_bits[MAX_SET_BYTES];
    uint32_t categories[MAX_FEATURES]; /* by feature; 0: none */
    unsigned leaf_in, max_depth;       /* one node in so many is a leaf */
};

static uint64_t state = 88172645463325252;

static inline uint32_t below(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % n);
}

static inline double special(void)
{
    static const double values[] = {0.0,
                                    -0.0,
                                    1.0,
                                    -1.0,
                                    0.5,
                                    2.5,
                                    1e300,
                                    -1e300,
                                    (double)NAN,
                                    -(double)NAN,
                                    5e-324,
                                    (double)INFINITY,
                                    -(double)INFINITY,
                                    1e-9,
                                    4294967297.0};
    return values[below(countof(values))];
}

static uint32_t n_values = 20; /* whole ones: more, and features have many thresholds */

static inline double any_value(void)
{
    double d = below(4) ? (double)below(n_values) - 5 : special();

    return below(8) ? d : nextafter(d, below(2) ? (double)INFINITY : -(double)INFINITY);
}

static inline void make_set(struct plain *p, uint32_t node, uint32_t n)
{
    uint32_t from = p->set_offset[p->n_sets], members = 0;
    uint32_t often = 1 + below(4);

    p->set[node] = p->n_sets++;
    p->set_offset[p->n_sets] = from + (n + 7) / 8;
    for (uint32_t c = 0; c < n; c++) {
        if (below(often))
            continue;
        p->set_bits[from + c / 8] |= (uint8_t)(1 << c % 8);
        members++;
    }
    p->kind[node] = members <= n / 2 ? SET_LEFT : SET_RIGHT;
    if (p->kind[node] == SET_RIGHT) /* what goes right is then the smaller side, as in Spark */
        for (uint32_t c = 0; c < n; c++)
            p->set_bits[from + c / 8] ^= (uint8_t)(1 << c % 8);
}

static inline bool has_room(const struct plain *p)
{
    return p->n_nodes < MAX_NODES - 100 && p->n_sets < MAX_SETS - 1 &&
           p->set_offset[p->n_sets] < MAX_SET_BYTES - 100;
}

static inline void make_node(struct plain *p, unsigned depth)
{
    uint32_t node = p->n_nodes++, root = p->tree_offset[p->n_trees];

    p->prediction[node] = any_value();
    if (depth == p->max_depth || !has_room(p) || !below(p->leaf_in))
        return;
    p->feature[node] = below(p->n_features);
    uint32_t n = p->categories[p->feature[node]];
    if (n && below(8)) {
        make_set(p, node, n);
    } else {
        p->kind[node] = SPLIT;
        p->threshold[node] = any_value();
    }
    make_node(p, depth + 1);
    p->right[node] = p->n_nodes - root;
    make_node(p, depth + 1);
}

static inline struct plain *make_forest(void)
{
    static const uint32_t features[] = {1, 2, 7, 30, 65, 110, MAX_FEATURES};
    static const uint32_t counts[] = {1, 2, 3, 8, 57, 63, 64, 65, 128, 300};
    struct plain *p = calloc(1, sizeof *p);
    uint32_t trees = 1 + below(MAX_TREES - 1), every = below(4);

    assert_non_null(p);
    n_values = below(2) ? 20 : 5000;
    p->n_features = features[below(countof(features))];
    for (uint32_t i = 0; every && i < p->n_features; i += every)
        p->categories[i] = counts[below(countof(counts) - (below(2) ? 4 : 0))];
    while (p->n_trees < trees) {
        p->leaf_in = below(3) ? 2 + below(12) : 40;
        p->max_depth = below(8) ? below(9) : below(31);
        make_node(p, 0);
        p->tree_weight[p->n_trees++] = 1;
        p->tree_offset[p->n_trees] = p->n_nodes;
    }
    return p;
}

/* Loads a forest over vectors `a`, answering `x`, the leaves being `y`. `base` has the input and
 * what else is not the forest's. */
static inline void load_forest(struct loaded *l, const struct plain *p,
                               const struct bundle_text *base)
{
    char nodes[16], shape[16], trees[16], offsets[16], sets[16], bytes[16];
    struct buf stage = {0};
    struct bundle_text t = {
        .input = base->input,
        .before = base->before,
        .more = base->more,
        .no_fuse = base->no_fuse,
        .kernel = base->kernel,
        .exactness = base->exactness,
        .output = "{\"name\":\"x\",\"type\":\"double\"}",
        .tensors = {{"forest.prediction", "F64", nodes, p->prediction, p->n_nodes * 8},
                    {"forest.stats", "F64", shape, p->stats, p->n_nodes * 24},
                    {"forest.threshold", "F64", nodes, p->threshold, p->n_nodes * 8},
                    {"forest.tree_weight", "F64", trees, p->tree_weight, p->n_trees * 8},
                    {"forest.feature", "U32", nodes, p->feature, p->n_nodes * 4},
                    {"forest.right", "U32", nodes, p->right, p->n_nodes * 4},
                    {"forest.set", "U32", nodes, p->set, p->n_nodes * 4},
                    {"forest.set_offset", "U32", sets, p->set_offset, (p->n_sets + 1) * 4},
                    {"forest.tree_offset", "U32", offsets, p->tree_offset, (p->n_trees + 1) * 4},
                    {"forest.kind", "U8", nodes, p->kind, p->n_nodes},
                    {"forest.set_bits", "U8", bytes, p->set_bits, p->set_offset[p->n_sets]}}};
    uint32_t n = 0;

    snprintf(nodes, sizeof nodes, "%u", p->n_nodes);
    snprintf(shape, sizeof shape, "%u,3", p->n_nodes);
    snprintf(trees, sizeof trees, "%u", p->n_trees);
    snprintf(offsets, sizeof offsets, "%u", p->n_trees + 1);
    snprintf(sets, sizeof sets, "%u", p->n_sets + 1);
    snprintf(bytes, sizeof bytes, "%u", p->set_offset[p->n_sets]);
    buf_printf(&stage,
               "\"op\":\"random_forest_regression\",\"class\":\"org.apache.spark.ml.regression."
               "RandomForestRegressionModel\",\"inputs\":{\"featuresCol\":[\"a\"]},\"outputs\":{"
               "\"predictionCol\":[\"x\"],\"leafCol\":[\"y\"]},\"params\":{\"numFeatures\":%u,"
               "\"numCategories\":{",
               p->n_features);
    for (uint32_t i = 0; i < p->n_features; i++)
        if (p->categories[i])
            buf_printf(&stage, "%s\"%u\":%u", n++ ? "," : "", i, p->categories[i]);
    buf_text(&stage, "}}");
    buf_char(&stage, '\0');
    t.stage = stage.data;
    load_good(l, &t);
    buf_done(&stage);
}

#endif
