/* SPDX-License-Identifier: Apache-2.0 */
/* The Gregorian calendar for all times, and how far local time is from UTC. Days and microseconds
 * count from 1970-01-01. */
#ifndef SCORED_CALENDAR_H
#define SCORED_CALENDAR_H

#include "scored/dict.h"

#include <stdbool.h>
#include <stdint.h>

#define DAY_SECONDS   INT64_C(86400)
#define SECOND_MICROS INT64_C(1000000)
#define DAY_MICROS    (DAY_SECONDS * SECOND_MICROS)

struct date {
    int64_t year; /* 0 is before 1 */
    unsigned month, day;
};

/* Days of a date; the day may lie beyond the month's. */
int64_t calendar_days(int64_t year, unsigned month, unsigned day);
struct date calendar_date(int64_t days);
unsigned calendar_month_days(int64_t year, unsigned month);

static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}
static inline int64_t floor_mod(int64_t a, int64_t b)
{
    return a - floor_div(a, b) * b;
}

/* How far local time is from UTC, where that is always the same. */
struct zone {
    bool known;
    int32_t seconds;
};

/* "UTC", "Z", "GMT", "Etc/UTC" or an offset, "+01:00"; rules of regions are not known here. NULL is
 * not known either. */
struct zone zone_read(const char *name);

/* Steps over n digits, whose value is at most `most`. */
bool take_digits(struct text *t, unsigned n, unsigned most, unsigned *out);
/* Steps over one of some characters. */
bool take_any(struct text *t, const char *any);
/* Steps over "+01:00", behind which nothing may stand. */
bool take_offset(struct text *t, int32_t *seconds);

#endif
