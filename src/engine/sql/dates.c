/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates and timestamps: days, and microseconds of UTC, since 1970. What is local is so in the
 * session's time zone, whose distance from UTC is the same for all times; it stands in the node.
 * Days are Java's ints, and wrap where Spark's do.
 */
#include "sql.h"

#include "scored/calendar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FUNCTION(name)                                                          \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)
/* One that can do no more than set `out`. */
#define PLAIN(name, result) \
    FUNCTION(name)          \
    {                       \
        (void)n;            \
        (void)r;            \
        *out = result;      \
        return SQL_VALUE;   \
    }

static union sql_value whole(int64_t i)
{
    return (union sql_value){.i = i};
}

static union sql_value days_value(int64_t days)
{
    return whole(sql_wrap(TYPE_INT, days));
}

/* -- local time -- */

struct moment {
    int64_t days;
    int64_t seconds, micros; /* of the day, of the second */
};

static struct moment local(const struct sql_node *n, int64_t micros)
{
    int64_t seconds = floor_div(micros, SECOND_MICROS) + n->literal.i;
    struct moment m = {floor_div(seconds, DAY_SECONDS), 0, floor_mod(micros, SECOND_MICROS)};

    m.seconds = seconds - m.days * DAY_SECONDS;
    return m;
}

/* The beginning of a day, or of a second of it. */
static enum sql_got of_local(const struct sql_node *n, const struct sql_row *r, int64_t days,
                             int64_t seconds, union sql_value *out)
{
    int128 micros = ((int128)days * DAY_SECONDS + seconds - n->literal.i) * SECOND_MICROS;

    out->i = (int64_t)micros;
    return out->i == micros ? SQL_VALUE : sql_fail(n, r, "the date is beyond those of timestamps");
}

static bool prove_zone(struct load *l, struct sql_node *n, struct err *e)
{
    const char *name = l->plan->platform->time_zone;
    struct zone zone = zone_read(name);

    n->literal.i = zone.seconds;
    return zone.known ||
           err_set(e, ERR_BAD_BUNDLE, "platform.time_zone: rules of '%.64s' are not known here",
                   name ? name : "");
}

/* -- parts -- */

enum { THURSDAY = 3, DAYS_OF_WEEK = 7, MONTHS = 12, QUARTER = 3 }; /* Monday is 0; day 0 is one */

static unsigned week_day(int64_t days)
{
    return (unsigned)floor_mod(days + THURSDAY, DAYS_OF_WEEK);
}

static int64_t day_of_year(int64_t days)
{
    return days - calendar_days(calendar_date(days).year, 1, 1) + 1;
}

/* ISO's week: that of its Thursday. */
static int64_t week_of_year(int64_t days)
{
    return (day_of_year(days - week_day(days) + THURSDAY) - 1) / DAYS_OF_WEEK + 1;
}

PLAIN(run_year, whole(calendar_date(a[0].i).year))
PLAIN(run_month, whole(calendar_date(a[0].i).month))
PLAIN(run_day_of_month, whole(calendar_date(a[0].i).day))
PLAIN(run_quarter, whole((calendar_date(a[0].i).month + QUARTER - 1) / QUARTER))
PLAIN(run_day_of_year, whole(day_of_year(a[0].i)))
PLAIN(run_week_of_year, whole(week_of_year(a[0].i)))
PLAIN(run_week_day, whole(week_day(a[0].i)))
PLAIN(run_day_of_week, whole((week_day(a[0].i) + 1) % DAYS_OF_WEEK + 1)) /* Sunday is 1 */
PLAIN(run_hour, whole(local(n, a[0].i).seconds / 3600))
PLAIN(run_minute, whole(local(n, a[0].i).seconds / 60 % 60))
PLAIN(run_second, whole(local(n, a[0].i).seconds % 60))

/* -- sums -- */

PLAIN(run_date_add, days_value(a[0].i + a[1].i))
PLAIN(run_date_sub, days_value(a[0].i - a[1].i))

static enum sql_got in_range(const struct sql_node *n, const struct sql_row *r, int64_t days,
                             union sql_value *out)
{
    *out = days_value(days);
    return out->i == days ? SQL_VALUE : sql_fail(n, r, "the date has no number of days");
}

