/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include "scored/utf8.h"

#include <stdarg.h>
#include <stdio.h>

void reader_init(struct reader *r, char *text, size_t n, struct body_problem *why)
{
    *r = (struct reader){
        .p = text, .end = text + n, .start = text, .line_start = text, .line = 1, .why = why};
    why->problem = PROBLEM_NONE;
    why->offset = why->line = why->column = 0;
    why->detail[0] = '\0';
}

/* -- problems -- */

bool reader_fail(struct reader *r, const char *at, enum problem problem, const char *fmt, ...)
{
    struct body_problem *why = r->why;
    char what[ROW_DETAIL - 80];
    va_list args;

    why->problem = problem;
    why->offset = (size_t)(at - r->start);
    why->line = r->line;
    why->column = (size_t)(at - r->line_start) + 1;
    va_start(args, fmt);
    if (vsnprintf(what, sizeof what, fmt, args) < 0)
        what[0] = '\0';
    va_end(args);
    what[utf8_valid(what, strlen(what))] = '\0';
    int n = snprintf(why->detail, sizeof why->detail, "%s at byte %zu (line %zu, column %zu)", what,
                     why->offset, why->line, why->column);
    (void)n; /* fits: the place takes less than 80 bytes */
    return false;
}

bool reader_expected(struct reader *r, const char *what)
{
    const char *p = r->p;
    unsigned char c = p < r->end ? (unsigned char)*p : 0;

    if (p == r->end)
        return reader_fail(r, p, PROBLEM_MALFORMED_JSON, "expected %s, found the end of the text",
                           what);
    if (c >= 0x80 && !utf8_sequence(p, (size_t)(r->end - p)))
        return reader_fail(r, p, PROBLEM_MALFORMED_UTF8, "expected %s, found byte 0x%02x", what, c);
    return reader_fail(r, p, PROBLEM_MALFORMED_JSON,
                       c > ' ' && c < 0x7f ? "expected %s, found '%c'"
                                           : "expected %s, found byte 0x%02x",
                       what, c);
}

/* -- structure -- */

char reader_space_slow(struct reader *r)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '\n') {
            r->line++;
            r->line_start = r->p + 1;
        } else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r') {
            return *r->p;
        }
    }
    return '\0';
}

bool reader_enter(struct reader *r)
{
    if (r->depth == DEPTH_MAX)
        return reader_fail(r, r->p, PROBLEM_TOO_DEEP,
                           "more than %d objects and arrays in each other", DEPTH_MAX);
    r->depth++;
    r->p++;
    return true;
}

void reader_leave(struct reader *r)
{
    r->depth--;
    r->p++;
}

int reader_more_slow(struct reader *r, char close)
{
    if (reader_space(r) == close) {
        reader_leave(r);
        return 0;
    }
    reader_expected(r, close == '}' ? "',' or '}'" : "',' or ']'");
    return -1;
}

bool reader_finish(struct reader *r)
{
    reader_space(r);
    return r->p == r->end || reader_expected(r, "the end of the text");
}

/* -- strings -- */

/* The first byte from p on that is not plain: a quote, a backslash, a control character, not ASCII.
 */
