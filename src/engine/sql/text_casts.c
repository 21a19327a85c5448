/* SPDX-License-Identifier: Apache-2.0 */
/* Casts between strings and numbers or booleans: numbers are written and read as Java does. */
#include "../jtext.h"
#include "sql.h"

#include "scored/java.h"
#include "scored/number.h"

#include <math.h>
#include <string.h>

enum { SHOWN = 40 };

#define CAST(name)                                                              \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)

/* -- to strings -- */

static enum sql_got put(const struct sql_row *r, const char *p, unsigned size, union sql_value *out)
{
    char *to = sql_text(r, size, out);

    if (!to)
        return SQL_STOP;
    memcpy(to, p, size);
    return SQL_VALUE;
}

CAST(integer_to_text)
{
    char room[JTEXT_MAX];

    (void)n;
    return put(r, room, jtext_long(a[0].i, room), out);
}

CAST(double_to_text)
{
    char room[JTEXT_MAX];

    (void)n;
    return put(r, room, jtext_double(a[0].d, room), out);
}

CAST(float_to_text)
{
    char room[JTEXT_MAX];

    (void)n;
    return put(r, room, jtext_float(a[0].f, room), out);
}

CAST(boolean_to_text)
{
    (void)n;
    (void)r;
    out->t = a[0].i ? (struct text){"true", 4} : (struct text){"false", 5};
    return SQL_VALUE;
}

/* -- to integers and booleans: what is blank or a control character is cut off -- */

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

static struct text cut(struct text t, bool (*blank)(char))
{
    while (t.len && blank(*t.p)) {
        t.p++;
        t.len--;
    }
    while (t.len && blank(t.p[t.len - 1]))
        t.len--;
    return t;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* As a negative number, of which there are more. */
static bool read_digits(struct text t, bool fraction, int64_t *out)
{
    uint32_t i = 0;

    *out = 0;
    for (; i < t.len && !(fraction && t.p[i] == '.'); i++)
        if (!is_digit(t.p[i]) || __builtin_mul_overflow(*out, (int64_t)10, out) ||
            __builtin_sub_overflow(*out, (int64_t)(t.p[i] - '0'), out))
            return false;
    for (i++; i < t.len; i++)
        if (!is_digit(t.p[i]))
            return false;
    return true;
}

static bool read_integer(struct text t, bool fraction, enum type type, int64_t *out)
{
    t = cut(t, is_blank);
    bool negative = t.len && *t.p == '-', sign = negative || (t.len && *t.p == '+');

    if (t.len <= sign || !read_digits((struct text){t.p + sign, t.len - sign}, fraction, out) ||
        (!negative && *out == INT64_MIN))
        return false;
    *out = negative ? *out : -*out;
    return sql_wrap(type, *out) == *out;
}

static enum sql_got unread(const struct sql_node *n, const struct sql_row *r, struct text t)
{
    return sql_outside(n, r, SQL_NULL, "'%.*s' is no %s", (int)(t.len < SHOWN ? t.len : SHOWN), t.p,
                       type_name(n->type.type));
}

CAST(text_to_integer)
{
    return read_integer(a[0].t, n->mode != SQL_ANSI, n->type.type, &out->i) ? SQL_VALUE
                                                                            : unread(n, r, a[0].t);
}

static char low(char c)
{
    if (c < 'A' || c > 'Z')
        return c;
    return (char)(c + ('a' - 'A'));
}

/* Whether a text is, but for case, one of words. */
static bool is_word(struct text t, const char *const *words)
{
    for (; *words; words++) {
        uint32_t i = 0;
        while (i < t.len && (*words)[i] && low(t.p[i]) == (*words)[i])
            i++;
        if (i == t.len && !(*words)[i])
            return true;
    }
    return false;
}

CAST(text_to_boolean)
{
    static const char *const yes[] = {"t", "true", "y", "yes", "1", NULL}, *const no[] = {
                                                                               "f",  "false", "n",
                                                                               "no", "0",     NULL};
    struct text t = cut(a[0].t, is_blank);

    out->i = is_word(t, yes);
    return out->i || is_word(t, no) ? SQL_VALUE : unread(n, r, a[0].t);
}

/* -- to floats and doubles: the grammar of Double.parseDouble, and Spark's words -- */

static bool is_space(char c)
{
    return (unsigned char)c <= ' ';
}

static bool is_text(struct text t, const char *word)
{
    return t.len == strlen(word) && memcmp(t.p, word, t.len) == 0;
}

/* NaN and infinities, as Java writes them, or as Spark reads them. */
static bool read_word(struct text t, double *out)
{
    static const char *const infinite[] = {"inf", "+inf", "infinity", "+infinity", NULL},
                             *const below[] = {"-inf", "-infinity", NULL},
                             *const nan[] = {"nan", NULL};
    bool sign = t.len && (*t.p == '-' || *t.p == '+');

    if (is_word(t, infinite) || is_word(t, below))
        *out = is_word(t, below) ? -HUGE_VAL : HUGE_VAL;
    else if (is_word(t, nan) || (sign && is_text((struct text){t.p + 1, t.len - 1}, "NaN")))
        *out = (double)NAN;
    else
        return false;
    return true;
}

static uint32_t skip(struct text t, uint32_t i, const char *set)
{
    while (i < t.len && t.p[i] && strchr(set, t.p[i]))
        i++;
    return i;
}

/* A number of which only the form has been looked at; `end` is where the exponent begins. */
struct parts {
    struct text whole, fraction, exponent; /* digits; the exponent with its sign */
};

/* digits . digits, then an exponent by one of `marks`, then perhaps one of fFdD */
static bool split(struct text t, const char *digits, const char *marks, bool needs_mark,
                  struct parts *f)
{
    uint32_t i = skip(t, 0, digits), j = i;

