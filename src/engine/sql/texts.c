/* SPDX-License-Identifier: Apache-2.0 */
/* SQL's functions of strings. Characters are code points; strings are compared by bytes. */
#include "../text/text.h"
#include "characters.h"

#include <string.h>

/* Memory for a text of the row; NULL as frame_take. */
char *sql_text(const struct sql_row *r, size_t n, union sql_value *out)
{
    char *p = frame_take(r->f, n, 1);

    out->t = (struct text){p, (uint32_t)n};
    return p;
}

/* -- whole texts -- */

TEXT(run_length)
{
    (void)n;
    (void)r;
    out->i = characters(a[0].t);
    return SQL_VALUE;
}

static bool is_ascii(struct text t)
{
    for (uint32_t i = 0; i < t.len; i++)
        if ((unsigned char)t.p[i] > 0x7f)
            return false;
    return true;
}

/* Texts of ASCII alone know no language. */
TEXT(run_lower)
{
    enum lower_rules rules = is_ascii(a[0].t) ? LOWER_PLAIN : (enum lower_rules)n->literal.i;
    char *p = frame_take(r->f, text_lower_room(a[0].t, rules), 1);

    if (!p)
        return SQL_STOP;
    out->t = (struct text){p, text_lower(a[0].t, rules, p)};
    return SQL_VALUE;
}

static bool prove_lower(struct load *l, struct sql_node *n, struct err *e)
{
    const char *locale = l->plan->platform->locale;
    enum lower_rules rules;

    if (!load_lower(l, "", locale, strcspn(locale, "_"), &rules, e))
        return false;
    n->literal.i = rules;
    return true;
}

TEXT(run_upper)
{
    char *p = frame_take(r->f, text_upper_room(a[0].t), 1);

    (void)n;
    if (!p)
        return SQL_STOP;
    out->t = (struct text){p, text_upper(a[0].t, p)};
    return SQL_VALUE;
}

static bool prove_upper(struct load *l, struct sql_node *n, struct err *e)
{
    (void)n;
    return load_upper(l, "", e);
}

TEXT(run_reverse)
{
    char *p = sql_text(r, a[0].t.len, out);

    (void)n;
    if (!p)
        return SQL_STOP;
    for (uint32_t i = 0, w; i < a[0].t.len; i += w) {
        w = width(a[0].t.p[i]);
        memcpy(p + a[0].t.len - i - w, a[0].t.p + i, w);
    }
    return SQL_VALUE;
}

/* -- parts -- */

TEXT(run_substring)
{
    struct text t = a[0].t;
    int64_t at = a[1].i, start = at > 0 ? at - 1 : at < 0 ? (int64_t)characters(t) + at : 0;
    int64_t end = start + a[2].i;

    (void)n;
    (void)r;
    end = end > INT32_MAX ? INT32_MAX : end < INT32_MIN ? INT32_MIN : end;
    uint32_t from = bytes_of(t, start), to = bytes_of(t, end);
    out->t =
        end <= start || to <= from ? (struct text){t.p, 0} : (struct text){t.p + from, to - from};
    return SQL_VALUE;
}

/* Characters to look for: a few one by one, many as a bit each, so that no row's work grows as the
 * product of its texts. */
struct set {
    struct text few;
    uint64_t *bits;
};

enum { FEW_BYTES = 32, SET_WORDS = 0x110000 / 64 };

/* False as frame_take gives NULL. */
static bool set_init(struct set *x, struct text t, struct frame *f)
{
    *x = (struct set){.few = t};
    if (t.len <= FEW_BYTES)
        return true;
    x->bits = frame_take(f, SET_WORDS, sizeof *x->bits);
    if (!x->bits)
        return false;
    memset(x->bits, 0, SET_WORDS * sizeof *x->bits);
    for (uint32_t i = 0; i < t.len; i += width(t.p[i])) {
        uint32_t code = code_at(t.p + i);
        x->bits[code / 64] |= UINT64_C(1) << code % 64;
    }
    return true;
}

static bool has(const struct set *x, const char *c)
{
    struct text t = x->few;
    uint32_t code = code_at(c);

    if (x->bits)
        return x->bits[code / 64] >> code % 64 & 1;
    for (uint32_t i = 0; i < t.len; i += width(t.p[i]))
        if (code_at(t.p + i) == code)
            return true;
    return false;
}

static struct text strip(struct text t, const struct set *set, bool front, bool back)
{
    while (front && t.len && has(set, t.p)) {
        uint32_t w = width(*t.p);
        t.p += w;
        t.len -= w;
    }
    while (back && t.len) {
        uint32_t last = t.len - 1;
        while (last > 0 && ((unsigned char)t.p[last] & 0xc0) == 0x80)
            last--;
        if (!has(set, t.p + last))
            break;
        t.len = last;
    }
    return t;
}

