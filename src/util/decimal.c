/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/decimal.h"

#include <string.h>

bool decimal_read(const char *p, size_t n, uint64_t low, uint64_t high, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(p[i] - '0'), &value))
            return false;
    }
    if (!n || value < low || value > high)
        return false;
    *out = value;
    return true;
}

bool decimal_port(const char *text, uint16_t *port)
{
    uint64_t n;

    if (!decimal_read(text, strlen(text), 0, UINT16_MAX, &n))
        return false;
    *port = (uint16_t)n;
    return true;
}
