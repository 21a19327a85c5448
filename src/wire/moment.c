/* SPDX-License-Identifier: Apache-2.0 */
#include "moment.h"

#include <string.h>

#define MICROS INT64_C(1000000)

enum {
    DAY = 86400,    /* seconds */
    ERA = 146097,   /* days of 400 years, which begin again then */
    EPOCH = 719162, /* days before 1970-01-01, from 0001-01-01 on */
};

/* -- the calendar -- */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days of n years from the first on. */
static int64_t years_days(int64_t n)
{
    return n * 365 + n / 4 - n / 100 + n / 400;
}

static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t days = years_days(year - 1) + day - 1;

    for (unsigned m = 1; m < month; m++)
        days += month_days(year, m);
    return days - EPOCH;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t era = floor_div(days + EPOCH, ERA), left = days + EPOCH - era * ERA;
    int64_t years = left / 365; /* or one too many, for leap days */

    years -= years_days(years) > left;
    left -= years_days(years);
    *year = era * 400 + years + 1;
    for (*month = 1; left >= month_days(*year, *month); ++*month)
        left -= month_days(*year, *month);
    *day = (unsigned)left + 1;
}

/* -- reading -- */

/* Steps over n digits, or over one of some characters. */
static bool take_digits(struct text *t, unsigned n, unsigned most, unsigned *out)
{
    unsigned value = 0;

    if (t->len < n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (t->p[i] < '0' || t->p[i] > '9')
            return false;
        value = value * 10 + (unsigned)(t->p[i] - '0');
    }
    t->p += n;
    t->len -= n;
    *out = value;
    return value <= most;
}

static bool take(struct text *t, const char *any)
{
    if (!t->len || !*t->p || !strchr(any, *t->p))
        return false;
    t->p++;
    t->len--;
    return true;
}

static bool take_date(struct text *t, int64_t *days)
{
    unsigned year, month, day;

    if (!take_digits(t, 4, 9999, &year) || year < 1 || !take(t, "-") ||
        !take_digits(t, 2, 12, &month) || month < 1 || !take(t, "-") ||
        !take_digits(t, 2, month_days(year, month), &day) || day < 1)
        return false;
    *days = days_of(year, month, day);
    return true;
}

bool moment_read_date(const struct text *t, int64_t *days)
{
    struct text left = *t;

    return take_date(&left, days) && left.len == 0;
}

/* ".5": half a million. */
static bool take_fraction(struct text *t, int64_t *micros)
{
    int64_t unit = MICROS;
    unsigned digit;

    *micros = 0;
    if (!take(t, "."))
        return true;
    while (unit > 1 && take_digits(t, 1, 9, &digit)) {
        unit /= 10;
        *micros += digit * unit;
    }
    return unit < MICROS;
}

static bool take_time(struct text *t, int64_t *micros)
{
    unsigned hour, minute, second;
    int64_t fraction;

    if (!take_digits(t, 2, 23, &hour) || !take(t, ":") || !take_digits(t, 2, 59, &minute) ||
        !take(t, ":") || !take_digits(t, 2, 59, &second) || !take_fraction(t, &fraction))
        return false;
    *micros = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * MICROS + fraction;
    return true;
}

/* "+01:00" and nothing behind it. */
static bool take_offset(struct text *t, int32_t *seconds)
{
    unsigned hours, minutes;
    bool west = t->len && *t->p == '-';

    if (!take(t, "+-") || !take_digits(t, 2, 18, &hours) || !take(t, ":") ||
        !take_digits(t, 2, 59, &minutes) || t->len)
        return false;
    *seconds = (int32_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool take_zone(struct text *t, const struct zone *local, int32_t *seconds)
{
    *seconds = local->seconds;
    if (!t->len)
        return local->known;
    if (!take(t, "Zz"))
        return take_offset(t, seconds);
    *seconds = 0;
    return t->len == 0;
}

bool moment_read_timestamp(const struct text *t, const struct zone *local, int64_t *micros)
{
    struct text left = *t;
    int64_t days, time;
    int32_t seconds;

    if (!take_date(&left, &days) || !take(&left, "Tt ") || !take_time(&left, &time) ||
        !take_zone(&left, local, &seconds))
        return false;
    *micros = (days * DAY - seconds) * MICROS + time;
    return true;
}

struct zone zone_read(const char *name)
{
    static const char *const utc[] = {"UTC", "Z", "GMT", "Etc/UTC"};
    struct zone zone = {0};

    for (size_t i = 0; name && i < sizeof utc / sizeof *utc; i++)
        zone.known |= strcmp(name, utc[i]) == 0;
    if (name && !zone.known) {
        struct text t = {name, (uint32_t)strlen(name)};
        zone.known = take_offset(&t, &zone.seconds);
    }
    return zone;
}

/* -- printing -- */

void moment_put_date(struct buf *out, int64_t days)
{
    int64_t year;
    unsigned month, day;

    date_of(days, &year, &month, &day);
    const char *sign = year > 9999 ? "+" : year < 0 ? "-" : "";
    buf_printf(out, "%s%04lld-%02u-%02u", sign, (long long)(year < 0 ? -year : year), month, day);
}

void moment_put_timestamp(struct buf *out, int64_t micros)
{
    int64_t seconds = floor_div(micros, MICROS), fraction = micros - seconds * MICROS;
    int64_t days = floor_div(seconds, DAY);
    unsigned time = (unsigned)(seconds - days * DAY), digits = 6;

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