/* The same day of another month, or its last. */
FUNCTION(run_add_months)
{
    struct date d = calendar_date(a[0].i);
    int64_t months = d.year * MONTHS + d.month - 1 + a[1].i, year = floor_div(months, MONTHS);
    unsigned month = (unsigned)floor_mod(months, MONTHS) + 1;
    unsigned last = calendar_month_days(year, month);

    return in_range(n, r, calendar_days(year, month, d.day < last ? d.day : last), out);
}

PLAIN(run_last_day,
      days_value(a[0].i - calendar_date(a[0].i).day +
                 calendar_month_days(calendar_date(a[0].i).year, calendar_date(a[0].i).month)))

/* The first day behind a date that is a day of the week; Monday is 0. */
static int64_t next_day(int64_t days, int64_t day)
{
    return days + 1 + floor_mod(day - week_day(days) - 1, DAYS_OF_WEEK);
}
PLAIN(run_next_day, days_value(next_day(a[0].i, a[1].i)))

static bool prove_day(struct load *l, struct sql_node *n, struct err *e)
{
    const struct sql_node *day = n->args[1];

    (void)l;
    return (sql_is_literal(day) && !day->null && day->literal.i >= 0 &&
            day->literal.i < DAYS_OF_WEEK) ||
           err_set(e, ERR_BAD_BUNDLE, "params: next_day takes a day of the week as a constant");
}

/* Math.round: half up. */
static double round_half_up(double d)
{
    double below = floor(d);

    return d - below >= 0.5 ? below + 1.0 : below;
}

/* Months, and of what is left the share of a month of 31 days; rounded to 8 digits if asked for. */
FUNCTION(run_months_between)
{
    struct moment m[] = {local(n, a[0].i), local(n, a[1].i)};
    struct date d[] = {calendar_date(m[0].days), calendar_date(m[1].days)};
    int64_t months = (d[0].year - d[1].year) * MONTHS + d[0].month - d[1].month;
    int64_t seconds = ((int64_t)d[0].day - d[1].day) * DAY_SECONDS + m[0].seconds - m[1].seconds;
    bool ends = calendar_month_days(d[0].year, d[0].month) == d[0].day &&
                calendar_month_days(d[1].year, d[1].month) == d[1].day;

    (void)r;
    out->d = (double)months;
    if (ends || d[0].day == d[1].day)
        return SQL_VALUE;
    out->d += (double)seconds / (double)(31 * DAY_SECONDS);
    if (a[2].i)
        out->d = round_half_up(out->d * 1e8) / 1e8;
    return SQL_VALUE;
}

/* -- cut to a unit -- */

static int64_t first_of(int64_t days, unsigned months)
{
    struct date d = calendar_date(days);

    return calendar_days(d.year, (d.month - 1) / months * months + 1, 1);
}

static int64_t cut_day(int64_t days)
{
    return days;
}
static int64_t cut_week(int64_t days)
{
    return days - week_day(days);
}
static int64_t cut_month(int64_t days)
{
    return first_of(days, 1);
}
static int64_t cut_quarter(int64_t days)
{
    return first_of(days, QUARTER);
}
static int64_t cut_year(int64_t days)
{
    return first_of(days, MONTHS);
}

