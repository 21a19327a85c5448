/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RegexTokenizer: the text, in lower case where that is asked for, cut at the matches of a pattern
 * as Java's Pattern.split does, or its matches (gaps false). Tokens of fewer UTF-16 units than
 * minTokenLength are dropped.
 */
#include "../text/regex.h"
#include "../text/text.h"

#include <string.h>

struct tokenizer {
    const char *expression;
    struct regex regex;
    bool units, aligned, gaps, lower;
    uint32_t least;
    enum lower_rules rules;
};

/* Tokens of a row, in memory of the frame that grows. */
struct tokens {
    struct frame *frame;
    struct text *items;
    uint32_t n, room, least;
};

/* Units of UTF-16: halves of three bytes count as one, characters of four as two. */
static uint32_t units_of(struct text t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.p[i];
        n += ((c & 0xc0) != 0x80) + (c >= 0xf0);
    }
    return n;
}

static bool grow(struct tokens *x)
{
    enum { FIRST = 16 };
    uint32_t room = x->room ? 2 * x->room : FIRST;
    struct text *items = frame_take(x->frame, room, sizeof *items);

    if (!items)
        return false;
    memcpy(items, x->n ? x->items : items, x->n * sizeof *items);
    x->items = items;
    x->room = room;
    return true;
}

/* False as frame_take gives NULL. */
static bool add(struct tokens *x, struct text t, uint32_t begin, uint32_t end)
{
    struct text token = {t.p + begin, end - begin};

    if (units_of(token) < x->least)
        return true;
    if (x->n == x->room && !grow(x))
        return false;
    x->items[x->n++] = token;
    return true;
}

static enum regex_found find_all(struct regex_search *s, struct tokens *to)
{
    enum regex_found found = regex_next(s);

    for (; found == REGEX_FOUND; found = regex_next(s))
        if (!add(to, s->text, s->begin, s->end))
            return REGEX_FULL;
    return found;
}

/* An empty match at the beginning cuts nothing; empty tokens at the end are none, but for the text
 * itself. */
static enum regex_found split(struct regex_search *s, struct tokens *to)
{
    uint32_t at = 0;
    enum regex_found found = regex_next(s);

    for (; found == REGEX_FOUND; found = regex_next(s)) {
        if (at == 0 && s->end == 0)
            continue;
        if (!add(to, s->text, at, s->begin))
            return REGEX_FULL;
        at = s->end;
    }
    if (found != REGEX_NONE)
        return found;
    if (!add(to, s->text, at, s->text.len))
        return REGEX_FULL;
    while (at && to->n && !to->items[to->n - 1].len)
        to->n--;
    return REGEX_NONE;
}

static void join_halves(const struct tokens *x)
{
    for (uint32_t i = 0; i < x->n; i++)
        x->items[i].len = regex_join((char *)(uintptr_t)x->items[i].p, x->items[i].len);
}

static bool lowered(const struct tokenizer *x, struct frame *f, struct text *t)
{
    if (!x->lower)
        return true;
    char *p = frame_take(f, text_lower_room(*t, x->rules), 1);
    if (p)
        *t = (struct text){p, text_lower(*t, x->rules, p)};
    return p;
}

static enum regex_found tokenize(const struct tokenizer *x, struct regex_search *s, struct text t,
                                 struct tokens *to)
{
    bool halved;

    if (!lowered(x, s->frame, &t) || !regex_search_text(s, t, &halved))
        return REGEX_FULL;
    enum regex_found found = (x->gaps ? split : find_all)(s, to);
    if (halved && found == REGEX_NONE)
        join_halves(to);
    return found;
}

static uint64_t fail_null_texts(const struct unit *u, struct frame *f, uint64_t rows)
{
    uint64_t nulls = f->columns[u->in[0]].nulls & rows;

    FOR_ROWS(r, nulls)
    frame_fail(f, r, u, u->in[0], PROBLEM_NULL_VALUE, "the text is null");
    return rows & ~nulls;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct tokenizer *x = u->params;
    struct regex_search s;

    if (!regex_search_init(&s, &x->regex, f))
        return;
    FOR_ROWS(r, fail_null_texts(u, f, rows))
    {
        struct tokens tokens = {.frame = f, .least = x->least};
        enum regex_found found = tokenize(x, &s, f->columns[u->in[0]].text[r], &tokens);
        if (found == REGEX_FULL)
            return;
        if (found == REGEX_TOO_LONG)
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE,
                       "the pattern takes more than %d steps over the text", REGEX_STEPS);
        f->columns[u->out].list[r] = (struct list){.n = tokens.n, .items = tokens.items};
    }
}

/* -- loading -- */

static bool check_ranges(const struct regex_sets *s, const struct block *ranges, struct err *e)
{
    for (uint32_t i = 0; i < s->offsets[s->n]; i++) {
        const uint32_t *r = s->ranges + 2 * (size_t)i;
        if (r[0] > r[1] || r[1] > 0x10ffff)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: range %u is none of code points",
                           ranges->name, (unsigned)i);
    }
    return true;
}

static bool load_sets(struct load *l, struct regex_sets *s, struct err *e)
{
    const struct block *offsets, *ranges;

    if (!load_block(l, "sets.offsets", BLOCK_U32, &offsets, e) ||
        !load_block(l, "sets.ranges", BLOCK_U32, &ranges, e))
        return false;
    const uint32_t *at = offsets->data;
    if (offsets->n_dims != 1 || offsets->n < 1 || offsets->n > UINT32_MAX || ranges->n_dims != 1 ||
        ranges->n % 2 || at[0] != 0 || at[offsets->n - 1] != ranges->n / 2)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go from 0 to %llu", offsets->name,
                       (unsigned long long)ranges->n / 2);
    *s = (struct regex_sets){(uint32_t)offsets->n - 1, at, ranges->data};
    for (uint32_t i = 0; i < s->n; i++)
        if (at[i] > at[i + 1])
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u falls", offsets->name,
                           (unsigned)i + 1);
    return check_ranges(s, ranges, e);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const char *locale = l->plan->platform->locale;
    struct tokenizer *x = params;
    struct regex_sets sets;

    m->nullable = false;
    if (x->lower && !load_lower(l, m->name, locale, strcspn(locale, "_"), &x->rules, e))
        return false;
    return load_sets(l, &sets, e) &&
           regex_compile(&x->regex, x->expression, &sets, (struct regex_how){x->units, x->aligned},
                         l->arena, e);
}

static const struct param_kind kind_sets = {
    .name = "ranges by set, behind each other",
    .blocks = (const struct kind_block[]){{".offsets", BLOCK_U32, 1, NULL},
                                          {".ranges", BLOCK_U32, 1, NULL}},
    .n_blocks = 2,
    .only_blocks = true,
};

static const struct param params[] = {
    {"expression", PARAM_STRING(struct tokenizer, expression)},
    {"units", PARAM_BOOL(struct tokenizer, units)},
    {"aligned", PARAM_BOOL(struct tokenizer, aligned)},
    {"sets", .kind = &kind_sets},
    {"gaps", PARAM_BOOL(struct tokenizer, gaps)},
    {"minTokenLength", PARAM_INT(struct tokenizer, least), .high = INT32_MAX},
    {"toLowercase", PARAM_BOOL(struct tokenizer, lower)},
};

const struct op op_regex_tokenizer = {
    .name = "regex_tokenizer",
    .class_name = SPARK_ML("feature.RegexTokenizer"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_STRING)},
    .out = {{PORT("outputCols", IS_TEXTS)}},
    OP_PARAMS(params),
    .size = sizeof(struct tokenizer),
    .prepare = prepare,
    .run = run,
};
