/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Word2VecModel: the sum of the vectors of the tokens that are known, in their order, times 1 over
 * the number of all tokens. Of no tokens it is sparse.
 */
#include "../text/text.h"

#include <string.h>

struct word_vectors {
    struct texts words;
    uint32_t size;
    const double *vectors; /* one behind the other, in the order of words */
    struct dict dict;
};

static void add_up(const struct word_vectors *x, const struct list *from, double *sum)
{
    const struct text *tokens = from->items;

    memset(sum, 0, x->size * sizeof *sum);
    for (uint32_t i = 0; i < from->n; i++) {
        int64_t word =
            list_null(from, i) ? DICT_NONE : dict_find(&x->dict, tokens[i].p, tokens[i].len);
        if (word == DICT_NONE)
            continue;
        const double *vector = x->vectors + (size_t)word * x->size;
        for (uint32_t k = 0; k < x->size; k++)
            sum[k] += vector[k];
    }
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct word_vectors *x = u->params;

    FOR_ROWS(r, fail_null_lists(u, f, rows))
    {
        const struct list *from = &f->columns[u->in[0]].list[r];
        struct vec *v = frame_vec(f, u->out, r, x->size);
        if (!v)
            return;
        v->size = x->size;
        v->sparse = from->n == 0;
        v->n = v->sparse ? 0 : x->size;
        if (v->sparse)
            continue;
        add_up(x, from, v->values);
        double share = 1.0 / from->n;
        for (uint32_t k = 0; k < v->n && share != 1; k++)
            v->values[k] *= share;
    }
}

static bool load_vectors(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct word_vectors *x = to;
    const struct block *b;

    if (!load_block(l, p->name, BLOCK_F64, &b, e))
        return false;
    x->vectors = b->data;
    return (b->n_dims == 2 && b->shape[0] == x->words.size && b->shape[1] == x->size) ||
           err_set(e, ERR_BAD_BUNDLE, "block %s: the shape must be [%u, %u]", b->name,
                   (unsigned)x->words.size, (unsigned)x->size);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct word_vectors *x = params;

    m->nullable = false;
    m->shape = shape_vector(x->size, x->size);
    return dict_build(&x->dict, x->words.values, x->words.size, l->arena) || err_memory(e);
}

static const struct param_kind kind_vectors = {
    .name = "doubles that are floats",
    .load = load_vectors,
    .blocks = (const struct kind_block[]){{"", BLOCK_F64, 2, NULL}},
    .n_blocks = 1,
    .only_blocks = true,
};

static const struct param params[] = {
    {"words", PARAM_STRINGS(struct word_vectors, words)},
    {"vectorSize", PARAM_INT(struct word_vectors, size), .low = 1, .high = BOUND_EXPANDED},
    {"vectors", .kind = &kind_vectors, .note = "a row a word"},
};

const struct op op_word2_vec = {
    .name = "word2_vec",
    .class_name = SPARK_ML("feature.Word2VecModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_TEXTS)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct word_vectors),
    .prepare = prepare,
    .run = run,
};
