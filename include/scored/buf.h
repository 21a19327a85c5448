/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer. Appending never fails at once: a failed allocation makes the buffer
 * `failed`, drops what follows, and is checked once at the end. After each call data[len] is NUL.
 */
#ifndef SCORED_BUF_H
#define SCORED_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    char *data; /* NULL until something was appended */
    size_t len, cap;
    bool failed;
};

void buf_done(struct buf *b);  /* frees; the buffer is empty again */
void buf_reset(struct buf *b); /* empties, keeps the memory, forgets a failure */

/* Room for n more bytes and a NUL, or NULL. The caller fills it and adds to len. */
char *buf_reserve(struct buf *b, size_t n);
void buf_put(struct buf *b, const char *p, size_t n);
void buf_text(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t n);

/* A JSON string with its quotes; the bytes are valid UTF-8. */
void buf_json_string(struct buf *b, const char *p, size_t n);

/* "literal" without a strlen. */
#define buf_lit(b, literal) buf_put((b), literal, sizeof(literal) - 1)

#endif