static struct text set_of(const struct sql_node *n, const union sql_value *a)
{
    return n->n_args > 1 ? a[1].t : (struct text){" ", 1};
}

#define STRIP(name, front, back)                   \
    TEXT(name)                                     \
    {                                              \
        struct set set;                            \
                                                   \
        if (!set_init(&set, set_of(n, a), r->f))   \
            return SQL_STOP;                       \
        out->t = strip(a[0].t, &set, front, back); \
        return SQL_VALUE;                          \
    }
STRIP(run_trim, true, true)
STRIP(run_ltrim, true, false)
STRIP(run_rtrim, false, true)

/* -- search -- */

TEXT(run_starts)
{
    (void)n;
    (void)r;
    out->i = a[1].t.len <= a[0].t.len && same(a[1].t, a[0].t.p);
    return SQL_VALUE;
}

TEXT(run_ends)
{
    (void)n;
    (void)r;
    out->i = a[1].t.len <= a[0].t.len && same(a[1].t, a[0].t.p + (a[0].t.len - a[1].t.len));
    return SQL_VALUE;
}

TEXT(run_contains)
{
    (void)n;
    (void)r;
    out->i = a[1].t.len == 0 || find(a[0].t, a[1].t, 0) < a[0].t.len;
    return SQL_VALUE;
}

TEXT(run_instr)
{
    (void)n;
    (void)r;
    out->i = place_of(a[1].t, a[0].t, 0);
    return SQL_VALUE;
}

TEXT(run_replace)
{
    struct text t = a[0].t, part = a[1].t, with = a[2].t;
    uint64_t found = 0, size;

    (void)n;
    out->t = t;
    if (!t.len || !part.len)
        return SQL_VALUE;
    for (uint32_t at = find(t, part, 0); at < t.len; at = find(t, part, at + part.len))
        found++;
    size = t.len - found * part.len + found * with.len;
    char *p = size <= INT32_MAX ? sql_text(r, size, out) : NULL;
    if (!p)
        return size <= INT32_MAX ? SQL_STOP : too_long(n, r);
    for (uint32_t from = 0; from < t.len;) {
        uint32_t at = find(t, part, from);
        memcpy(p, t.p + from, at - from);
        p += at - from;
        if (at < t.len) {
            memcpy(p, with.p, with.len);
            p += with.len;
        }
        from = at < t.len ? at + part.len : at;
    }
    return SQL_VALUE;
}

/* -- like: % is any text, _ any character, and what stands behind the escape is itself -- */

/* The pattern's next element: its bytes, and whether it stands for itself. */
struct element {
    const char *p;
    uint32_t width;
    bool plain;
};

static struct element element_at(struct text pattern, uint32_t i, struct text escape)
{
    bool escaped = escape.len && same(escape, pattern.p + i);
    const char *p = pattern.p + i + escaped;

    return (struct element){p, width(*p), escaped || (*p != '%' && *p != '_')};
}

/* Without a look back further than the last %: what follows one may begin anywhere behind it. */
static bool like(struct text t, struct text pattern, struct text escape)
{
    uint32_t i = 0, j = 0, retry_i = 0, retry_j = UINT32_MAX;

    while (i < t.len || j < pattern.len) {
        struct element e = {"", 0, true};
        if (j < pattern.len)
            e = element_at(pattern, j, escape);
        uint32_t next = (uint32_t)(e.p - pattern.p) + e.width;
        if (e.width && !e.plain && *e.p == '%') {
            retry_j = j = next;
            retry_i = i;
            continue;
        }
        if (e.width && i < t.len &&
            (!e.plain || (width(t.p[i]) == e.width && memcmp(t.p + i, e.p, e.width) == 0))) {
            i += width(t.p[i]);
            j = next;
            continue;
        }
        if (retry_j == UINT32_MAX || retry_i >= t.len)
            return false;
        retry_i += width(t.p[retry_i]);
        i = retry_i;
        j = retry_j;
    }
    return true;
}

TEXT(run_like)
{
    (void)n;
    (void)r;
    out->i = like(a[0].t, a[1].t, a[2].t);
    return SQL_VALUE;
}