#define CUT(name)                                                   \
    PLAIN(name##_of_date, days_value(name(a[0].i)))                 \
    FUNCTION(name##_of_time)                                        \
    {                                                               \
        return of_local(n, r, name(local(n, a[0].i).days), 0, out); \
    }
CUT(cut_week)
CUT(cut_month)
CUT(cut_quarter)
CUT(cut_year)

FUNCTION(cut_day_of_time)
{
    return of_local(n, r, cut_day(local(n, a[0].i).days), 0, out);
}

FUNCTION(cut_hour_of_time)
{
    struct moment m = local(n, a[0].i);

    return of_local(n, r, m.days, m.seconds / 3600 * 3600, out);
}

PLAIN(cut_minute_of_time, whole(a[0].i - floor_mod(a[0].i, 60 * SECOND_MICROS)))
PLAIN(cut_second_of_time, whole(a[0].i - floor_mod(a[0].i, SECOND_MICROS)))
PLAIN(cut_millisecond_of_time, whole(a[0].i - floor_mod(a[0].i, 1000)))

/* -- from and to other types -- */

PLAIN(same, a[0])
PLAIN(time_to_date, whole(local(n, a[0].i).days))
PLAIN(time_to_seconds, whole(floor_div(a[0].i, SECOND_MICROS)))
PLAIN(time_to_millis, whole(floor_div(a[0].i, 1000)))
PLAIN(time_to_whole_seconds, whole(a[0].i / SECOND_MICROS))
PLAIN(time_to_double, ((union sql_value){.d = (double)a[0].i / (double)SECOND_MICROS}))

FUNCTION(date_to_time)
{
    return of_local(n, r, a[0].i, 0, out);
}

FUNCTION(date_to_whole_seconds)
{
    enum sql_got got = of_local(n, r, a[0].i, 0, out);

    out->i /= SECOND_MICROS;
    return got;
}

enum { MOMENT_TEXT = 48 };

static enum sql_got put(const struct sql_row *r, const char *text, union sql_value *out)
{
    size_t size = strlen(text);
    char *to = sql_text(r, size, out);

    if (!to)
        return SQL_STOP;
    memcpy(to, text, size);
    return SQL_VALUE;
}

static int print_date(int64_t days, char to[MOMENT_TEXT])
{
    struct date d = calendar_date(days);
    const char *sign = d.year > 9999 ? "+" : d.year < 0 ? "-" : "";

    return snprintf(to, MOMENT_TEXT, "%s%04lld-%02u-%02u", sign,
                    (long long)(d.year < 0 ? -d.year : d.year), d.month, d.day);
}

FUNCTION(date_to_text)
{
    char text[MOMENT_TEXT];

    (void)n;
    print_date(a[0].i, text);
    return put(r, text, out);
}

/* With as many digits of the second as are not zeros. */
FUNCTION(time_to_text)
{
    struct moment m = local(n, a[0].i);
    char text[MOMENT_TEXT];
    unsigned seconds = (unsigned)m.seconds;
    int at = print_date(m.days, text);

    at += snprintf(text + at, (size_t)(MOMENT_TEXT - at), " %02u:%02u:%02u.%06lld", seconds / 3600,
                   seconds / 60 % 60, seconds % 60, (long long)m.micros);
    while (text[at - 1] == '0' && m.micros)
        text[--at] = '\0';
    if (!m.micros)
        text[at - (int)sizeof ".00000"] = '\0';
    return put(r, text, out);
}

static bool is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

static struct text trimmed(struct text t)
{
    for (; t.len && is_blank(*t.p); t.p++)
        t.len--;
    while (t.len && is_blank(t.p[t.len - 1]))
        t.len--;
    return t;
}

/* Steps over digits, of which there are from `least` to `most`. */
static bool read_number(struct text *t, unsigned least, unsigned most, int64_t *out)
{
    unsigned n = 0;

    for (*out = 0; t->len && *t->p >= '0' && *t->p <= '9' && n <= most; n++, t->p++, t->len--)
        *out = *out * 10 + (*t->p - '0');
    return n >= least && n <= most;
}

/* [+-]yyyy, with -[m]m, with -[d]d, behind which, and behind a blank or a T, anything may stand. */
static bool read_date(struct text t, int64_t *days)
{
    int64_t year, month = 1, day = 1;
    bool negative = t.len && *t.p == '-';

    (void)take_any(&t, "+-");
    if (!read_number(&t, 4, 7, &year))
        return false;
    if (take_any(&t, "-")) {
        if (!read_number(&t, 1, 2, &month))
            return false;
        if (take_any(&t, "-")) {
            if (!read_number(&t, 1, 2, &day))
                return false;
            t.len = take_any(&t, " T") ? 0 : t.len;
        }
    }
    year = negative ? -year : year;
    if (t.len || month < 1 || month > MONTHS || day < 1 ||
        day > calendar_month_days(year, (unsigned)month))
        return false;
    *days = calendar_days(year, (unsigned)month, (unsigned)day);
    return sql_wrap(TYPE_INT, *days) == *days;
}

enum { SHOWN = 40 };

FUNCTION(text_to_date)
{
    struct text t = a[0].t;

    if (read_date(trimmed(t), &out->i))
        return SQL_VALUE;
    return sql_outside(n, r, SQL_NULL, "'%.*s' is no date", (int)(t.len < SHOWN ? t.len : SHOWN),
                       t.p);
}

/* -- the table -- */

enum {
    DATE = TYPE_BIT(DATE),
    TIME = TYPE_BIT(TIMESTAMP),
    SHORT = TYPE_BIT(TINYINT) | TYPE_BIT(SMALLINT) | TYPE_BIT(INT),
};

#define OF(name, from, to, function)                        \
    {                                                       \
        name, 1, 1, {from}, TYPE_BIT(to), .eager = function \
    }
#define LOCAL(name, from, to, function)                                          \
    {                                                                            \
        name, 1, 1, {from}, TYPE_BIT(to), .eager = function, .prove = prove_zone \
    }
#define CAST(name, from, to, function)                                     \
    {                                                                      \
        name, 1, 1, {from}, TYPE_BIT(to), .modes = true, .eager = function \
    }
#define LOCAL_CAST(name, from, to, function)                                                    \
    {                                                                                           \
        name, 1, 1, {from}, TYPE_BIT(to), .modes = true, .eager = function, .prove = prove_zone \
    }

static const struct sql_function functions[] = {
    OF("year", DATE, INT, run_year),
    OF("quarter", DATE, INT, run_quarter),
    OF("month", DATE, INT, run_month),
    OF("week_of_year", DATE, INT, run_week_of_year),
    OF("day_of_year", DATE, INT, run_day_of_year),
    OF("day_of_month", DATE, INT, run_day_of_month),
    OF("day_of_week", DATE, INT, run_day_of_week),
    OF("week_day", DATE, INT, run_week_day),
    LOCAL("hour", TIME, INT, run_hour),
    LOCAL("minute", TIME, INT, run_minute),
    LOCAL("second", TIME, INT, run_second),
    {"date_add", 2, 2, {DATE, SHORT}, DATE, .eager = run_date_add},
    {"date_sub", 2, 2, {DATE, SHORT}, DATE, .eager = run_date_sub},
    {"date_diff", 2, 2, {DATE, DATE}, TYPE_BIT(INT), .eager = run_date_sub},
    {"add_months", 2, 2, {DATE, IS_INT}, DATE, .eager = run_add_months},
    {"months_between",
     3,
     3,
     {TIME, TIME, IS_BOOLEAN},
     IS_DOUBLE,
     .eager = run_months_between,
     .prove = prove_zone},
    OF("last_day", DATE, DATE, run_last_day),
    {"next_day", 2, 2, {DATE, IS_INT}, DATE, .eager = run_next_day, .prove = prove_day},
    OF("trunc_week", DATE, DATE, cut_week_of_date),
    OF("trunc_month", DATE, DATE, cut_month_of_date),
    OF("trunc_quarter", DATE, DATE, cut_quarter_of_date),
    OF("trunc_year", DATE, DATE, cut_year_of_date),
    OF("trunc_millisecond", TIME, TIMESTAMP, cut_millisecond_of_time),
    OF("trunc_second", TIME, TIMESTAMP, cut_second_of_time),
    OF("trunc_minute", TIME, TIMESTAMP, cut_minute_of_time),
    LOCAL("trunc_hour", TIME, TIMESTAMP, cut_hour_of_time),
    LOCAL("trunc_day", TIME, TIMESTAMP, cut_day_of_time),
    LOCAL("trunc_week", TIME, TIMESTAMP, cut_week_of_time),
    LOCAL("trunc_month", TIME, TIMESTAMP, cut_month_of_time),
    LOCAL("trunc_quarter", TIME, TIMESTAMP, cut_quarter_of_time),
    LOCAL("trunc_year", TIME, TIMESTAMP, cut_year_of_time),
    OF("unix_date", DATE, INT, same),
    OF("unix_seconds", TIME, BIGINT, time_to_seconds),
    OF("unix_millis", TIME, BIGINT, time_to_millis),
    OF("unix_micros", TIME, BIGINT, same),
    OF("unix_timestamp", TIME, BIGINT, time_to_whole_seconds),
    LOCAL("unix_timestamp", DATE, BIGINT, date_to_whole_seconds),
    OF("date_from_unix_date", IS_INT, DATE, same),
    LOCAL_CAST("to_date", TIME, DATE, time_to_date),
    CAST("to_date", IS_STRING, DATE, text_to_date),
    LOCAL_CAST("to_timestamp", DATE, TIMESTAMP, date_to_time),
    CAST("to_string", DATE, STRING, date_to_text),
    LOCAL_CAST("to_string", TIME, STRING, time_to_text),
    CAST("to_bigint", TIME, BIGINT, time_to_seconds),
    CAST("to_double", TIME, DOUBLE, time_to_double),
};

const struct sql_table sql_dates = {functions, countof(functions)};
