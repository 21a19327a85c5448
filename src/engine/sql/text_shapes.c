/* SPDX-License-Identifier: Apache-2.0 */
/* SQL's functions that pad, repeat, translate and cut strings, and that look for a part of one. */
#include "characters.h"

static void put(char **p, struct text t)
{
    if (t.len)
        memcpy(*p, t.p, t.len);
    *p += t.len;
}

/* Memory for a text of so many bytes; NULL and what became of the row, where there is none. */
static char *room(const struct sql_node *n, const struct sql_row *r, uint64_t size,
                  union sql_value *out, enum sql_got *got)
{
    *got = size > INT32_MAX ? too_long(n, r) : SQL_STOP;
    return size > INT32_MAX ? NULL : sql_text(r, size, out);
}

/* -- padding: with whole pads, and the first characters of one -- */

struct padding {
    struct text pad, rest;
    uint32_t times;
};

/* False: the text has as many characters as are wanted, or there is nothing to pad with. */
static bool padding_of(const union sql_value *a, struct padding *out)
{
    struct text pad = a[2].t;
    int32_t missing = (int32_t)(uint32_t)(a[1].i - characters(a[0].t)); /* as Java's int has it */
    uint32_t each = characters(pad);

    if (missing <= 0 || !pad.len)
        return false;
    out->pad = pad;
    out->times = (uint32_t)missing / each;
    out->rest = (struct text){pad.p, bytes_of(pad, (uint32_t)missing % each)};
    return true;
}

static void put_padding(char **p, const struct padding *x)
{
    for (uint32_t i = 0; i < x->times; i++)
        put(p, x->pad);
    put(p, x->rest);
}

static enum sql_got pad(const struct sql_node *n, const struct sql_row *r, const union sql_value *a,
                        bool left, union sql_value *out)
{
    struct text t = a[0].t;
    struct padding x;
    enum sql_got got;

    if (!padding_of(a, &x)) {
        out->t = (struct text){t.p, bytes_of(t, a[1].i)};
        return SQL_VALUE;
    }
    char *p = room(n, r, t.len + (uint64_t)x.times * x.pad.len + x.rest.len, out, &got);
    if (!p)
        return got;
    if (left)
        put_padding(&p, &x);
    put(&p, t);
    if (!left)
        put_padding(&p, &x);
    return SQL_VALUE;
}

TEXT(run_lpad)
{
    return pad(n, r, a, true, out);
}

TEXT(run_rpad)
{
    return pad(n, r, a, false, out);
}

TEXT(run_repeat)
{
    uint64_t times = a[1].i > 0 && a[0].t.len ? (uint64_t)a[1].i : 0;
    enum sql_got got;
    char *p = room(n, r, times * a[0].t.len, out, &got);

    if (!p)
        return got;
    for (uint64_t i = 0; i < times; i++)
        put(&p, a[0].t);
    return SQL_VALUE;
}

/* -- translation: a character of the second text becomes that at its place in the third -- */

/* What a character becomes: nothing, where the third text is shorter, or has U+0000 there. */
static struct text translated(struct text c, struct text from, struct text to)
{
    uint32_t j = 0;

    for (uint32_t i = 0; i < from.len; i += width(from.p[i])) {
        uint32_t w = j < to.len ? width(to.p[j]) : 0;
        if (width(from.p[i]) == c.len && same(c, from.p + i))
            return w && to.p[j] ? (struct text){to.p + j, w} : (struct text){c.p, 0};
        j += w;
    }
    return c;
}

TEXT(run_translate)
{
    struct text t = a[0].t;
    uint64_t size = 0;
    enum sql_got got;

    for (uint32_t i = 0; i < t.len; i += width(t.p[i]))
        size += translated((struct text){t.p + i, width(t.p[i])}, a[1].t, a[2].t).len;
    char *p = room(n, r, size, out, &got);
    if (!p)
        return got;
    for (uint32_t i = 0; i < t.len; i += width(t.p[i]))
        put(&p, translated((struct text){t.p + i, width(t.p[i])}, a[1].t, a[2].t));
    return SQL_VALUE;
}