static bool prove_like(struct load *l, struct sql_node *n, struct err *e)
{
    const struct sql_node *p = n->args[1], *escape = n->args[2];

    (void)l;
    if (!sql_is_literal(p) || !sql_is_literal(escape) || p->null || escape->null ||
        escape->literal.t.len != 1)
        return err_set(e, ERR_BAD_BUNDLE,
                       "params: the pattern and the escape of like are literals");
    struct text t = p->literal.t;
    for (uint32_t i = 0; i < t.len; i++) {
        if (!same(escape->literal.t, t.p + i))
            continue;
        i++;
        if (i == t.len || (t.p[i] != '%' && t.p[i] != '_' && !same(escape->literal.t, t.p + i)))
            return err_set(e, ERR_BAD_BUNDLE, "params: like escapes %%, _ and its escape");
    }
    return true;
}

/* -- together: all arguments are evaluated, whatever is null -- */

static enum sql_got all(const struct sql_node *n, const struct sql_row *r, struct text **out,
                        uint32_t *nulls)
{
    struct text *t = frame_take(r->f, n->n_args, sizeof *t);

    *nulls = 0;
    for (uint32_t i = 0; t && i < n->n_args; i++) {
        union sql_value v;
        enum sql_got got = sql_run(n->args[i], r, &v);
        if (got == SQL_STOP)
            return got;
        t[i] = got == SQL_NULL ? (struct text){NULL, 0} : v.t.len ? v.t : (struct text){"", 0};
        *nulls += got == SQL_NULL;
    }
    *out = t;
    return t ? SQL_VALUE : SQL_STOP;
}

static enum sql_got join(const struct sql_node *n, const struct sql_row *r, const struct text *t,
                         struct text between, uint32_t first, union sql_value *out)
{
    uint64_t size = 0;

    for (uint32_t i = first; i < n->n_args; i++)
        size += t[i].p ? (uint64_t)t[i].len + between.len : 0;
    size -= size ? between.len : 0;
    if (size > INT32_MAX)
        return too_long(n, r);
    char *p = sql_text(r, size, out);
    if (!p)
        return SQL_STOP;
    for (uint32_t i = first, n_put = 0; i < n->n_args; i++) {
        if (!t[i].p)
            continue;
        if (n_put++ && between.len) {
            memcpy(p, between.p, between.len);
            p += between.len;
        }
        if (t[i].len)
            memcpy(p, t[i].p, t[i].len);
        p += t[i].len;
    }
    return SQL_VALUE;
}

static enum sql_got run_concat(const struct sql_node *n, const struct sql_row *r,
                               union sql_value *out)
{
    struct text *t;
    uint32_t nulls;
    enum sql_got got = all(n, r, &t, &nulls);

    if (got != SQL_VALUE || nulls)
        return got == SQL_VALUE ? SQL_NULL : got;
    return join(n, r, t, (struct text){"", 0}, 0, out);
}

static enum sql_got run_concat_ws(const struct sql_node *n, const struct sql_row *r,
                                  union sql_value *out)
{
    struct text *t;
    uint32_t nulls;
    enum sql_got got = all(n, r, &t, &nulls);

    if (got != SQL_VALUE || !t[0].p)
        return got == SQL_VALUE ? SQL_NULL : got;
    return join(n, r, t, t[0], 1, out);
}

#define TEXTS                           \
    {                                   \
        IS_STRING, IS_STRING, IS_STRING \
    }
#define SEARCH 2, 2, TEXTS, IS_BOOLEAN

static const struct sql_function functions[] = {
    {"length", 1, 1, {IS_STRING}, IS_INT, .eager = run_length},
    {"lower", 1, 1, {IS_STRING}, .eager = run_lower, .prove = prove_lower},
    {"upper", 1, 1, {IS_STRING}, .eager = run_upper, .prove = prove_upper},
    {"reverse", 1, 1, {IS_STRING}, .eager = run_reverse},
    {"substring", 3, 3, {IS_STRING, IS_INT, IS_INT}, IS_STRING, .eager = run_substring},
    {"trim", 1, 2, TEXTS, .eager = run_trim},
    {"ltrim", 1, 2, TEXTS, .eager = run_ltrim},
    {"rtrim", 1, 2, TEXTS, .eager = run_rtrim},
    {"startswith", SEARCH, .eager = run_starts},
    {"endswith", SEARCH, .eager = run_ends},
    {"contains", SEARCH, .eager = run_contains},
    {"instr", 2, 2, TEXTS, IS_INT, .eager = run_instr},
    {"replace", 3, 3, TEXTS, .eager = run_replace},
    {"like", 3, 3, TEXTS, IS_BOOLEAN, .eager = run_like, .prove = prove_like},
    {"concat", 1, 0, TEXTS, .lazy = run_concat},
    {"concat_ws", 1, 0, TEXTS, .lazy = run_concat_ws},
};

const struct sql_table sql_texts = {functions, countof(functions)};
