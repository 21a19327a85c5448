/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An expression becomes a pattern of PCRE2 in which nothing depends on PCRE2's tables or options:
 * sets are written out. Behind each choice stands a callout, which counts the steps that a text
 * takes; without choices a text takes as many as it is long.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.h"

#include "scored/buf.h"
#include "scored/utf8.h"

#include <pcre2.h>
#include <stdlib.h>

enum { CODE_MAX = 0x10ffff, HIGH = 0xd800, LOW = 0xdc00, HALF_MAX = 0xdfff, BMP_MAX = 0xffff };
enum { PATTERN_MAX = 1 << 20, HALF_BITS = 10 };

/* -- from expressions to patterns -- */

struct writer {
    const struct regex_sets *sets;
    struct buf out;
    bool units, aligned;
    bool behind; /* within a look-behind, */
    bool first;  /* where a choice of it begins */
};

static void put_range(struct writer *w, uint32_t from, uint32_t to)
{
    buf_printf(&w->out, from == to ? "\\x{%x}" : "\\x{%x}-\\x{%x}", (unsigned)from, (unsigned)to);
}

/* What of a set lies between. */
static void put_part(struct writer *w, uint32_t set, uint32_t low, uint32_t high)
{
    for (size_t i = w->sets->offsets[set]; i < w->sets->offsets[set + 1]; i++) {
        uint32_t from = w->sets->ranges[2 * i], to = w->sets->ranges[2 * i + 1];
        from = from < low ? low : from;
        to = to > high ? high : to;
        if (from <= to)
            put_range(w, from, to);
    }
}

/* What matches nothing. */
static const char none[] = "[^\\x{0}-\\x{10ffff}]";

/* Ends the class that begins at a place. */
static void end_class(struct writer *w, size_t at)
{
    if (w->out.len > at + 1) {
        buf_char(&w->out, ']');
        return;
    }
    w->out.len = at;
    buf_text(&w->out, none);
}

/* What of a set lies below HIGH, and from `again` to `high`, as a class. */
static void put_class(struct writer *w, uint32_t set, uint32_t again, uint32_t high)
{
    size_t at = w->out.len;

    buf_char(&w->out, '[');
    put_part(w, set, 0, HIGH - 1);
    put_part(w, set, again, high);
    end_class(w, at);
}

static void put_halves(struct writer *w, uint32_t high, uint32_t last, uint32_t low, uint32_t to)
{
    buf_lit(&w->out, "|[");
    put_range(w, HIGH + high, HIGH + last);
    buf_lit(&w->out, "][");
    put_range(w, LOW + low, LOW + to);
    buf_char(&w->out, ']');
}

/* A range beyond BMP_MAX, as choices of a high and a low half. */
static void put_pairs(struct writer *w, uint32_t from, uint32_t to)
{
    enum { ALL = (1 << HALF_BITS) - 1 };
    uint32_t a = from - BMP_MAX - 1, b = to - BMP_MAX - 1;
    uint32_t high = a >> HALF_BITS, last = b >> HALF_BITS;

    if (high == last) {
        put_halves(w, high, high, a & ALL, b & ALL);
        return;
    }
    if (a & ALL)
        put_halves(w, high, high, a & ALL, ALL), high++;
    if ((b & ALL) != ALL)
        put_halves(w, last, last, 0, b & ALL), last--;
    if (high <= last)
        put_halves(w, high, last, 0, ALL);
}

static void put_set_of_units(struct writer *w, uint32_t set)
{
    buf_lit(&w->out, "(?:");
    put_class(w, set, LOW, BMP_MAX);
    for (size_t i = w->sets->offsets[set]; i < w->sets->offsets[set + 1]; i++) {
        uint32_t from = w->sets->ranges[2 * i], to = w->sets->ranges[2 * i + 1];
        if (to > BMP_MAX)
            put_pairs(w, from > BMP_MAX ? from : BMP_MAX + 1, to);
    }
    buf_char(&w->out, ')');
}

