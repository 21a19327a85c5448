/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a forest: all there, of the right types and sizes, offsets rising. */
#include "blocks.h"

#include "scored/bounds.h"

#include <stdio.h>
#include <string.h>

static const struct kind_block fields[FOREST_FIELDS] = {
    [TREE_OFFSET] = {".tree_offset", BLOCK_U32, 1, NULL},
    [TREE_WEIGHT] = {".tree_weight", BLOCK_F64, 1, NULL},
    [KIND] = {".kind", BLOCK_U8, 1, NULL},
    [FEATURE] = {".feature", BLOCK_U32, 1, NULL},
    [THRESHOLD] = {".threshold", BLOCK_F64, 1, NULL},
    [RIGHT] = {".right", BLOCK_U32, 1, NULL},
    [SET] = {".set", BLOCK_U32, 1, NULL},
    [PREDICTION] = {".prediction", BLOCK_F64, 1, NULL},
    [STATS] = {".stats", BLOCK_F64, 2, NULL},
    [SET_OFFSET] = {".set_offset", BLOCK_U32, 1, NULL},
    [SET_BITS] = {".set_bits", BLOCK_U8, 1, NULL},
};
const struct param_kind kind_forest = {
    .name = "forest", .blocks = fields, .n_blocks = FOREST_FIELDS, .only_blocks = true};

static bool load_fields(struct load *l, const struct block *blocks[FOREST_FIELDS], struct err *e)
{
    for (unsigned i = 0; i < FOREST_FIELDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "forest%s", fields[i].suffix);
        if (!load_block(l, name, fields[i].type, &blocks[i], e))
            return false;
        if (blocks[i]->n_dims != fields[i].n_dims)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: must have %u dimensions", blocks[i]->name,
                           fields[i].n_dims);
    }
    return true;
}

static bool check_size(const struct block *b, uint64_t n, struct err *e)
{
    return b->n == n || err_set(e, ERR_BAD_BUNDLE, "block %s: %llu elements, %llu are needed",
                                b->name, (unsigned long long)b->n, (unsigned long long)n);
}

/* Offsets: first 0, rising (strictly or not), last = end. */
static bool check_offsets(const struct block *b, uint64_t end, bool strictly, struct err *e)
{
    const uint32_t *at = b->data;

    if (b->n < 1 || at[0] != 0 || at[b->n - 1] != end)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go from 0 to %llu", b->name,
                       (unsigned long long)end);
    for (uint64_t i = 1; i < b->n; i++)
        if (at[i] < at[i - 1] || (strictly && at[i] == at[i - 1]))
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu does not rise", b->name,
                           (unsigned long long)i);
    return true;
}

static bool check_shapes(const struct block *const blocks[FOREST_FIELDS], uint32_t n_stats,
                         struct err *e)
{
    static const enum forest_field of_nodes[] = {FEATURE, THRESHOLD, RIGHT, SET, PREDICTION};
    uint64_t nodes = blocks[KIND]->n;

    /* the compiled forest may take a node more a tree */
    if (nodes >= UINT32_MAX - BOUND_TREES)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: too many nodes", blocks[KIND]->name);
    for (unsigned i = 0; i < countof(of_nodes); i++)
        if (!check_size(blocks[of_nodes[i]], nodes, e))
            return false;
    const struct block *stats = blocks[STATS];
    if (stats->shape[0] != nodes || stats->shape[1] != n_stats)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: the shape must be [%llu, %u]", stats->name,
                       (unsigned long long)nodes, (unsigned)n_stats);
    uint64_t offsets = blocks[TREE_OFFSET]->n;
    if (offsets < 2 || offsets - 1 > BOUND_TREES)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: 1 to %d trees", blocks[TREE_OFFSET]->name,
                       BOUND_TREES);
    if (blocks[SET_OFFSET]->n > UINT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: too many sets", blocks[SET_OFFSET]->name);
    return check_size(blocks[TREE_WEIGHT], offsets - 1, e) &&
           check_offsets(blocks[TREE_OFFSET], nodes, true, e) &&
           check_offsets(blocks[SET_OFFSET], blocks[SET_BITS]->n, false, e);
}

bool forest_blocks_load(struct load *l, uint32_t n_stats, struct forest_blocks *out, struct err *e)
{
    const struct block *blocks[FOREST_FIELDS];

    if (!load_fields(l, blocks, e) || !check_shapes(blocks, n_stats, e))
        return false;
    *out = (struct forest_blocks){
        .n_trees = (uint32_t)blocks[TREE_WEIGHT]->n,
        .n_nodes = (uint32_t)blocks[KIND]->n,
        .n_sets = (uint32_t)blocks[SET_OFFSET]->n - 1,
        .n_set_bytes = blocks[SET_BITS]->n,
        .tree_offset = blocks[TREE_OFFSET]->data,
        .tree_weight = blocks[TREE_WEIGHT]->data,
        .kind = blocks[KIND]->data,
        .feature = blocks[FEATURE]->data,
        .threshold = blocks[THRESHOLD]->data,
        .right = blocks[RIGHT]->data,
        .set = blocks[SET]->data,
        .prediction = blocks[PREDICTION]->data,
        .stats = blocks[STATS]->data,
        .set_offset = blocks[SET_OFFSET]->data,
        .set_bits = blocks[SET_BITS]->data,
    };
    memcpy(out->blocks, blocks, sizeof blocks);
    return true;
}

void forest_blocks_release(const struct forest_blocks *b, uint32_t from, uint32_t to)
{
    static const enum forest_field of_nodes[] = {KIND, FEATURE,    THRESHOLD, RIGHT,
                                                 SET,  PREDICTION, STATS};

    for (unsigned i = 0; i < countof(of_nodes); i++)
        block_release(b->blocks[of_nodes[i]], from, to);
}
