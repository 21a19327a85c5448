/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_done(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (b->data && n < b->cap - b->len)
        return b->data + b->len;
    size_t want;
    if (__builtin_add_overflow(b->len, n, &want) || want > SIZE_MAX / 2 - 256) {
        b->failed = true;
        return NULL;
    }
    size_t cap = b->cap < 256 ? 256 : b->cap;
    while (cap <= want)
        cap += cap / 2;
    char *data = realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->cap = cap;
    return b->data + b->len;
}

void buf_put(struct buf *b, const char *p, size_t n)
{
    char *to = buf_reserve(b, n);

    if (!to)
        return;
    if (n)
        memcpy(to, p, n);
    to[n] = '\0';
    b->len += n;
}

void buf_text(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
    if (!to)
        return;
    va_start(args, fmt);
    if (vsnprintf(to, (size_t)n + 1, fmt, args) == n)
        b->len += (size_t)n;
    va_end(args);
}

void buf_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    buf_put(b, digits + at, sizeof digits - at);
}

/* What follows the backslash for a byte that cannot stand in a string: 0 where none is needed,
 * 'u' where the long form is. */
static char escape_of(unsigned char c)
{
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return c < 0x20 ? 'u' : 0;
    }
}

void buf_json_string(struct buf *b, const char *p, size_t n)
{
    size_t from = 0;

    buf_char(b, '"');
    for (size_t i = 0; i < n; i++) {
        char escape = escape_of((unsigned char)p[i]);
        if (!escape)
            continue;
        buf_put(b, p + from, i - from);
        from = i + 1;
        if (escape == 'u')
            buf_printf(b, "\\u%04x", (unsigned)(unsigned char)p[i]);
        else
            buf_put(b, (char[]){'\\', escape}, 2);
    }
    buf_put(b, p + from, n - from);
    buf_char(b, '"');
}
