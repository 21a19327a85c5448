/* SPDX-License-Identifier: Apache-2.0 */
/* NGram: each n tokens that follow each other, joined by a blank; a null token is "null". */
#include "../text/text.h"

#include <string.h>

struct n_gram {
    uint32_t n;
};

static const struct text null_text = {"null", 4};

static struct text token(const struct list *l, uint32_t i)
{
    return list_null(l, i) ? null_text : ((const struct text *)l->items)[i];
}

/* Bytes of all tokens, each with what joins it. */
static size_t bytes_of(const struct list *l)
{
    size_t n = 0;

    for (uint32_t i = 0; i < l->n; i++)
        n += token(l, i).len + 1U;
    return n;
}

/* All tokens stand once behind each other, and each gram is a part of that. */
static void join(const struct list *from, uint32_t n, char *joined, struct list *to)
{
    struct text *grams = to->items;
    char *at = joined;

    for (uint32_t i = 0; i < from->n; i++) {
        struct text t = token(from, i);
        if (i < to->n)
            grams[i].p = at;
        memcpy(at, t.p, t.len);
        at += t.len;
        if (i + 1 >= n)
            grams[i + 1 - n].len = (uint32_t)(at - grams[i + 1 - n].p);
        *at++ = ' ';
    }
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct n_gram *x = u->params;

    FOR_ROWS(r, fail_null_lists(u, f, rows))
    {
        const struct list *from = &f->columns[u->in[0]].list[r];
        struct list *to = frame_list(f, u->out, r, from->n < x->n ? 0 : from->n - x->n + 1);
        char *joined = to ? frame_take(f, to->n ? bytes_of(from) : 0, 1) : NULL;
        if (!joined)
            return;
        if (to->n)
            join(from, x->n, joined, to);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    (void)l;
    (void)params;
    (void)e;
    m->nullable = false;
    return true;
}

static const struct param params[] = {
    {"n", PARAM_INT(struct n_gram, n), .low = 1, .high = INT32_MAX},
};

const struct op op_n_gram = {
    .name = "n_gram",
    .class_name = SPARK_ML("feature.NGram"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_TEXTS)},
    .out = {{PORT("outputCols", IS_TEXTS)}},
    OP_PARAMS(params),
    .size = sizeof(struct n_gram),
    .prepare = prepare,
    .run = run,
};
