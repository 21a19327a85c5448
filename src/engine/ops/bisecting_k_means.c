/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BisectingKMeansModel: from the root to the child whose centre is nearest, the first of equals,
 * down to a leaf, which is a cluster.
 */
#include "../distance.h"
#include "scored/blas.h"

struct tree {
    const struct blas *blas;
    int measure;
    struct matrix matrix;
    struct doubles norms;
    struct ints offsets, children, clusters; /* children of node i: offsets[i] to offsets[i + 1] */
    const struct center *nodes;
    enum type type;
    distance_of *distance;
};

/* The nearest child of a node; false where Spark throws. */
static bool nearest(const struct tree *x, uint32_t node, const struct vec *point, double norm,
                    uint32_t *found)
{
    double best = 0, d;
    uint32_t begin = x->offsets.values[node];

    for (uint32_t k = begin; k < x->offsets.values[node + 1]; k++) {
        uint32_t child = x->children.values[k];
        if (!x->distance(x->blas, &x->nodes[child], point, norm, &d))
            return false;
        if (k == begin || d < best) {
            best = d;
            *found = child;
        }
    }
    return true;
}

/* The leaf's node, or -1. */
static int64_t leaf(const struct tree *x, const struct vec *point)
{
    double norm = distance_norm(point), d;
    uint32_t node = 0;

    if (!x->distance(x->blas, &x->nodes[0], point, norm, &d))
        return -1;
    while (x->offsets.values[node] < x->offsets.values[node + 1])
        if (!nearest(x, node, point, norm, &node))
            return -1;
    return node;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct tree *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        struct vec point = distance_point(c, x->type, r);
        int64_t node = leaf(x, &point);
        if (node < 0)
            distance_fail(u, f, r, x->matrix.cols);
        else
            f->columns[u->out].i64[r] = x->clusters.values[node];
    }
}

/* Children stand behind their node, so that every way ends. */
static bool check_children(const struct tree *x, struct err *e)
{
    const uint32_t *at = x->offsets.values;
    uint32_t n = x->matrix.rows;

    if (x->offsets.size != n + 1 || x->norms.size != n || x->clusters.size != n || at[0] != 0 ||
        at[n] != x->children.size)
        return err_set(e, ERR_BAD_BUNDLE,
                       "params: norms, clusters and children must be of %u nodes", (unsigned)n);
    for (uint32_t i = 0; i < n; i++) {
        if (at[i] > at[i + 1] || at[i + 1] > x->children.size)
            return err_set(e, ERR_BAD_BUNDLE, "params.offsets: element %u falls", (unsigned)i + 1);
        for (uint32_t k = at[i]; k < at[i + 1]; k++)
            if (x->children.values[k] <= i || x->children.values[k] >= n)
                return err_set(e, ERR_BAD_BUNDLE,
                               "params.children: element %u is not behind its node", (unsigned)k);
    }
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct tree *x = params;

    x->type = load_input(l)->shape.type;
    x->distance = distances[x->measure];
    if (!check_children(x, e) || !distance_load_blas(l, x->measure, m->name, &x->blas, e))
        return false;
    x->nodes = distance_centers(l, &x->matrix, x->norms.values, e);
    return x->nodes != NULL;
}

static const struct param params[] = {
    {"distanceMeasure", PARAM_DISTANCE(struct tree, measure)},
    {"centers", PARAM_MATRIX(struct tree, matrix), .note = "dense, a row a node, the root first"},
    {"norms", PARAM_VECTOR(struct tree, norms)},
    {"offsets", PARAM_INTS_BLOCK(struct tree, offsets)},
    {"children", PARAM_INTS_BLOCK(struct tree, children)},
    {"clusters", PARAM_INTS_BLOCK(struct tree, clusters)},
};

const struct op op_bisecting_k_means = {
    .name = "bisecting_k_means",
    .class_name = SPARK_ML("clustering.BisectingKMeansModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_POINT)},
    .out = {{PORT("predictionCol", IS_INT)}},
    OP_PARAMS(params),
    .size = sizeof(struct tree),
    .prepare = prepare,
    .run = run,
};
