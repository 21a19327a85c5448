/* SPDX-License-Identifier: Apache-2.0 */
#include "moment.h"

#include <limits.h>

enum { YEAR_DIGITS = 7 };

/* -- reading -- */

/* Four digits; or as others are written, "+12345" and "-0001". */
static bool take_year(struct text *t, int64_t *year)
{
    unsigned digits = 0, value;
    char sign = '\0';

    if (t->len && (*t->p == '+' || *t->p == '-')) {
        sign = *t->p++;
        t->len--;
    }
    while (digits < t->len && t->p[digits] >= '0' && t->p[digits] <= '9')
        digits++;
    if (digits < 4 + (sign == '+') || digits > (sign ? YEAR_DIGITS : 4) ||
        (digits > 4 && *t->p == '0') || !take_digits(t, digits, UINT_MAX, &value))
        return false;
    *year = sign == '-' ? -(int64_t)value : value;
    return sign != '-' || value;
}

static bool take_date(struct text *t, int64_t *days)
{
    unsigned month, day;
    int64_t year;

    if (!take_year(t, &year) || !take_any(t, "-") || !take_digits(t, 2, 12, &month) || month < 1 ||
        !take_any(t, "-") || !take_digits(t, 2, calendar_month_days(year, month), &day) || day < 1)
        return false;
    *days = calendar_days(year, month, day);
    return *days >= INT32_MIN && *days <= INT32_MAX;
}

bool moment_read_date(const struct text *t, int64_t *days)
{
    struct text left = *t;

    return take_date(&left, days) && left.len == 0;
}

/* ".5": half a million. */
static bool take_fraction(struct text *t, int64_t *micros)
{
    int64_t unit = SECOND_MICROS;
    unsigned digit;

    *micros = 0;
    if (!take_any(t, "."))
        return true;
    while (unit > 1 && take_digits(t, 1, 9, &digit)) {
        unit /= 10;
        *micros += digit * unit;
    }
    return unit < SECOND_MICROS;
}

static bool take_time(struct text *t, int64_t *micros)
{
    unsigned hour, minute, second;
    int64_t fraction;

    if (!take_digits(t, 2, 23, &hour) || !take_any(t, ":") || !take_digits(t, 2, 59, &minute) ||
        !take_any(t, ":") || !take_digits(t, 2, 59, &second) || !take_fraction(t, &fraction))
        return false;
    *micros = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * SECOND_MICROS + fraction;
    return true;
}

static bool take_zone(struct text *t, const struct zone *local, int32_t *seconds)
{
    *seconds = local->seconds;
    if (!t->len)
        return local->known;
    if (!take_any(t, "Zz"))
        return take_offset(t, seconds);
    *seconds = 0;
    return t->len == 0;
}

bool moment_read_timestamp(const struct text *t, const struct zone *local, int64_t *micros)
{
    struct text left = *t;
    int64_t days, time;
    int32_t seconds;

    if (!take_date(&left, &days) || !take_any(&left, "Tt ") || !take_time(&left, &time) ||
        !take_zone(&left, local, &seconds))
        return false;
    return !__builtin_mul_overflow(days * DAY_SECONDS - seconds, SECOND_MICROS, micros) &&
           !__builtin_add_overflow(*micros, time, micros);
}

/* -- printing -- */

void moment_put_date(struct buf *out, int64_t days)
{
    struct date d = calendar_date(days);
    const char *sign = d.year > 9999 ? "+" : d.year < 0 ? "-" : "";

    buf_printf(out, "%s%04lld-%02u-%02u", sign, (long long)(d.year < 0 ? -d.year : d.year), d.month,
               d.day);
}

void moment_put_timestamp(struct buf *out, int64_t micros)
{
    int64_t seconds = floor_div(micros, SECOND_MICROS), fraction = micros - seconds * SECOND_MICROS;
    int64_t days = floor_div(seconds, DAY_SECONDS);
    unsigned time = (unsigned)(seconds - days * DAY_SECONDS), digits = 6;

    moment_put_date(out, days);
    buf_printf(out, "T%02u:%02u:%02u", time / 3600, time / 60 % 60, time % 60);
    while (fraction && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (fraction)
        buf_printf(out, ".%0*lld", (int)digits, (long long)fraction);
    buf_char(out, 'Z');
}
