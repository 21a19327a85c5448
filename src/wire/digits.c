/* SPDX-License-Identifier: Apache-2.0 */
#include "digits.h"

#include <string.h>

enum { EXPONENT_MAX = 1 << 30 }; /* beyond it no value fits, but 0 */

/* The digits of a number without zeros at either end, times 10^exponent. They may have a point
 * among them. */
struct scan {
    const char *from, *to;
    uint64_t n;
    int64_t exponent;
};

static int64_t read_exponent(const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    int64_t value = 0;

    for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
        if (value < EXPONENT_MAX)
            value = value * 10 + (*p - '0');
    return negative ? -value : value;
}

static struct scan scan(const char *p, const char *end)
{
    const char *e = p;
    struct scan s = {0};
    bool behind = false;
    int64_t places = 0;

    while (e < end && *e != 'e' && *e != 'E')
        e++;
    for (; p < e; p++) {
        behind |= *p == '.';
        places += behind && *p != '.';
        if (*p >= '1' && *p <= '9') {
            s.from = s.from ? s.from : p;
            s.to = p + 1;
            s.exponent = -places;
        }
    }
    for (p = s.from; p < s.to; p++)
        s.n += *p != '.';
    /* zeros between the last digit and the point */
    if (s.to && !memchr(s.from, '.', (size_t)(s.to - s.from)) && s.exponent == 0)
        for (p = s.to; p < e && *p != '.'; p++)
            s.exponent++;
    if (e < end)
        s.exponent += read_exponent(e + 1, end);
    return s;
}

enum digits_fit digits_read(const char *number, size_t n, struct digits type, struct decimal *out)
{
    bool negative = *number == '-';
    struct scan s = scan(number + negative, number + n);
    int64_t zeros = s.exponent + type.scale; /* behind the digits, in the unscaled value */
    int128 value = 0;

    *out = (struct decimal){.scale = type.scale};
    if (!s.n)
        return DIGITS_FIT;
    if (zeros < 0)
        return (int64_t)s.n + zeros > type.precision ? DIGITS_TOO_LARGE : DIGITS_FRACTION;
    if (s.n > type.precision || zeros > type.precision - (int64_t)s.n)
        return DIGITS_TOO_LARGE;
    for (const char *p = s.from; p < s.to; p++)
        if (*p != '.')
            value = value * 10 + (*p - '0');
    while (zeros-- > 0)
        value *= 10;
    out->unscaled = negative ? -value : value;
    return DIGITS_FIT;
}

void digits_put(struct buf *out, const struct decimal *d)
{
    char text[DECIMAL_DIGITS + 4], *p = text + sizeof text;
    int128 left = d->unscaled < 0 ? -d->unscaled : d->unscaled;

    for (unsigned i = 0; left || i <= d->scale; i++, left /= 10) {
        if (i == d->scale && i)
            *--p = '.';
        *--p = (char)('0' + (int)(left % 10));
    }
    if (d->unscaled < 0)
        *--p = '-';
    buf_put(out, p, (size_t)(text + sizeof text - p));
}
