/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StopWordsRemover: the tokens that are not among the words, null ones too; unless case counts,
 * both are compared in lower case.
 */
#include "../text/text.h"

#include <string.h>

/* Of the locale the language counts, and Spark takes all of it for that: "tr_TR" is none. */
struct remover {
    struct texts words;
    bool case_sensitive;
    const char *locale;
    enum lower_rules rules;
    struct dict dict;
};

/* Whether a token is a stop word; `lower` has room for its lower case. */
static bool is_stop_word(const struct remover *x, struct text t, char *lower)
{
    if (!x->case_sensitive)
        t = (struct text){lower, text_lower(t, x->rules, lower)};
    return dict_find(&x->dict, t.p, t.len) != DICT_NONE;
}

/* Room for the lower case of any of the tokens. */
static char *lower_room(const struct remover *x, struct frame *f, const struct list *from)
{
    const struct text *tokens = from->items;
    size_t most = 0;

    for (uint32_t i = 0; i < from->n && !x->case_sensitive; i++) {
        size_t room = list_null(from, i) ? 0 : text_lower_room(tokens[i], x->rules);
        most = room > most ? room : most;
    }
    return frame_take(f, most, 1);
}

/* False as NULL of frame_take. */
static bool keep_others(const struct remover *x, struct frame *f, const struct list *from,
                        char *lower, struct list *to)
{
    const struct text *tokens = from->items;
    struct text *kept = to->items;
    uint32_t n = 0;

    for (uint32_t i = 0; i < from->n; i++) {
        if (list_null(from, i)) {
            if (!frame_list_null(f, to, n++))
                return false;
        } else if (!is_stop_word(x, tokens[i], lower)) {
            kept[n++] = tokens[i];
        }
    }
    to->n = n;
    return true;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct remover *x = u->params;

    FOR_ROWS(r, fail_null_lists(u, f, rows))
    {
        const struct list *from = &f->columns[u->in[0]].list[r];
        struct list *to = frame_list(f, u->out, r, from->n);
        char *lower = to ? lower_room(x, f, from) : NULL;
        if (!lower || !keep_others(x, f, from, lower, to))
            return;
    }
}

static bool lower_words(struct load *l, struct texts *words, enum lower_rules rules, struct err *e)
{
    struct text *lowered = load_new(l, struct text, words->size);

    if (!lowered)
        return err_memory(e);
    for (uint32_t i = 0; i < words->size; i++) {
        char *p = load_new(l, char, text_lower_room(words->values[i], rules));
        if (!p)
            return err_memory(e);
        lowered[i] = (struct text){p, text_lower(words->values[i], rules, p)};
    }
    words->values = lowered;
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct remover *x = params;

    m->nullable = false;
    if (!x->case_sensitive &&
        (!load_lower(l, m->name, x->locale, strlen(x->locale), &x->rules, e) ||
         !lower_words(l, &x->words, x->rules, e)))
        return false;
    return dict_build(&x->dict, x->words.values, x->words.size, l->arena) || err_memory(e);
}

static const struct param params[] = {
    {"stopWords", PARAM_STRINGS(struct remover, words)},
    {"caseSensitive", PARAM_BOOL(struct remover, case_sensitive)},
    {"locale", PARAM_STRING(struct remover, locale), .note = "not th, unless caseSensitive"},
};

const struct op op_stop_words_remover = {
    .name = "stop_words_remover",
    .class_name = SPARK_ML("feature.StopWordsRemover"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_TEXTS)},
    .out = {{PORT("outputCols", IS_TEXTS)}},
    OP_PARAMS(params),
    .size = sizeof(struct remover),
    .prepare = prepare,
    .run = run,
};
