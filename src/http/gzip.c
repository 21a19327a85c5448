/* SPDX-License-Identifier: Apache-2.0 */
#include "gzip.h"

#include "unpack.h"

#include <stdlib.h>
#define ZLIB_CONST /* what is read is not written */
#include <zlib.h>

enum {
    WINDOW = 15,      /* bits: the largest */
    ONLY_GZIP = 16,   /* zlib is told so by this beside them */
    LEVEL = 1,        /* 4 leaves 4 % less of answers, in twice the time */
    MEMORY_LEVEL = 8, /* zlib's own default */
    OUT_BYTES = 8 * 1024,
};

/* -- inflating -- */

struct gunzip {
    z_stream z;
    bool ended; /* so has a member */
};

static void *begin(void)
{
    struct gunzip *g = calloc(1, sizeof *g);

    if (!g || inflateInit2(&g->z, WINDOW + ONLY_GZIP) == Z_OK)
        return g;
    free(g);
    return NULL;
}

static void end(void *memory)
{
    struct gunzip *g = memory;

    inflateEnd(&g->z);
    free(g);
}

static enum unpacked some(void *memory, struct unpack_io *io)
{
    struct gunzip *g = memory;

    if (g->ended && inflateReset(&g->z) != Z_OK)
        return UNPACKED_NO_MEMORY;
    g->z.next_in = (const unsigned char *)io->in;
    g->z.avail_in = (unsigned)io->in_len;
    g->z.next_out = (unsigned char *)io->out;
    g->z.avail_out = (unsigned)io->out_len;
    int result = inflate(&g->z, Z_NO_FLUSH);
    io->in_len = g->z.avail_in;
    io->out_len = g->z.avail_out;
    g->ended = result == Z_STREAM_END;
    if (g->ended)
        return UNPACKED_MEMBER;
    if (result == Z_MEM_ERROR)
        return UNPACKED_NO_MEMORY;
    return result == Z_OK || result == Z_BUF_ERROR ? UNPACKED_SOME : UNPACKED_WRONG;
}

static const char *wrong(const void *memory)
{
    const struct gunzip *g = memory;

    return g->z.msg ? g->z.msg : "it is no gzip";
}

const struct unpacking unpacking_gzip = {
    .name = "gzip",
    .alias = "x-gzip",
    .malformed = PROBLEM_MALFORMED_GZIP,
    .bytes = (size_t)48 * 1024,
    .begin = begin,
    .end = end,
    .some = some,
    .wrong = wrong,
    .library = "zlib",
    .version = zlibVersion,
};

/* -- compressing -- */

struct gzip {
    z_stream z;
    size_t at; /* of the text is read */
};

struct gzip *gzip_new(void)
{
    struct gzip *g = calloc(1, sizeof *g);

    if (!g || deflateInit2(&g->z, LEVEL, Z_DEFLATED, WINDOW + ONLY_GZIP, MEMORY_LEVEL,
                           Z_DEFAULT_STRATEGY) == Z_OK)
        return g;
    free(g);
    return NULL;
}

void gzip_free(struct gzip *g)
{
    if (!g)
        return;
    deflateEnd(&g->z);
    free(g);
}

enum gzip_state gzip_some(struct gzip *g, const struct buf *text, struct buf *out)
{
    size_t left = text->len - g->at, n = left < GZIP_STEP ? left : (size_t)GZIP_STEP;
    bool last = n == left;

    g->z.next_in = (unsigned char *)text->data + g->at;
    g->z.avail_in = (unsigned)n;
    do {
        g->z.next_out = (unsigned char *)buf_reserve(out, OUT_BYTES);
        g->z.avail_out = OUT_BYTES;
        if (!g->z.next_out || deflate(&g->z, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
            return GZIP_NO_MEMORY;
        out->len += OUT_BYTES - g->z.avail_out;
    } while (!g->z.avail_out);
    g->at += n;
    return last ? GZIP_DONE : GZIP_ON;
}
