/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The different replies that a server gave, each kept once: what matters of it is its status, its
 * X-Model-Version and its body. Millions of replies are so few that all of them can be judged byte
 * for byte, afterwards.
 */
#ifndef TESTS_BENCH_REPLIES_H
#define TESTS_BENCH_REPLIES_H

#include "scored/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPLIES_MAX = 1 << 14, REPLIES_TABLE = 2 * REPLIES_MAX, NO_REPLY = -1 };

struct reply {
    char *text; /* from the status to the end of the body, as below */
    size_t head, len;
    uint64_t count;
};

struct replies {
    struct reply list[REPLIES_MAX];
    int32_t table[REPLIES_TABLE]; /* by hash: 1 + the place in `list`, 0 none */
    uint32_t n;
    struct buf key;
};

/* The length of the reply that begins at p, and of its head; 0 where the head is not complete. */
size_t reply_length(const char *p, size_t n, size_t *head);

/* Counts a whole reply. Its number, or NO_REPLY: too many different ones, or no memory. */
int32_t replies_note(struct replies *r, const char *p, size_t n, size_t head);

/* [{"status":200,"version":"v1","count":2,"body":"..."},...], by number. */
void replies_print(const struct replies *r, struct buf *out);
void replies_done(struct replies *r);

#endif
