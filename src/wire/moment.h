/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and timestamps as texts: of the Gregorian calendar, for all times. */
#ifndef WIRE_MOMENT_H
#define WIRE_MOMENT_H

#include "scored/buf.h"
#include "scored/dict.h"

/* How far local time is from UTC, where that is always the same. */
struct zone {
    bool known;
    int32_t seconds;
};

/* "UTC", "Z", "GMT", "Etc/UTC" or an offset, "+01:00"; rules of regions are not known here. NULL is
 * not known either. */
struct zone zone_read(const char *name);

/* "2026-11-27": days since 1970-01-01. Years are 0001 to 9999. */
bool moment_read_date(const struct text *t, int64_t *days);

/* RFC 3339 with at most six digits of a second: microseconds since 1970. Without "Z" or an offset
 * it is local time; false where that is not known. */
bool moment_read_timestamp(const struct text *t, const struct zone *local, int64_t *micros);

void moment_put_date(struct buf *out, int64_t days);
void moment_put_timestamp(struct buf *out, int64_t micros); /* in UTC, with "Z" */

#endif