    *f = (struct parts){.whole = {t.p, i}};
    if (i < t.len && t.p[i] == '.') {
        j = skip(t, i + 1, digits);
        f->fraction = (struct text){t.p + i + 1, j - i - 1};
    }
    if (!f->whole.len && !f->fraction.len)
        return false;
    bool mark = j < t.len && t.p[j] && strchr(marks, t.p[j]);
    if (mark) {
        uint32_t sign = j + 1 < t.len && (t.p[j + 1] == '-' || t.p[j + 1] == '+');
        uint32_t end = skip(t, j + 1 + sign, "0123456789");
        f->exponent = (struct text){t.p + j + 1, end - j - 1};
        if (end == j + 1 + sign)
            return false;
        j = end;
    }
    j += j < t.len && t.p[j] && strchr("fFdD", t.p[j]);
    return j == t.len && (mark || !needs_mark);
}

/* The form as JSON writes it, which numbers are read from: no leading zeros, digits everywhere. */
static char *put_number(const struct parts *f, char *to)
{
    uint32_t zeros = skip(f->whole, 0, "0");

    *to++ = '0';
    if (f->whole.len > zeros)
        to =
            (char *)memcpy(to - 1, f->whole.p + zeros, f->whole.len - zeros) + f->whole.len - zeros;
    *to++ = '.';
    *to++ = '0';
    if (f->fraction.len)
        to = (char *)memcpy(to - 1, f->fraction.p, f->fraction.len) + f->fraction.len;
    if (f->exponent.len) {
        *to++ = 'e';
        to = (char *)memcpy(to, f->exponent.p, f->exponent.len) + f->exponent.len;
    }
    return to;
}

static unsigned hex(char c)
{
    return is_digit(c) ? (unsigned)(c - '0') : (unsigned)(low(c) - 'a' + 10);
}

/* The first 64 bits; what is behind them stays as a last bit that is set. */
static uint64_t hex_bits(struct text t, uint64_t bits, int64_t *exponent, int64_t step)
{
    for (uint32_t i = 0; i < t.len; i++) {
        bool full = bits >> 60;
        bits = full ? bits | (hex(t.p[i]) != 0) : bits << 4 | hex(t.p[i]);
        *exponent += (full ? 4 : 0) + step;
    }
    return bits;
}

/* A long double has all 64 bits, so that a cast of it rounds once. */
static long double hex_number(const struct parts *f)
{
    int64_t exponent = 0, e = 0;
    bool negative = *f->exponent.p == '-';
    uint64_t bits = hex_bits(f->whole, 0, &exponent, 0);

    bits = hex_bits(f->fraction, bits, &exponent, -4);
    for (uint32_t i = 0; i < f->exponent.len; i++)
        if (is_digit(f->exponent.p[i]) && e < (int64_t)1 << 40)
            e = e * 10 + (f->exponent.p[i] - '0');
    exponent += negative ? -e : e;
    exponent = exponent > 8192 ? 8192 : exponent < -8192 ? -8192 : exponent;
    return ldexpl((long double)bits, (int)exponent);
}

static bool is_hex(struct text t)
{
    return t.len > 2 && t.p[0] == '0' && (t.p[1] == 'x' || t.p[1] == 'X');
}

/* What is at `t`, without a sign, as the type has it, into d or f. */
static enum sql_got read_real(const struct sql_row *r, struct text t, enum type type,
                              union sql_value *out)
{
    struct number number;
    struct parts f;

