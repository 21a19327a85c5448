/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line an event to stderr: `level key=value ... msg="..."`, no dates (the platform adds them).
 * Only the outermost caller logs: main, the server, the loader. A line is written by one write(2).
 */
#ifndef SCORED_LOG_H
#define SCORED_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level); /* default LOG_INFO; before threads start */

/* The text is written after the level; values that come from outside go through log_value. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* p's bytes with quotes, control characters and non-ASCII escaped, cut to the size of out, for %s.
 */
const char *log_value(char *out, unsigned size, const char *p, unsigned n);

#endif
