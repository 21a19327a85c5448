/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second reading of HTTP/1.1, written for the tests alone: requests and replies as RFC 9112 has
 * them, byte after byte, and nothing beside it. It says what there is in a stream, so that it can
 * be held against what a server made of it.
 */
#ifndef SCORED_STRICT_H
#define SCORED_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STRICT_LINE = 16 * 1024, STRICT_ID = 65 };

/* A request or a reply, as far as it has come. */
struct message {
    char id[STRICT_ID]; /* of X-Request-Id; empty where there is none */
    unsigned status;    /* of a reply */
    bool head;          /* a request by HEAD, or a reply to one */
    bool lines;         /* its body is NDJSON */
    bool chunked, close, http10, has_length, expects;
    uint64_t length;
    uint64_t newlines, rows; /* of its body; rows end with the last line that is not empty */
    unsigned hosts, lengths, codings, fields;
    size_t size; /* of its head, so far */
};

struct stream {
    bool replies; /* what is read */
    enum { AT_START, AT_LINE, AT_LENGTH, AT_SIZE, AT_DATA, AT_DATA_END, AT_TRAILER, AT_WRONG } at;
    struct message now;
    uint64_t left; /* of the body or the chunk */
    char line[STRICT_LINE];
    size_t line_len;
    bool returned;                        /* a carriage return came last */
    unsigned began, ended;                /* heads and messages that were whole */
    bool (*reply_to_head)(void *context); /* for replies: is it one to HEAD? */
    void (*began_one)(void *context, const struct message *m);
    void (*ended_one)(void *context, const struct message *m);
    void *context;
};

/* Reads on. False: something is wrong, and from here on nothing is read. */
bool stream_read(struct stream *s, const char *p, size_t n);

#endif