    if (is_hex(t)) {
        const char *digits = "0123456789abcdefABCDEF";
        if (!split((struct text){t.p + 2, t.len - 2}, digits, "pP", true, &f))
            return SQL_NULL;
        long double x = hex_number(&f);
        if (type == TYPE_FLOAT)
            out->f = (float)x;
        else
            out->d = (double)x;
        return SQL_VALUE;
    }
    if (!split(t, "0123456789", "eE", false, &f))
        return SQL_NULL;
    char *room = frame_take(r->f, (size_t)t.len + 4, 1);
    if (!room)
        return SQL_STOP;
    if (!number_scan(room, put_number(&f, room), &number))
        return SQL_NULL;
    if (type == TYPE_FLOAT)
        out->f = number_to_float(&number);
    else
        out->d = number_to_double(&number);
    return SQL_VALUE;
}

CAST(text_to_real)
{
    struct text t = cut(a[0].t, is_space);
    bool is_float = n->type.type == TYPE_FLOAT, sign = t.len && (*t.p == '-' || *t.p == '+');
    double word;

    if (read_word(t, &word)) {
        if (is_float)
            out->f = j_d2f(word);
        else
            out->d = word;
        return SQL_VALUE;
    }
    enum sql_got got = read_real(r, (struct text){t.p + sign, t.len - sign}, n->type.type, out);
    if (got != SQL_VALUE)
        return got == SQL_STOP ? got : unread(n, r, a[0].t);
    if (sign && *t.p == '-' && is_float)
        out->f = -out->f;
    else if (sign && *t.p == '-')
        out->d = -out->d;
    return SQL_VALUE;
}

static bool prove_digits(struct load *l, struct sql_node *n, struct err *e)
{
    (void)n;
    return load_digits(l, "", e);
}

#define FROM(type, ...)                                                  \
    {                                                                    \
        "to_string", 1, 1, {type}, IS_STRING, .modes = true, __VA_ARGS__ \
    }
#define TO(name, type, function)                                                        \
    {                                                                                   \
        "to_" name, 1, 1, {IS_STRING}, TYPE_BIT(type), .modes = true, .eager = function \
    }

static const struct sql_function functions[] = {
    FROM(SQL_INTEGERS, .eager = integer_to_text),
    FROM(IS_DOUBLE, .eager = double_to_text, .prove = prove_digits),
    FROM(IS_FLOAT, .eager = float_to_text, .prove = prove_digits),
    FROM(IS_BOOLEAN, .eager = boolean_to_text),
    TO("tinyint", TINYINT, text_to_integer),
    TO("smallint", SMALLINT, text_to_integer),
    TO("int", INT, text_to_integer),
    TO("bigint", BIGINT, text_to_integer),
    TO("boolean", BOOLEAN, text_to_boolean),
    TO("float", FLOAT, text_to_real),
    TO("double", DOUBLE, text_to_real),
};

const struct sql_table sql_text_casts = {functions, countof(functions)};
