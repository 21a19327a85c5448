/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four characters of 1 to 3 bytes. */
static void put_group(const unsigned char *p, size_t n, char out[4])
{
    uint32_t bits = (uint32_t)p[0] << 16;

    if (n > 1)
        bits |= (uint32_t)p[1] << 8;
    if (n > 2)
        bits |= p[2];
    for (size_t i = 0; i < 4; i++)
        out[i] = '=';
    for (size_t i = 0; i <= n; i++)
        out[i] = digits[bits >> (18 - 6 * i) & 63];
}

void buf_base64(struct buf *b, const unsigned char *p, size_t n)
{
    char *out = n <= SIZE_MAX / 4 ? buf_reserve(b, (n + 2) / 3 * 4) : NULL;

    if (!out) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i += 3, out += 4)
        put_group(p + i, n - i < 3 ? n - i : 3, out);
    *out = '\0';
    b->len += (n + 2) / 3 * 4;
}

/* Up to 3 bytes of four characters; what they stand for is held against them by the caller. */
static void read_group(const char *text, unsigned char out[3])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        const char *digit = text[i] == '=' ? digits : memchr(digits, text[i], 64);
        bits = bits << 6 | (uint32_t)(digit ? digit - digits : 0);
    }
    for (size_t i = 0; i < 3; i++)
        out[i] = (unsigned char)(bits >> (16 - 8 * i));
}

bool base64_read(const char *text, unsigned char *out, size_t n)
{
    if (n > SIZE_MAX / 4 || strlen(text) != (n + 2) / 3 * 4)
        return false;
    for (size_t i = 0; i < n; i += 3, text += 4) {
        size_t left = n - i < 3 ? n - i : 3;
        unsigned char bytes[3];
        char again[4];
        read_group(text, bytes);
        put_group(bytes, left, again);
        if (memcmp(again, text, 4) != 0)
            return false;
        memcpy(out + i, bytes, left);
    }
    return true;
}
