/* SPDX-License-Identifier: Apache-2.0 */
/* String.toUpperCase: a code point at a time, of which some become two or three. */
#include "scored/utf8.h"
#include "text.h"
#include "upper_tables.h"

size_t text_upper_room(struct text t)
{
    return UPPER_MOST * (size_t)t.len;
}

static const struct upper_long *find(uint32_t code)
{
    uint32_t low = 0, high = upper_long_count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (upper_longs[mid].point < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < upper_long_count && upper_longs[low].point == code ? &upper_longs[low] : NULL;
}

static uint32_t upper_of(uint32_t code)
{
    if (code >= upper_end)
        return code;
    unsigned page = upper_page_of[code / UPPER_PAGE];
    return code + (uint32_t)upper_differences[upper_pages[page * UPPER_PAGE + code % UPPER_PAGE]];
}

uint32_t text_upper(struct text t, char *out)
{
    char *at = out;
    unsigned length;

    for (uint32_t i = 0; i < t.len; i += length) {
        uint32_t code = text_decode(t.p + i, &length);
        const struct upper_long *several = code < 0x80 ? NULL : find(code);
        if (!several)
            at += utf8_put(at, upper_of(code));
        for (unsigned k = 0; several && k < UPPER_MOST && several->upper[k]; k++)
            at += utf8_put(at, several->upper[k]);
    }
    return (uint32_t)(at - out);
}
