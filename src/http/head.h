/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges the head of a request by its bytes, before any library reads them: RFC 9110 and 9112 to
 * the letter, and stricter where servers are known to read the same bytes differently. One pass
 * from left to right; what is wrong with a head is told at its first wrong byte, so that a head
 * gets the same verdict in whatever pieces it comes.
 */
#ifndef SCORED_HTTP_HEAD_H
#define SCORED_HTTP_HEAD_H

#include "scored/problem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct head_limits {
    size_t target; /* bytes of a request target at most */
    size_t head;   /* bytes of a head at most, its empty line included */
    unsigned fields;
};
#define HEAD_LIMITS      \
    (struct head_limits) \
    {                    \
        8192, 16384, 64  \
    }

enum head_state { HEAD_PARTIAL, HEAD_WHOLE, HEAD_WRONG };

/* Texts in here never end: `wrong` is a literal. */
struct head_verdict {
    size_t size; /* where whole: up to and with the empty line that ends it */

    /* where wrong: what to answer; then the connection can be used no more */
    enum problem problem;
    unsigned status;
    const char *wrong;

    /* what a whole head says of itself and its body */
    uint64_t length; /* of the body; 0 where none is told */
    bool has_length, chunked, http10, expects /* 100-continue */, bodyless /* GET or HEAD */;
    unsigned fields, hosts, lengths, codings; /* how many of each there were */
};

/* `more_may_come` is false where the sender has ended: then there is no partial head. An empty line
 * before the head is part of it. HTTP/1.2 to 1.9 are taken for 1.1. */
enum head_state head_judge(const char *bytes, size_t n, bool more_may_come,
                           const struct head_limits *limits, struct head_verdict *out);

/* Where the path begins in a target that is not wrong. It may be empty in the absolute form. */
size_t head_path(const char *target, size_t n);

#endif
