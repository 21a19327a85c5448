/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line an event to stderr: `level key=value ... msg="..."`, no dates (the platform adds them).
 * Only the outermost caller logs: main, the server, the loader. A line is written by one write(2).
 */
#ifndef SCORED_LOG_H
#define SCORED_LOG_H

#include "scored/err.h"

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* default LOG_INFO; before threads start */

/* The text is written after the level; values that come from outside go through log_value. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* p's bytes with quotes, control characters and non-ASCII escaped, cut to the size of out, for %s.
 */
const char *log_value(char *out, unsigned size, const char *p, unsigned n);

/* From here to log_stop lines are written by a thread of its own, so that a reader that stops
 * reading stops nobody; what the ring between cannot hold is dropped, and a later line says how
 * many. Other threads start later and end earlier. */
bool log_start(struct err *e);
void log_stop(void);        /* waits a bounded time for what is left */
uint64_t log_dropped(void); /* lines, ever */

#endif
