/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the bytes with an explicit stack of open containers. Keys are compared unescaped,
 * since cJSON unescapes them: each open object keeps its keys, which are sorted when it closes, so
 * that equal ones are neighbours however many there are.
 */
#include "json_check.h"

#include "scored/buf.h"
#include "scored/dict.h"
#include "scored/utf8.h"

#include <stdlib.h>

enum { DEPTH_MAX = 64 };

struct key {
    size_t at, len; /* in `names` */
    size_t end;     /* in the text */
    uint64_t hash;
};

struct check {
    const char *text;
    size_t n, at;
    const struct json_limits *limits;
    struct err *e;
    struct buf names; /* unescaped keys of the open objects, end to end */
    struct buf keys;  /* struct key of the same */
    unsigned depth;
    char open[DEPTH_MAX];        /* '{' or '[' */
    size_t first_key[DEPTH_MAX]; /* index in keys of the object's first */
    size_t first_name[DEPTH_MAX];
};

static bool fail(struct check *c, const char *what)
{
    return err_set(c->e, ERR_BAD_BUNDLE, "byte %zu: %s", c->at, what);
}

static char peek(const struct check *c)
{
    return (char)(c->at < c->n ? c->text[c->at] : '\0');
}

static void skip_space(struct check *c)
{
    while (c->at < c->n && strchr(" \t\n\r", c->text[c->at]) && c->text[c->at])
        c->at++;
}

static bool digits(struct check *c)
{
    size_t from = c->at;

    while (peek(c) >= '0' && peek(c) <= '9')
        c->at++;
    return c->at > from || fail(c, "a digit is missing");
}

static bool number(struct check *c)
{
    size_t from = c->at;

    if (peek(c) == '-')
        c->at++;
    if (peek(c) == '0')
        c->at++;
    else if (!digits(c))
        return false;
    if (peek(c) == '.' && (c->at++, !digits(c)))
        return false;
    if (peek(c) == 'e' || peek(c) == 'E') {
        c->at++;
        if (peek(c) == '+' || peek(c) == '-')
            c->at++;
        if (!digits(c))
            return false;
    }
    return c->at - from <= c->limits->number || fail(c, "a number is too long");
}

static bool hex4(struct check *c, uint32_t *out)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++, c->at++) {
        char d = peek(c);
        if (d >= '0' && d <= '9')
            code = code << 4 | (uint32_t)(d - '0');
        else if ((d | 0x20) >= 'a' && (d | 0x20) <= 'f')
            code = code << 4 | (uint32_t)((d | 0x20) - 'a' + 10);
        else
            return fail(c, "four hex digits must follow \\u");
    }
    *out = code;
    return true;
}

/* After "\u": a code point, from two escapes where it is a pair. */
static bool unicode(struct check *c, char *out, unsigned *length)
{
    uint32_t code, low;

    if (!hex4(c, &code))
        return false;
    if (code == 0)
        return fail(c, "\\u0000 is not allowed");
    if (code >= 0xd800 && code < 0xe000) {
        bool pair = code < 0xdc00 && c->at + 1 < c->n && c->text[c->at] == '\\' &&
                    c->text[c->at + 1] == 'u';
        if (pair)
            c->at += 2;
        if (!pair || !hex4(c, &low) || low < 0xdc00 || low > 0xdfff)
            return fail(c, "a surrogate is alone");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *length = utf8_put(out, code);
    return true;
}

static bool escape(struct check *c, char *out, unsigned *length)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char kind = peek(c);
    const char *at = kind ? strchr(from, kind) : NULL;

    c->at++;
    if (kind == 'u')
        return unicode(c, out, length);
    if (!at)
        return fail(c, "unknown escape");
    out[0] = to[at - from];
    *length = 1;
    return true;
}

/* A string at its quote; appended unescaped to `names` where `keep`. */
static bool string(struct check *c, bool keep)
{
    for (c->at++; c->at < c->n;) {
        char piece[4];
        const char *from = c->text + c->at;
        unsigned length = 0;
        if (*from == '"') {
            c->at++;
            return true;
        }
        if (*from == '\\') {
            c->at++;
            if (!escape(c, piece, &length))
                return false;
            from = piece;
        } else {
            length = utf8_sequence(from, c->n - c->at);
            if (!length || (unsigned char)*from < 0x20)
                return fail(c, length ? "a control character" : "malformed UTF-8");
            c->at += length;
        }
        if (keep)
            buf_put(&c->names, from, length);
    }
    return fail(c, "a string does not end");
}

