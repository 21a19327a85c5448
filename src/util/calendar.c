/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/calendar.h"

#include <string.h>

enum {
    ERA = 146097,   /* days of 400 years, which begin again then */
    EPOCH = 719162, /* days before 1970-01-01, from 0001-01-01 on */
};

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned calendar_month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days of n years from the first on. */
static int64_t years_days(int64_t n)
{
    return n * 365 + floor_div(n, 4) - floor_div(n, 100) + floor_div(n, 400);
}

int64_t calendar_days(int64_t year, unsigned month, unsigned day)
{
    int64_t days = years_days(year - 1) + day - 1;

    for (unsigned m = 1; m < month; m++)
        days += calendar_month_days(year, m);
    return days - EPOCH;
}

struct date calendar_date(int64_t days)
{
    int64_t era = floor_div(days + EPOCH, ERA), left = days + EPOCH - era * ERA;
    int64_t years = left / 365; /* or one too many, for leap days */
    struct date d = {.month = 1};

    years -= years_days(years) > left;
    left -= years_days(years);
    d.year = era * 400 + years + 1;
    for (; left >= calendar_month_days(d.year, d.month); d.month++)
        left -= calendar_month_days(d.year, d.month);
    d.day = (unsigned)left + 1;
    return d;
}

/* -- texts -- */

bool take_digits(struct text *t, unsigned n, unsigned most, unsigned *out)
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

bool take_any(struct text *t, const char *any)
{
    if (!t->len || !*t->p || !strchr(any, *t->p))
        return false;
    t->p++;
    t->len--;
    return true;
}

bool take_offset(struct text *t, int32_t *seconds)
{
    unsigned hours, minutes;
    bool west = t->len && *t->p == '-';

    if (!take_any(t, "+-") || !take_digits(t, 2, 18, &hours) || !take_any(t, ":") ||
        !take_digits(t, 2, 59, &minutes) || t->len)
        return false;
    *seconds = (int32_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
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
