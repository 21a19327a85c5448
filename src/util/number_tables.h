/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_WIRE_NUMBER_TABLES_H
#define SCORED_WIRE_NUMBER_TABLES_H

#include <stdint.h>

/* The least 128-bit integer that is not below 10^q * 2^(127 - floor(q log2 10)), for q from
 * POW10_MIN to POW10_MAX: exact where 0 <= q <= POW10_EXACT (5^q fits), else too large by less than
 * one. */
enum { POW10_MIN = -342, POW10_MAX = 324, POW10_EXACT = 55 };

struct pow10 {
    uint64_t hi, lo;
};

extern const struct pow10 number_pow10[POW10_MAX - POW10_MIN + 1];

/* floor(q log2 10), for any q of the table. */
static inline int pow10_log2(int q)
{
    return (q * 1741647) >> 19;
}

#endif