static bool has_half(const struct writer *w, uint32_t set)
{
    for (size_t i = w->sets->offsets[set]; i < w->sets->offsets[set + 1]; i++)
        if (w->sets->ranges[2 * i] <= LOW && w->sets->ranges[2 * i + 1] >= HALF_MAX)
            return true;
    return false;
}

/* Behind, Java goes back as many units as there are sets: the first may stand at the low half of a
 * character, which has the place of all of it where characters are whole. */
static void put_set_behind(struct writer *w, uint32_t set, bool first)
{
    bool half = first && has_half(w, set);
    size_t at = w->out.len;

    buf_char(&w->out, '[');
    put_part(w, set, 0, HIGH - 1);
    put_part(w, set, HALF_MAX + 1, BMP_MAX);
    if (half)
        put_range(w, w->units ? LOW : BMP_MAX + 1, w->units ? HALF_MAX : CODE_MAX);
    end_class(w, at);
}

static void put_set(struct writer *w, uint32_t set)
{
    bool first = w->first;

    w->first = false;
    if (w->behind)
        put_set_behind(w, set, first);
    else if (w->units)
        put_set_of_units(w, set);
    else
        put_class(w, set, HALF_MAX + 1, CODE_MAX);
}

/* [0], which stands for a set. */
static const char *read_set(struct writer *w, const char *p)
{
    char *end;
    unsigned long set = strtoul(p, &end, 10);

    if (end == p || *end != ']' || *p < '0' || *p > '9' || set >= w->sets->n)
        return NULL;
    put_set(w, (uint32_t)set);
    return end + 1;
}

/* What ends a look-behind or a group, or begins one, or is an anchor. */
static const struct token {
    const char *text, *pattern;
    enum { PLAIN, OPENS, BEHIND, OR, CLOSES } kind;
} tokens[] = {
    {"(?:", "(?:", OPENS},
    {"(?>", "(?>", OPENS},
    {"(?=", "(?=", OPENS},
    {"(?!", "(?!", OPENS},
    {"(?<=", "(?<=", BEHIND},
    {"(?<!", "(?<!", BEHIND},
    {"|", "|", OR},
    {")", ")", CLOSES},
    {"^", "\\A", PLAIN},
    {"\\z", "\\z", PLAIN},
    {"$", "(?:\\z|(?=\\r\\n\\z)|(?=[\\r\\x{85}\\x{2028}\\x{2029}]\\z)|(?<!\\r)(?=\\n\\z))", PLAIN},
};

static bool is_quantifier(char c)
{
    return c == '*' || c == '+' || c == '?' || c == '{';
}

static const char *read_token(struct writer *w, const char *p)
{
    for (const struct token *t = tokens; t < tokens + countof(tokens); t++) {
        size_t n = strlen(t->text);
        if (strncmp(p, t->text, n) != 0)
            continue;
        if (w->behind && t->kind != CLOSES && t->kind != OR)
            return NULL;
        buf_text(&w->out, t->pattern);
        if (t->kind == CLOSES && !w->behind && !is_quantifier(p[n]))
            buf_lit(&w->out, "(?C)");
        w->behind = t->kind == BEHIND || (w->behind && t->kind != CLOSES);
        w->first = w->behind;
        return p + n;
    }
    return NULL;
}

/* Past {n}, {n,} or {n,m}, whose numbers PCRE2 checks; NULL: it is none. */
static const char *read_count(const char *p)
{
    static const char digits[] = "0123456789";
    size_t n = strspn(++p, digits);

    p += n;
    if (!n)
        return NULL;
    if (*p == ',')
        p += 1 + strspn(p + 1, digits);
    return *p == '}' ? p + 1 : NULL;
}

