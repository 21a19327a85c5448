/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled walk, and tiles, against a plain walk over the blocks: random forests, values on and
 * beside their thresholds, in and out of their categories. Every leaf and every bit of the sum must
 * be equal.
 */
#include "forests.h"

#include "../../src/engine/trees/tiles.h"

enum {
    FORESTS = 150,
    FRAMES = 40,
    FRAME = 4,
};

/* -- the plain walk -- */

static bool in_set(const struct plain *p, uint32_t node, double value)
{
    uint32_t n = p->categories[p->feature[node]];

    for (uint32_t c = 0; c < n; c++)
        if ((double)c == value)
            return p->set_bits[p->set_offset[p->set[node]] + c / 8] >> c % 8 & 1;
    return false;
}

/* The node, or UINT32_MAX where the vector is too short. */
static uint32_t plain_leaf(const struct plain *p, uint32_t t, const double *values, uint32_t size)
{
    uint32_t node = p->tree_offset[t];

    while (p->kind[node] != LEAF) {
        bool left;
        if (p->feature[node] >= size)
            return UINT32_MAX;
        double value = values[p->feature[node]];
        if (p->kind[node] == SPLIT)
            left = value <= p->threshold[node];
        else if (p->kind[node] == SET_LEFT)
            left = in_set(p, node, value);
        else
            left = !in_set(p, node, value);
        node = left ? node + 1 : p->tree_offset[t] + p->right[node];
    }
    return node;
}

static uint32_t leaf_index(const struct plain *p, uint32_t t, uint32_t node)
{
    uint32_t n = 0;

    for (uint32_t i = p->tree_offset[t]; i < node; i++)
        n += p->kind[i] == LEAF;
    return n;
}

/* -- the program's answer -- */

/* A row of values, and the same as a vector of the frame, sparse or dense. */
static uint32_t put_row(const struct plain *p, struct frame *f, unsigned row, double *values)
{
    struct vec *v = &f->columns[0].vec[row];
    bool sparse = below(2);

    v->size = below(20) ? p->n_features : below(p->n_features + 10);
    v->n = 0;
    v->sparse = sparse;
    v->values = scratch_bring(f->scratch, NULL, 0, v->size * sizeof *v->values);
    v->indices = scratch_bring(f->scratch, NULL, 0, v->size * sizeof *v->indices);
    assert_true(v->values && v->indices);
    for (uint32_t i = 0; i < v->size; i++) {
        uint32_t n = i < p->n_features ? p->categories[i] : 0;
        values[i] = n && below(8) ? (double)below(n + 1) : any_value();
        if (sparse && below(3))
            values[i] = 0.0;
        if (sparse && values[i] == 0 && !signbit(values[i]) && below(4))
            continue;
        v->indices[v->n] = i;
        v->values[v->n++] = values[i];
    }
    return v->size;
}

static void check_row(const struct plain *p, const struct loaded *l, unsigned row,
                      const double *values, uint32_t size)
{
    uint16_t x = plan_find(&l->plan, "x", 1), y = plan_find(&l->plan, "y", 1);
    double sum = 0;

    for (uint32_t t = 0; t < p->n_trees; t++) {
        uint32_t leaf = plain_leaf(p, t, values, size);
        if (leaf == UINT32_MAX) {
            assert_true(l->frame->failed & row_bit(row));
            return;
        }
        if (!(l->frame->failed & row_bit(row)))
            assert_true(l->frame->columns[y].vec[row].values[t] == leaf_index(p, t, leaf));
        sum += p->prediction[leaf];
    }
    sum /= p->n_trees;
    double got = l->frame->columns[x].f64[row];
    assert_false(l->frame->failed & row_bit(row));
    assert_true((isnan(sum) && isnan(got)) || memcmp(&sum, &got, sizeof sum) == 0);
}

/* How many rows failed. */
static unsigned check_forest(const struct plain *p, struct loaded *l)
{
    static double values[FRAME][MAX_FEATURES + 10];
    unsigned failed = 0;

    for (unsigned k = 0; k < FRAMES; k++) {
        uint32_t size[FRAME];
        frame_reset(l->frame, &l->scratch);
        l->frame->n_rows = FRAME;
        l->frame->live = row_bit(FRAME) - 1;
        for (unsigned row = 0; row < FRAME; row++)
            size[row] = put_row(p, l->frame, row, values[row]);
        assert_true(plan_run(l->plan.program_all, l->frame));
        for (unsigned row = 0; row < FRAME; row++)
            check_row(p, l, row, values[row], size[row]);
        failed += (unsigned)__builtin_popcountll(l->frame->failed);
    }
    return failed;
}

static const struct tiles *tiles_of(const struct loaded *l)
{
    const struct forest *x = l->plan.columns[plan_find(&l->plan, "y", 1)].unit->params;

    return x->tiles;
}

static bool has_full_lane(const struct tiles *tiles)
{
    for (uint32_t k = 0; k < tiles->n_lanes; k++)
        if (tiles->lanes[k].n_blocks * LANE_BLOCK > LANE_THRESHOLDS)
            return true;
    return false;
}

/* By each kernel, over forests that are within a tile's levels, lanes and thresholds, and beyond.
 */
static void leaves_are_those_of_a_plain_walk(void **unused)
{
    struct bundle_text base = {
        .input = "{\"name\":\"a\",\"type\":\"vector\",\"nullable\":true,\"size\":null}",
        .exactness = EXACT("x") "," EXACT("y")};
    struct seen {
        unsigned tiled, two, full; /* forests by tiles; with more lanes than a register of 64 has */
    } seen[KERNEL_AVX512 + 1] = {0};
    unsigned failed = 0;

    (void)unused;
    for (unsigned i = 0; i < FORESTS; i++) {
        struct plain *p = make_forest();
        for (base.kernel = KERNEL_AUTO; base.kernel <= KERNEL_AVX512; base.kernel++) {
            struct loaded l;
            load_forest(&l, p, &base);
            const struct tiles *tiles = tiles_of(&l);
            assert_false(tiles && base.kernel == KERNEL_WALK);
            seen[base.kernel].tiled += tiles != NULL;
            seen[base.kernel].two += tiles && tiles->n_lanes > TILE_LANES / 2;
            seen[base.kernel].full += tiles && has_full_lane(tiles);
            failed += check_forest(p, &l);
            unload(&l);
        }
        free(p);
    }
    assert_true(failed > 0 && failed < FORESTS * FRAMES);
    for (unsigned i = 0; tiles_kernel(i); i++) {
        const struct seen *s = &seen[tiles_kernel(i)->is];
        bool all = s->tiled > FORESTS / 4 && s->tiled < FORESTS && s->two > 3 && s->full > 1;
        assert_true(all || !tiles_kernel(i)->works());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_are_those_of_a_plain_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
