/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal digits: written in lower case, as digests and identifiers have them. */
#ifndef SCORED_HEX_H
#define SCORED_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes the 2 x bytes last digits of a number, and no NUL. */
void hex_number(uint64_t v, size_t bytes, char *out);
/* Writes 2n digits and a NUL. */
void hex_text(const unsigned char *p, size_t n, char *out);

/* Is the text so many digits in lower case, and nothing else? */
bool hex_is(const char *text, size_t digits);
/* Takes 2n digits of either case. False: not all are digits. */
bool hex_read(const char *p, size_t n, unsigned char *out);

#endif