static const char *read_quantifier(struct writer *w, const char *p)
{
    const char *end = *p == '{' ? read_count(p) : p + 1;

    if (!end || w->behind)
        return NULL;
    end += *end == '?' || *end == '+';
    buf_put(&w->out, p, (size_t)(end - p));
    buf_lit(&w->out, "(?C)");
    return end;
}

static bool write_pattern(struct writer *w, const char *expression, struct err *e)
{
    const char *p = expression;

    while (*p) {
        const char *next = *p == '['           ? read_set(w, p + 1)
                           : is_quantifier(*p) ? read_quantifier(w, p)
                                               : read_token(w, p);
        if (!next)
            return err_set(e, ERR_BAD_BUNDLE, "params.expression: wrong at byte %zu",
                           (size_t)(p - expression));
        if (w->out.len > PATTERN_MAX)
            return err_set(e, ERR_BAD_BUNDLE,
                           "params.expression: makes a pattern of more than %d "
                           "bytes",
                           PATTERN_MAX);
        p = next;
    }
    return true;
}

/* -- compiling -- */

static void *take_arena(size_t n, void *arena)
{
    return arena_alloc(arena, n, 1, alignof(max_align_t));
}

/* What arena and frame own goes with them. */
static void free_nothing(void *p, void *owner)
{
    (void)p;
    (void)owner;
}

static bool compile(const struct buf *pattern, struct arena *a, const void **out, struct err *e)
{
    pcre2_general_context *memory = pcre2_general_context_create(take_arena, free_nothing, a);
    pcre2_compile_context *how = memory ? pcre2_compile_context_create(memory) : NULL;
    int wrong;
    size_t at;
    unsigned char message[128];

    if (!how)
        return err_memory(e);
    pcre2_set_compile_extra_options(how, PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);
    *out = pcre2_compile((const unsigned char *)(pattern->len ? pattern->data : ""), pattern->len,
                         PCRE2_UTF, &wrong, &at, how);
    if (*out)
        return true;
    if (pcre2_get_error_message(wrong, message, sizeof message) < 0)
        message[0] = '\0';
    return err_set(e, ERR_BAD_BUNDLE, "params.expression: %s", (const char *)message);
}

static bool translate(struct writer w, const char *expression, struct arena *a, const void **out,
                      struct err *e)
{
    bool between = w.units && w.aligned;

    if (between)
        buf_lit(&w.out, "(?:\\G|(?<![\\x{d800}-\\x{dbff}]))(?:");
    bool ok = write_pattern(&w, expression, e);
    if (between)
        buf_char(&w.out, ')');
    ok = ok && (!w.out.failed || err_memory(e)) && compile(&w.out, a, out, e);

    buf_done(&w.out);
    return ok;
}

bool regex_compile(struct regex *x, const char *expression, const struct regex_sets *sets,
                   struct regex_how how, struct arena *a, struct err *e)
{
    struct writer w = {.sets = sets, .aligned = how.aligned};

    *x = (struct regex){0};
    if (!translate(w, expression, a, &x->plain, e))
        return false;
    w.units = true;
    return !how.units || translate(w, expression, a, &x->halves, e);
}

/* -- searching -- */

static void *take_frame(size_t n, void *frame)
{
    return frame_take(frame, n, 1);
}

static int count_step(pcre2_callout_block *block, void *steps)
{
    (void)block;
    return ++*(uint32_t *)steps > REGEX_STEPS ? PCRE2_ERROR_MATCHLIMIT : 0;
}

bool regex_search_init(struct regex_search *s, const struct regex *x, struct frame *f)
{
    pcre2_general_context *memory = pcre2_general_context_create(take_frame, free_nothing, f);

    *s = (struct regex_search){.regex = x, .frame = f};
    s->context = memory ? pcre2_match_context_create(memory) : NULL;
    s->data = s->context ? pcre2_match_data_create(1, memory) : NULL;
    if (!s->data)
        return false;
    pcre2_set_match_limit(s->context, REGEX_STEPS);
    pcre2_set_depth_limit(s->context, REGEX_STEPS);
    pcre2_set_callout(s->context, count_step, &s->steps);
    return true;
}

