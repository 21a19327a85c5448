/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's functions of regular expressions, which the exporter has read: behind the text stand as
 * literals the expression, its sets, and how Java searches (FORMAT.md, 5.1).
 */
#include "../text/regex.h"
#include "characters.h"

#include <stdlib.h>
#include <string.h>

enum { ARG_TEXT, ARG_EXPRESSION, ARG_SETS, ARG_HOW, ARG_REPLACEMENT };
enum { HOW_UNITS = 1, HOW_ALIGNED = 2, CODE_MAX = 0x10ffff };

/* -- loading -- */

static uint32_t count(const char *p, char c)
{
    uint32_t n = 0;

    for (; *p; p++)
        n += *p == c;
    return n;
}

/* A code point in hexadecimal digits, and what stands behind it. */
static const char *read_code(const char *p, char behind, uint32_t *out)
{
    size_t digits = strspn(p, "0123456789abcdef");
    unsigned long code = digits && digits <= 6 ? strtoul(p, NULL, 16) : CODE_MAX + 1UL;

    *out = (uint32_t)code;
    return code <= CODE_MAX && p[digits] == behind ? p + digits + 1 : NULL;
}

/* Ranges as first-last, each with a comma behind it; each set with a semicolon behind its ranges.
 */
static bool read_sets(const char *p, uint32_t *offsets, uint32_t *ranges)
{
    uint32_t n = 0, set = 0;

    offsets[0] = 0;
    while (p && *p) {
        uint32_t *pair = ranges + 2 * (size_t)n;
        if (*p == ';') {
            offsets[++set] = n;
            p++;
        } else if ((p = read_code(p, '-', pair)) && (p = read_code(p, ',', pair + 1))) {
            p = pair[0] <= pair[1] ? p : NULL;
            n++;
        }
    }
    return p && offsets[set] == n;
}

static bool load_sets(struct load *l, const char *text, struct regex_sets *out, struct err *e)
{
    uint32_t n = count(text, ';'), n_ranges = count(text, ',');
    uint32_t *offsets = load_new(l, uint32_t, n + 1);
    uint32_t *ranges = load_new(l, uint32_t, 2 * (size_t)n_ranges + 1);

    if (!offsets || !ranges)
        return err_memory(e);
    if (count(text, '-') != n_ranges || !read_sets(text, offsets, ranges))
        return err_set(e, ERR_BAD_BUNDLE, "params: the sets of an expression are wrong");
    *out = (struct regex_sets){n, offsets, ranges};
    return true;
}

static bool are_literals(const struct sql_node *n)
{
    for (uint32_t i = ARG_EXPRESSION; i < n->n_args; i++) {
        const struct sql_node *arg = n->args[i];
        enum type type = i == ARG_HOW ? TYPE_INT : TYPE_STRING;
        if (!sql_is_literal(arg) || arg->null || arg->type.type != type)
            return false;
    }
    return true;
}

static bool prove(struct load *l, struct sql_node *n, struct err *e)
{
    struct regex_sets sets;

    if (!are_literals(n))
        return err_set(e, ERR_BAD_BUNDLE, "params: %s takes literals behind its text",
                       n->function->name);
    int64_t how = n->args[ARG_HOW]->literal.i;
    struct regex *x = load_new(l, struct regex, 1);
    n->literal.cell = x;
    if (!x)
        return err_memory(e);
    return load_sets(l, n->args[ARG_SETS]->literal.t.p, &sets, e) &&
           regex_compile(x, n->args[ARG_EXPRESSION]->literal.t.p, &sets,
                         (struct regex_how){how & HOW_UNITS, how & HOW_ALIGNED}, l->arena, e);
}

/* -- running -- */

/* The text, ready to be searched. */
static enum sql_got begin(const struct sql_node *n, const struct sql_row *r, struct regex_search *s,
                          union sql_value *text, bool *halved)
{
    enum sql_got got = sql_run(n->args[ARG_TEXT], r, text);

