/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers between JSON text and IEEE bits: one rounding each way, no allocation, no locale, no
 * errno. The rounding mode must be the default one. All functions are safe in any thread.
 */
#ifndef SCORED_NUMBER_H
#define SCORED_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number as it was written: (-1)^negative * significand * 10^exponent exactly, unless
 * `truncated`. Borrows the text, which the conversions read again in the rare cases that need all
 * digits. */
struct number {
    const char *start;
    size_t len;
    uint64_t significand; /* the first 19 significant digits */
    int64_t exponent;
    bool negative;
    bool truncated; /* digits that are not zero follow the first 19 */
};

/* Reads the number of RFC 8259 that begins at `start`, where `start <= end`. Returns the byte after
 * it, or NULL where there is none: no `+`, no leading zeros, digits on both sides of a point. What
 * follows is the caller's to judge; no byte at or after `end` is read. On failure
 * nothing of use is in `out`. */
const char *number_scan(const char *start, const char *end, struct number *out);

/* The nearest value, ties to even, straight from the decimal digits: infinite where it overflows,
 * zero with its sign where it underflows. */
double number_to_double(const struct number *n);
float number_to_float(const struct number *n);

/* True iff the exact value is an integer that fits; else leaves `out` alone. 41, 41.0, 4.1e1 and -0
 * are integers. */
bool number_to_int64(const struct number *n, int64_t *out);

/* Room for any number, as written below. */
enum { NUMBER_MAX = 32 };

/* Each writes one JSON value, without a NUL, to `out` (NUMBER_MAX bytes, of which all may be
 * overwritten) and returns its length. Doubles and floats get the fewest digits that read back to
 * the same bits of their own width, and of these the closest: plain for 1e-5 <= |x| < 1e17, else
 * with an exponent, always with a fraction: 41.0, 0.00001, 1.0e17, 5.0e-324, -0.0; else the strings
 * "NaN", "Infinity", "-Infinity", quotes included. */
unsigned number_put_double(char *out, double x);
unsigned number_put_float(char *out, float x);
unsigned number_put_int64(char *out, int64_t x);

#endif
