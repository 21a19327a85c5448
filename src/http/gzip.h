/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952), some at a time: no call works longer, or takes more memory, than the room that
 * it is given. Behind a member another may follow, and nothing else.
 */
#ifndef SCORED_HTTP_GZIP_H
#define SCORED_HTTP_GZIP_H

#include "scored/buf.h"

enum {
    GUNZIP_BYTES = 48 * 1024, /* that inflating takes, beside what it is given and gives */
    GZIP_BYTES = 272 * 1024,  /* that compressing takes, likewise */
    GZIP_STEP = 16 * 1024,    /* bytes of text that are good for one call */
};

enum gzip_state {
    GZIP_ON,    /* there is more to do with what was given */
    GZIP_WAITS, /* for more */
    GZIP_DONE,
    GZIP_WRONG, /* gunzip_wrong tells why */
    GZIP_NO_MEMORY,
};

struct gunzip;
struct gunzip *gunzip_new(void);    /* NULL: no memory */
void gunzip_free(struct gunzip *g); /* takes NULL */

/* Gives it bytes, which it copies. False: no memory. */
bool gunzip_put(struct gunzip *g, const char *p, size_t n);

/* Appends at most n bytes of the text. */
enum gzip_state gunzip_some(struct gunzip *g, struct buf *out, size_t n);

bool gunzip_is_whole(const struct gunzip *g); /* it ends where a member does */
const char *gunzip_wrong(const struct gunzip *g);
uint64_t gunzip_read(const struct gunzip *g); /* how many bytes of what was given are read */

struct gzip;
struct gzip *gzip_new(void); /* NULL: no memory */
void gzip_free(struct gzip *g);

/* Compresses some of a text that is all there, and must stay where it is. */
enum gzip_state gzip_some(struct gzip *g, const struct buf *text, struct buf *out);

const char *gzip_library(void); /* the version of zlib */

#endif