/* Else a row could ask for any size, or for work that grows as the square of its texts. */
static bool prove_constants(struct load *l, struct sql_node *n, struct err *e)
{
    (void)l;
    for (uint32_t i = 1; i < n->n_args; i++)
        if (!sql_is_literal(n->args[i]))
            return err_set(e, ERR_BAD_BUNDLE, "params: %s takes literals behind its text",
                           n->function->name);
    return true;
}

/* -- parts -- */

/* Up to the count-th of the separators; all of the text where there are fewer. */
static struct text before(struct text t, struct text separator, int64_t count)
{
    uint32_t at = find(t, separator, 0);

    while (--count > 0 && at < t.len)
        at = find(t, separator, at + 1);
    return (struct text){t.p, at};
}

/* Behind the count-th of the separators from the end on. */
static struct text behind(struct text t, struct text separator, int64_t count)
{
    for (int64_t at = (int64_t)t.len - separator.len; at >= 0; at--)
        if (same(separator, t.p + at) && --count == 0)
            return (struct text){t.p + at + separator.len, t.len - (uint32_t)at - separator.len};
    return t;
}

TEXT(run_substring_index)
{
    struct text t = a[0].t, separator = a[1].t;
    int64_t count = a[2].i;

    (void)n;
    (void)r;
    out->t = count == 0 || !separator.len ? (struct text){t.p, 0}
             : count > 0                  ? before(t, separator, count)
                                          : behind(t, separator, -count);
    return SQL_VALUE;
}

/* From a place on, which is evaluated first: where it is null, the answer is 0 whatever the others
 * are. */
static enum sql_got run_locate(const struct sql_node *n, const struct sql_row *r,
                               union sql_value *out)
{
    union sql_value from, part, t;
    enum sql_got got = sql_run(n->args[2], r, &from);

    out->i = 0;
    if (got != SQL_VALUE)
        return got == SQL_NULL ? SQL_VALUE : got;
    if ((got = sql_run(n->args[0], r, &part)) != SQL_VALUE ||
        (got = sql_run(n->args[1], r, &t)) != SQL_VALUE)
        return got;
    if (from.i >= 1)
        out->i = place_of(part.t, t.t, from.i - 1);
    return SQL_VALUE;
}

TEXT(run_ascii)
{
    (void)n;
    (void)r;
    out->i = a[0].t.len ? code_at(a[0].t.p) : 0;
    return SQL_VALUE;
}

TEXT(run_octet_length)
{
    (void)n;
    (void)r;
    out->i = a[0].t.len;
    return SQL_VALUE;
}

TEXT(run_bit_length)
{
    (void)n;
    (void)r;
    out->i = (int32_t)(a[0].t.len * 8); /* as Java's int has it */
    return SQL_VALUE;
}

#define OF_TEXTS                        \
    {                                   \
        IS_STRING, IS_STRING, IS_STRING \
    }
#define PADDING 3, 3, {IS_STRING, IS_INT, IS_STRING}, IS_STRING

static const struct sql_function functions[] = {
    {"lpad", PADDING, .eager = run_lpad, .prove = prove_constants},
    {"rpad", PADDING, .eager = run_rpad, .prove = prove_constants},
    {"repeat", 2, 2, {IS_STRING, IS_INT}, IS_STRING, .eager = run_repeat, .prove = prove_constants},
    {"translate", 3, 3, OF_TEXTS, .eager = run_translate, .prove = prove_constants},
    {"substring_index",
     3,
     3,
     {IS_STRING, IS_STRING, IS_INT},
     IS_STRING,
     .eager = run_substring_index,
     .prove = prove_constants},
    {"locate", 3, 3, {IS_STRING, IS_STRING, IS_INT}, IS_INT, .lazy = run_locate},
    {"ascii", 1, 1, OF_TEXTS, IS_INT, .eager = run_ascii},
    {"octet_length", 1, 1, OF_TEXTS, IS_INT, .eager = run_octet_length},
    {"bit_length", 1, 1, OF_TEXTS, IS_INT, .eager = run_bit_length},
};

const struct sql_table sql_text_shapes = {functions, countof(functions)};
