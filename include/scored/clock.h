/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_CLOCK_H
#define SCORED_CLOCK_H

#include <stdint.h>

uint64_t clock_ns(void);        /* monotonic */
uint64_t clock_ms(void);        /* wall clock, since 1970 */
uint64_t clock_thread_ns(void); /* that this thread had a processor */

/* RFC 3339 UTC with milliseconds, "2026-11-21T10:20:30.123Z", of milliseconds since 1970. */
enum { CLOCK_TEXT = 25 };
void clock_text(uint64_t ms, char out[CLOCK_TEXT]);

#endif