static char *skip_plain(char *p, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;

    for (; end - p >= 8; p += 8) {
        uint64_t eight;
        memcpy(&eight, p, sizeof eight);
        uint64_t quote = eight ^ ones * '"', slash = eight ^ ones * '\\';
        /* in each, the lowest byte marked is marked rightly: borrows only go up */
        uint64_t marks = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
                         ((eight - ones * ' ') & ~eight) | eight;
        marks &= highs;
        if (marks)
            return p + __builtin_ctzll(marks) / 8;
    }
    while (p < end && *p != '"' && *p != '\\' && *p >= ' ' && *p < 0x7f)
        p++;
    return p;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The code unit of the \uXXXX at p, or -1. */
static int32_t code_unit(const char *p, const char *end)
{
    int32_t code = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

/* Reads the \uXXXX at p, with the second one of a surrogate pair. */
static bool read_code(struct reader *r, char out[4], unsigned *n)
{
    int32_t code = code_unit(r->p, r->end);
    char *from = r->p;

    if (code < 0)
        return reader_fail(r, from, PROBLEM_MALFORMED_JSON, "expected four hex digits after \\u");
    r->p += 6;
    if (code >= 0xd800 && code < 0xe000) {
        int32_t low = code < 0xdc00 ? code_unit(r->p, r->end) : -1;
        if (low < 0xdc00 || low >= 0xe000)
            return reader_fail(r, from, PROBLEM_MALFORMED_JSON,
                               "a surrogate without its other half");
        r->p += 6;
        code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
    }
    *n = utf8_put(out, (uint32_t)code);
    return true;
}

/* Reads the escape at p. What it stands for is shorter than itself. */
static bool read_escape(struct reader *r, char out[4], unsigned *n)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = '\0';

    if (r->end - r->p > 1)
        c = r->p[1];

    if (c == 'u')
        return read_code(r, out, n);
    const char *found = c ? strchr(escapes, c) : NULL;
    if (!found) {
        r->p++;
        return reader_expected(r, "one of \"\\/bfnrtu after a backslash");
    }
    r->p += 2;
    out[0] = meanings[found - escapes];
    *n = 1;
    return true;
}

/* Reads what is not plain, and not the closing quote: an escape, or a character beyond ASCII. */
static bool read_special(struct reader *r, char out[4], unsigned *n)
{
    unsigned char c = r->p < r->end ? (unsigned char)*r->p : 0;

    if (c == '\\')
        return read_escape(r, out, n);
    if (c < ' ')
        return reader_expected(r, "a character of a string");
    *n = utf8_sequence(r->p, (size_t)(r->end - r->p));
    if (!*n)
        return reader_expected(r, "UTF-8");
    memcpy(out, r->p, *n);
    r->p += *n;
    return true;
}

bool reader_string(struct reader *r, bool keep, struct text *out)
{
    char *start = r->p + 1, *to;

    r->p = to = skip_plain(start, r->end);
    while (r->p == r->end || *r->p != '"') {
        char special[4];
        unsigned n;
        if (!read_special(r, special, &n))
            return false;
        char *plain = r->p;
        r->p = skip_plain(plain, r->end);
        if (!keep)
            continue;
        memcpy(to, special, n);
        memmove(to + n, plain, (size_t)(r->p - plain));
        to += n + (r->p - plain);
    }
    r->p++;
    if (out)
        *out = (struct text){start, (uint32_t)(to - start)};
    return true;
}

/* -- other values -- */

/* Finds where the number at p goes wrong. */
static bool bad_number(struct reader *r)
{
    struct reader at = *r;

    at.p += at.p < at.end && *at.p == '-';
    bool zero = at.p < at.end && *at.p == '0';
    do {
        char *from = at.p;
        while (at.p < at.end && *at.p >= '0' && *at.p <= '9')
            at.p++;
        if (at.p == from)
            break;
        if (zero && at.p - from > 1)
            return reader_fail(r, from, PROBLEM_MALFORMED_JSON, "a number may not begin with 0%c",
                               from[1]);
        zero = false;
        if (at.p < at.end && (*at.p | 0x20) == 'e' && at.end - at.p > 1 &&
            (at.p[1] == '+' || at.p[1] == '-'))
            at.p++;
    } while (at.p++ < at.end);
    if (at.p > at.end)
        at.p = at.end;
    return reader_expected(&at, "a digit of a number");
}

bool reader_number(struct reader *r, struct number *out)
{
    const char *after = number_scan(r->p, r->end, out);

    if (!after)
        return bad_number(r);
    r->p += after - r->p;
    return true;
}

bool reader_word(struct reader *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return reader_expected(r, "true, false, null or another value");
    r->p += n;
    return true;
}

static bool skip_object(struct reader *r)
{
    if (!reader_enter(r))
        return false;
    if (reader_space(r) == '}') {
        reader_leave(r);
        return true;
    }
    int more;
    do {
        if (reader_space(r) != '"')
            return reader_expected(r, "a name in quotes");
        if (!reader_string(r, false, NULL) || !reader_take(r, ':', "':'") || !reader_skip(r))
            return false;
        more = reader_more(r, '}');
    } while (more > 0);
    return more == 0;
}

static bool skip_array(struct reader *r)
{
    if (!reader_enter(r))
        return false;
    if (reader_space(r) == ']') {
        reader_leave(r);
        return true;
    }
    int more;
    do {
        if (!reader_skip(r))
            return false;
        more = reader_more(r, ']');
    } while (more > 0);
    return more == 0;
}

bool reader_skip(struct reader *r)
{
    struct number ignored;

    switch (reader_space(r)) {
    case '{': return skip_object(r);
    case '[': return skip_array(r);
    case '"': return reader_string(r, false, NULL);
    case 't': return reader_word(r, "true");
    case 'f': return reader_word(r, "false");
    case 'n': return reader_word(r, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return reader_number(r, &ignored);
    default: return reader_expected(r, "a value");
    }
}

const char *reader_kind(char first)
{
    switch (first) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a boolean";
    case 'n': return "null";
    default: return first == '-' || (first >= '0' && first <= '9') ? "a number" : NULL;
    }
}