/* Each character of four bytes becomes two of three, its halves. */
static uint32_t put_text_of_halves(struct text t, char *out)
{
    const unsigned char *p = (const unsigned char *)t.p;
    char *to = out;

    for (uint32_t i = 0; i < t.len;) {
        if (p[i] < 0xf0) {
            *to++ = t.p[i++];
            continue;
        }
        uint32_t code =
            (p[i] & 7U) << 18 | (p[i + 1] & 63U) << 12 | (p[i + 2] & 63U) << 6 | (p[i + 3] & 63U);
        uint32_t half[] = {HIGH + ((code - BMP_MAX - 1) >> HALF_BITS), LOW + (code & 0x3ff)};
        for (unsigned k = 0; k < 2; k++) {
            *to++ = (char)(0xe0 | half[k] >> 12);
            *to++ = (char)(0x80 | (half[k] >> 6 & 63));
            *to++ = (char)(0x80 | (half[k] & 63));
        }
        i += 4;
    }
    return (uint32_t)(to - out);
}

static uint32_t count_beyond(struct text t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t.len; i++)
        n += (unsigned char)t.p[i] >= 0xf0;
    return n;
}

bool regex_search_text(struct regex_search *s, struct text t, bool *halved)
{
    uint32_t beyond = s->regex->halves ? count_beyond(t) : 0;

    *halved = beyond != 0;
    s->code = *halved ? s->regex->halves : s->regex->plain;
    s->steps = s->begin = s->from = 0;
    s->end = 1; /* not where it began: the first search is from 0 */
    s->text = t.len ? t : (struct text){"", 0};
    if (!*halved)
        return true;
    char *p = frame_take(s->frame, (size_t)t.len + 2 * (size_t)beyond, 1);
    if (!p)
        return false;
    s->text = (struct text){p, put_text_of_halves(t, p)};
    return true;
}

/* Bytes of the character at `at`. */
static uint32_t length_at(struct text t, uint32_t at)
{
    uint32_t n = 1;

    while (at + n < t.len && ((unsigned char)t.p[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

enum regex_found regex_next(struct regex_search *s)
{
    if (s->begin == s->end) /* the match found before was empty */
        s->from += length_at(s->text, s->from);
    if (s->from > s->text.len)
        return REGEX_NONE;
    int found = pcre2_match(s->code, (const unsigned char *)s->text.p, s->text.len, s->from,
                            PCRE2_NO_UTF_CHECK, s->data, s->context);
    if (s->frame->full)
        return REGEX_FULL;
    if (found < 0)
        return found == PCRE2_ERROR_NOMATCH ? REGEX_NONE : REGEX_TOO_LONG;
    const size_t *at = pcre2_get_ovector_pointer(s->data);
    s->begin = (uint32_t)at[0];
    s->end = s->from = (uint32_t)at[1];
    return REGEX_FOUND;
}

uint32_t regex_join(char *p, uint32_t n)
{
    uint32_t to = 0;

    for (uint32_t i = 0; i < n;) {
        const unsigned char *u = (const unsigned char *)p + i;
        bool half = u[0] == 0xed && u[1] >= 0xa0, high = half && u[1] < 0xb0;
        bool pair = high && i + 6 <= n && u[3] == 0xed && u[4] >= 0xb0;
        if (!half) {
            p[to++] = p[i++];
        } else if (!pair) {
            p[to++] = '?';
            i += 3;
        } else {
            uint32_t code =
                BMP_MAX + 1 +
                ((u[1] & 15U) << 16 | (u[2] & 63U) << 10 | (u[4] & 15U) << 6 | (u[5] & 63U));
            to += utf8_put(p + to, code);
            i += 6;
        }
    }
    return to;
}
