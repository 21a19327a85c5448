/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that come compressed, by the content codings that the build has (RFC 9110, 8.4.1), some at
 * a time: no call gives more than the room that it is given. Behind a member (what zstd calls a
 * frame) another may follow, and nothing else.
 */
#ifndef SCORED_HTTP_UNPACK_H
#define SCORED_HTTP_UNPACK_H

#include "scored/buf.h"
#include "scored/problem.h"

enum { UNPACK_STEP = 16 * 1024 /* bytes of text that are good for one call */ };

enum unpack_state {
    UNPACK_ON,    /* there is more to do with what was given */
    UNPACK_WAITS, /* for more */
    UNPACK_WRONG, /* unpack_wrong tells why */
    UNPACK_NO_MEMORY,
};

/* What there is to read and where to write. Who does so moves both along. */
struct unpack_io {
    const char *in;
    size_t in_len;
    char *out;
    size_t out_len;
};

enum unpacked { UNPACKED_SOME, UNPACKED_MEMBER, UNPACKED_WRONG, UNPACKED_NO_MEMORY };

/* A coding, by a library. */
struct unpacking {
    const char *name, *alias; /* as Content-Encoding has them, in whatever case; alias: or NULL */
    enum problem malformed;
    size_t bytes;         /* that it takes, beside what it is given and gives */
    size_t window;        /* and of the text that it gave, at most, where that is not in `bytes` */
    void *(*begin)(void); /* its memory; NULL: there is none */
    void (*end)(void *memory);
    enum unpacked (*some)(void *memory, struct unpack_io *io); /* after a member the next begins */
    const char *(*wrong)(const void *memory);
    const char *library;
    const char *(*version)(void);
};

extern const struct unpacking unpacking_gzip, unpacking_zstd;

/* The coding of a header's value; NULL where it is NULL, or names another, or several. */
const struct unpacking *unpacking_of(const char *value);
/* All of this build: the i-th, or NULL; and their names, as Accept-Encoding has them. */
const struct unpacking *unpacking_at(unsigned i);
extern const char unpacking_names[];

struct unpacker;
struct unpacker *unpacker_new(const struct unpacking *by); /* NULL: no memory */
void unpacker_free(struct unpacker *u);                    /* takes NULL */

/* Gives it bytes, which it copies. False: no memory. */
bool unpack_put(struct unpacker *u, const char *p, size_t n);
/* Appends at most n bytes of the text. */
enum unpack_state unpack_some(struct unpacker *u, struct buf *out, size_t n);

bool unpack_is_whole(const struct unpacker *u); /* it ends where a member does */
const char *unpack_wrong(const struct unpacker *u);
const struct unpacking *unpack_by(const struct unpacker *u);
uint64_t unpack_read(const struct unpacker *u); /* how many bytes of what was given are read */
size_t unpack_holds(const struct unpacker *u);  /* bytes of memory, beside what it was given */

#endif
