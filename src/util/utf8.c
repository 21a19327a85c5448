/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/utf8.h"

#include <string.h>

/* For each kind of leading byte: how many bytes follow, and the range of the first of them, which
 * is what excludes overlong forms, surrogates and code points beyond the last. */
static const struct lead {
    unsigned char from, to, more, low, high;
} leads[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static unsigned sequence_of(const struct lead *lead, const unsigned char *p, size_t n)
{
    if (n <= lead->more || p[1] < lead->low || p[1] > lead->high)
        return 0;
    for (unsigned i = 2; i <= lead->more; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return lead->more + 1U;
}

unsigned utf8_sequence(const char *p, size_t n)
{
    const unsigned char *b = (const unsigned char *)p;

    if (!n)
        return 0;
    if (b[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (b[0] >= leads[i].from && b[0] <= leads[i].to)
            return sequence_of(&leads[i], b, n);
    return 0;
}

size_t utf8_valid(const char *p, size_t n)
{
    size_t i = 0;

    while (i < n) {
        uint64_t eight;
        if (n - i >= 8 && (memcpy(&eight, p + i, 8), !(eight & 0x8080808080808080U))) {
            i += 8;
            continue;
        }
        unsigned length = utf8_sequence(p + i, n - i);
        if (!length)
            return i;
        i += length;
    }
    return n;
}

unsigned utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    unsigned more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char marks[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(marks[more] | code >> 6 * more);
    for (unsigned i = 1; i <= more; i++)
        out[i] = (char)(0x80 | (code >> 6 * (more - i) & 0x3f));
    return more + 1;
}
