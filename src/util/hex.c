/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

static void put_byte(char *out, unsigned byte)
{
    out[0] = digits[byte >> 4];
    out[1] = digits[byte & 15];
}

void hex_number(uint64_t v, size_t bytes, char *out)
{
    for (; bytes--; v >>= 8)
        put_byte(out + 2 * bytes, v & 255);
}

void hex_text(const unsigned char *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        put_byte(out + 2 * i, p[i]);
    out[2 * n] = '\0';
}

bool hex_is(const char *text, size_t n)
{
    return strspn(text, digits) == n && !text[n];
}

static int value_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool hex_read(const char *p, size_t n, unsigned char *out)
{
    for (size_t i = 0; i < n; i++) {
        int high = value_of(p[2 * i]), low = value_of(p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
