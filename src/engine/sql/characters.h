/* SPDX-License-Identifier: Apache-2.0 */
/* Characters of SQL's strings: code points of UTF-8, whose first byte says how many it has. */
#ifndef SCORED_SQL_CHARACTERS_H
#define SCORED_SQL_CHARACTERS_H

#include "sql.h"

#include <string.h>

/* A function of arguments that are all there. */
#define TEXT(name)                                                              \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)

static inline uint32_t width(char first)
{
    unsigned char c = (unsigned char)first;

    return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* The character that begins at p. */
static inline uint32_t code_at(const char *p)
{
    static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07}; /* bits of a first byte */
    uint32_t w = width(*p), code = (unsigned char)*p & first[w];

    for (uint32_t i = 1; i < w; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3f);
    return code;
}

static inline uint32_t characters(struct text t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t.len; i += width(t.p[i]))
        n++;
    return n;
}

/* Bytes of the first n characters. */
static inline uint32_t bytes_of(struct text t, int64_t n)
{
    uint32_t i = 0;

    for (; i < t.len && n > 0; n--)
        i += width(t.p[i]);
    return i;
}

static inline bool same(struct text a, const char *p)
{
    return !a.len || memcmp(a.p, p, a.len) == 0;
}

/* Where `part` begins in t from byte `at` on; t.len where it does not. In time that grows as both
 * together. */
static inline uint32_t find(struct text t, struct text part, uint32_t at)
{
    const char *p = at < t.len ? memmem(t.p + at, t.len - at, part.p, part.len) : NULL;

    return p ? (uint32_t)(p - t.p) : t.len;
}

/* The place of the character, from 1 on, where `part` begins in t behind the first `skipped` ones;
 * 0 where it does not. */
static inline int64_t place_of(struct text part, struct text t, int64_t skipped)
{
    uint32_t from = bytes_of(t, skipped), at = find(t, part, from);

    if (!part.len)
        return 1;
    return at == t.len ? 0 : (int64_t)characters((struct text){t.p, at}) + 1;
}

static inline enum sql_got too_long(const struct sql_node *n, const struct sql_row *r)
{
    return sql_fail(n, r, "the text would be too long");
}

#endif