static bool key(struct check *c)
{
    struct key k = {.at = c->names.len};

    if (peek(c) != '"')
        return fail(c, "a key is missing");
    if (!string(c, true))
        return false;
    k.len = c->names.len - k.at;
    k.hash = k.len ? hash_bytes(c->names.data + k.at, k.len, 0) : 0;
    k.end = c->at;
    buf_put(&c->keys, (const char *)&k, sizeof k);
    if (c->names.failed || c->keys.failed)
        return err_memory(c->e);
    skip_space(c);
    if (peek(c) != ':')
        return fail(c, "':' is missing");
    c->at++;
    return true;
}

static bool word(struct check *c)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < countof(words); i++) {
        size_t n = strlen(words[i]);
        if (c->n - c->at >= n && memcmp(c->text + c->at, words[i], n) == 0) {
            c->at += n;
            return true;
        }
    }
    return fail(c, "a value is missing");
}

/* Opens a container; *value stays true where its first value (or key) is next. */
static bool open(struct check *c, bool *value)
{
    unsigned d = c->depth;

    if (d >= c->limits->depth || d >= DEPTH_MAX)
        return fail(c, "nested too deeply");
    c->open[d] = c->text[c->at++];
    c->first_key[d] = c->keys.len / sizeof(struct key);
    c->first_name[d] = c->names.len;
    c->depth++;
    skip_space(c);
    *value = peek(c) != (c->open[d] == '{' ? '}' : ']');
    return !*value || c->open[d] == '[' || key(c);
}

static int by_text(const void *a, const void *b, void *names)
{
    const struct key *x = a, *y = b;
    const char *base = names;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    return x->len ? memcmp(base + x->at, base + y->at, x->len) : 0;
}

/* The keys of the innermost container, which ends here, differ. */
static bool check_keys(struct check *c)
{
    size_t from = c->first_key[c->depth - 1], n = c->keys.len / sizeof(struct key) - from;

    if (n < 2)
        return true;
    struct key *keys = (struct key *)(void *)c->keys.data + from;
    qsort_r(keys, n, sizeof *keys, by_text, c->names.data);
    for (size_t i = 1; i < n; i++) {
        if (by_text(&keys[i - 1], &keys[i], c->names.data) == 0) {
            c->at = keys[i - 1].end > keys[i].end ? keys[i - 1].end : keys[i].end;
            return fail(c, "a key stands twice in one object");
        }
    }
    return true;
}

/* After a value: closes containers up to the next comma. *value says whether another value follows.
 */
static bool close(struct check *c, bool *value)
{
    for (;;) {
        skip_space(c);
        if (!c->depth) {
            *value = false;
            return c->at == c->n || fail(c, "something follows the text");
        }
        unsigned d = c->depth - 1;
        char next = peek(c);
        if (next == ',') {
            c->at++;
            skip_space(c);
            *value = true;
            return c->open[d] == '[' || key(c);
        }
        if (next != (c->open[d] == '{' ? '}' : ']'))
            return fail(c, "',' or the end of the container is missing");
        if (!check_keys(c))
            return false;
        c->at++;
        c->keys.len = c->first_key[d] * sizeof(struct key);
        c->names.len = c->first_name[d];
        c->depth--;
    }
}

static bool value(struct check *c)
{
    bool more = true;

    while (more) {
        skip_space(c);
        char next = peek(c);
        if (next == '{' || next == '[') {
            if (!open(c, &more))
                return false;
            if (more)
                continue;
        } else if (next == '"'                                   ? !string(c, false)
                   : next == '-' || (next >= '0' && next <= '9') ? !number(c)
                                                                 : !word(c)) {
            return false;
        }
        if (!close(c, &more))
            return false;
    }
    return true;
}

bool json_check(const char *text, size_t n, const struct json_limits *limits, struct err *e)
{
    struct check c = {.text = text, .n = n, .limits = limits, .e = e};

    if (n > limits->bytes)
        return err_set(e, ERR_BAD_BUNDLE, "%zu bytes, at most %zu are allowed", n, limits->bytes);
    bool ok = value(&c);
    buf_done(&c.names);
    buf_done(&c.keys);
    return ok;
}