    if (got != SQL_VALUE)
        return got;
    return regex_search_init(s, n->literal.cell, r->f) && regex_search_text(s, text->t, halved)
               ? SQL_VALUE
               : SQL_STOP;
}

static enum sql_got stop(const struct sql_node *n, const struct sql_row *r, enum regex_found found)
{
    return found == REGEX_FULL
               ? SQL_STOP
               : sql_fail(n, r, "the pattern takes more than %d steps over the text", REGEX_STEPS);
}

static enum sql_got run_rlike(const struct sql_node *n, const struct sql_row *r,
                              union sql_value *out)
{
    struct regex_search s;
    union sql_value text;
    bool halved;
    enum sql_got got = begin(n, r, &s, &text, &halved);

    if (got != SQL_VALUE)
        return got;
    enum regex_found found = regex_next(&s);
    out->i = found == REGEX_FOUND;
    return found == REGEX_FOUND || found == REGEX_NONE ? SQL_VALUE : stop(n, r, found);
}

/* A text in memory of the frame that grows. */
struct growing {
    char *p;
    size_t len, room;
};

static bool grow(struct growing *g, struct frame *f, size_t more)
{
    size_t room = 2 * (g->len + more);
    char *p = room <= INT32_MAX ? frame_take(f, room, 1) : NULL;

    if (!p)
        return false;
    if (g->len)
        memcpy(p, g->p, g->len);
    g->p = p;
    g->room = room;
    return true;
}

/* False as frame_take gives NULL, or where it would be too long. */
static bool add(struct growing *g, struct frame *f, const char *p, size_t n)
{
    if (n > g->room - g->len && !grow(g, f, n))
        return false;
    if (n)
        memcpy(g->p + g->len, p, n);
    g->len += n;
    return true;
}

static enum sql_got no_room(const struct sql_node *n, const struct sql_row *r)
{
    return r->f->full ? SQL_STOP : too_long(n, r);
}

/* All matches, each with the replacement in its place. */
static enum sql_got replace(const struct sql_node *n, const struct sql_row *r,
                            struct regex_search *s, struct growing *g)
{
    struct text with = n->args[ARG_REPLACEMENT]->literal.t;
    uint32_t at = 0;
    enum regex_found found = regex_next(s);

    for (; found == REGEX_FOUND; found = regex_next(s)) {
        if (!add(g, r->f, s->text.p + at, s->begin - at) || !add(g, r->f, with.p, with.len))
            return no_room(n, r);
        at = s->end;
    }
    if (found != REGEX_NONE)
        return stop(n, r, found);
    return add(g, r->f, s->text.p + at, s->text.len - at) ? SQL_VALUE : no_room(n, r);
}

static enum sql_got run_regexp_replace(const struct sql_node *n, const struct sql_row *r,
                                       union sql_value *out)
{
    struct regex_search s;
    struct growing g = {0};
    union sql_value text;
    bool halved;
    enum sql_got got = begin(n, r, &s, &text, &halved);

    if (got != SQL_VALUE || (got = replace(n, r, &s, &g)) != SQL_VALUE)
        return got;
    if (halved)
        g.len = regex_join(g.p, (uint32_t)g.len);
    out->t = (struct text){g.p ? g.p : "", (uint32_t)g.len};
    return SQL_VALUE;
}

#define ARGUMENTS                                \
    {                                            \
        IS_STRING, IS_STRING, IS_STRING | IS_INT \
    }

static const struct sql_function functions[] = {
    {"rlike", 4, 4, ARGUMENTS, IS_BOOLEAN, .lazy = run_rlike, .prove = prove},
    {"regexp_replace", 5, 5, ARGUMENTS, IS_STRING, .lazy = run_regexp_replace, .prove = prove},
};

const struct sql_table sql_regexes = {functions, countof(functions)};
