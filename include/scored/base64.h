/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 section 4: one text for a piece of bytes, and one only. */
#ifndef SCORED_BASE64_H
#define SCORED_BASE64_H

#include "scored/buf.h"

/* Appends the text of n bytes, padded. */
void buf_base64(struct buf *b, const unsigned char *p, size_t n);

/* True where the text is that of exactly n bytes, which are written to `out`: no blanks, padding
 * where it belongs, spare bits zero. `out` is undefined else. */
bool base64_read(const char *text, unsigned char *out, size_t n);

#endif
