/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#ifndef SCORED_UTF8_H
#define SCORED_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes from p on are well-formed: n where all are. */
size_t utf8_valid(const char *p, size_t n);

/* Length (1..4) of the well-formed sequence at p, or 0. Reads at most n bytes. */
unsigned utf8_sequence(const char *p, size_t n);

/* Writes a code point that is not a surrogate; returns its length, 1..4. */
unsigned utf8_put(char *out, uint32_t code);

#endif
