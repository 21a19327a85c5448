/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and timestamps as texts. */
#ifndef WIRE_MOMENT_H
#define WIRE_MOMENT_H

#include "scored/buf.h"
#include "scored/calendar.h"

/* "2026-11-27": days since 1970-01-01. Years beyond 0000 to 9999 have a
 * sign, "+12345-01-01"; days are Java's ints. */
bool moment_read_date(const struct text *t, int64_t *days);

/* RFC 3339 with at most six digits of a second: microseconds since 1970. Without "Z" or an offset
 * it is local time; false where that is not known. */
bool moment_read_timestamp(const struct text *t, const struct zone *local, int64_t *micros);

void moment_put_date(struct buf *out, int64_t days);
void moment_put_timestamp(struct buf *out, int64_t micros); /* in UTC, with "Z" */

#endif
