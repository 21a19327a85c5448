/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952) of a text, some of it at a time. unpack.h has the way back. */
#ifndef SCORED_HTTP_GZIP_H
#define SCORED_HTTP_GZIP_H

#include "scored/buf.h"

enum {
    GZIP_BYTES = 272 * 1024, /* that compressing takes, beside what it is given and gives */
    GZIP_STEP = 16 * 1024,   /* bytes of text that are good for one call */
};

enum gzip_state {
    GZIP_ON, /* there is more to do */
    GZIP_DONE,
    GZIP_NO_MEMORY,
};

struct gzip;
struct gzip *gzip_new(void); /* NULL: no memory */
void gzip_free(struct gzip *g);

/* Compresses some of a text that is all there, and must stay where it is. */
enum gzip_state gzip_some(struct gzip *g, const struct buf *text, struct buf *out);

#endif
