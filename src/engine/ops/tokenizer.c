/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokenizer: the text in lower case, cut at each white space of ASCII. Two of them have an empty
 * token between, one that leads has an empty token before it; empty tokens at the end are dropped,
 * but of the empty text one stays.
 */
#include "../text/text.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Length without the white space that ends it. */
static uint32_t trimmed(struct text t)
{
    uint32_t n = t.len;

    while (n && is_space(t.p[n - 1]))
        n--;
    return n;
}

static uint32_t count_tokens(struct text t)
{
    uint32_t n = 1;

    for (uint32_t i = 0; i < t.len; i++)
        n += is_space(t.p[i]);
    return n;
}

static void cut(struct text t, struct list *to)
{
    struct text *tokens = to->items;
    uint32_t begin = 0, n = 0;

    for (uint32_t i = 0; i <= t.len; i++) {
        if (i < t.len && !is_space(t.p[i]))
            continue;
        tokens[n++] = (struct text){t.p + begin, i - begin};
        begin = i + 1;
    }
}

struct tokenizer {
    enum lower_rules rules;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct tokenizer *x = u->params;
    uint64_t nulls = f->columns[u->in[0]].nulls & rows;

    FOR_ROWS(r, nulls)
    frame_fail(f, r, u, u->in[0], PROBLEM_NULL_VALUE, "the text is null");
    FOR_ROWS(r, rows & ~nulls)
    {
        struct text t = f->columns[u->in[0]].text[r];
        bool none = t.len && !trimmed(t);
        t.len = trimmed(t);
        struct list *l = frame_list(f, u->out, r, none ? 0 : count_tokens(t));
        char *lower = l ? frame_take(f, text_lower_room(t, x->rules), 1) : NULL;
        if (!lower)
            return;
        if (!none)
            cut((struct text){lower, text_lower(t, x->rules, lower)}, l);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const char *locale = l->plan->platform->locale;
    struct tokenizer *x = params;

    m->nullable = false;
    return load_lower(l, m->name, locale, strcspn(locale, "_"), &x->rules, e);
}

const struct op op_tokenizer = {
    .name = "tokenizer",
    .class_name = SPARK_ML("feature.Tokenizer"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_STRING)},
    .out = {{PORT("outputCols", IS_TEXTS)}},
    .size = sizeof(struct tokenizer),
    .prepare = prepare,
    .run = run,
};
