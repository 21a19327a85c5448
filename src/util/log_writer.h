/* SPDX-License-Identifier: Apache-2.0 */
/* Where lines of the log go: straight to stderr, or, once log_start was called, into a ring that a
 * thread of its own writes. */
#ifndef SCORED_UTIL_LOG_WRITER_H
#define SCORED_UTIL_LOG_WRITER_H

#include <stdint.h>

enum { LOG_LINE_MAX = 2048 };

/* A whole line with its newline, at most LOG_LINE_MAX bytes. */
void log_put(const char *line, unsigned n);

/* The line that says how many are missing; its length, below `size`. */
unsigned log_drops(char *out, unsigned size, uint64_t n);

#endif
