/* SPDX-License-Identifier: Apache-2.0 */
#include "gzip.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    WINDOW = 15,      /* bits: the largest */
    ONLY_GZIP = 16,   /* zlib is told so by this beside them */
    LEVEL = 1,        /* 4 leaves 4 % less of answers, in twice the time */
    MEMORY_LEVEL = 8, /* zlib's own default */
    OUT_BYTES = 8 * 1024,
};

struct gunzip {
    z_stream z;
    struct buf given;
    size_t at; /* of it is read */
    uint64_t read;
    bool ended; /* so has a member */
};

struct gunzip *gunzip_new(void)
{
    struct gunzip *g = calloc(1, sizeof *g);

    if (!g || inflateInit2(&g->z, WINDOW + ONLY_GZIP) == Z_OK)
        return g;
    free(g);
    return NULL;
}

void gunzip_free(struct gunzip *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    buf_done(&g->given);
    free(g);
}

bool gunzip_put(struct gunzip *g, const char *p, size_t n)
{
    if (g->at == g->given.len) {
        buf_reset(&g->given);
        g->at = 0;
    }
    buf_put(&g->given, p, n);
    return !g->given.failed;
}

/* What there is to read, and where to write. False: no memory. */
static bool aim(struct gunzip *g, struct buf *out, size_t n)
{
    g->z.next_in = (unsigned char *)g->given.data + g->at;
    g->z.avail_in = (unsigned)(g->given.len - g->at);
    g->z.next_out = (unsigned char *)buf_reserve(out, n);
    g->z.avail_out = (unsigned)n;
    return g->z.next_out != NULL;
}

/* Takes over how far zlib came. */
static void advance(struct gunzip *g, struct buf *out, size_t n)
{
    size_t left = g->given.len - g->at;

    g->at += left - g->z.avail_in;
    g->read += left - g->z.avail_in;
    out->len += n - g->z.avail_out;
    out->data[out->len] = '\0';
}

enum gzip_state gunzip_some(struct gunzip *g, struct buf *out, size_t n)
{
    if (!g->given.data || (g->at == g->given.len && g->ended))
        return GZIP_WAITS;
    if (!aim(g, out, n) || (g->ended && inflateReset(&g->z) != Z_OK))
        return GZIP_NO_MEMORY;
    int result = inflate(&g->z, Z_NO_FLUSH);
    advance(g, out, n);
    g->ended = result == Z_STREAM_END;
    if (result == Z_MEM_ERROR)
        return GZIP_NO_MEMORY;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return GZIP_WRONG;
    return g->z.avail_in || (!g->z.avail_out && !g->ended) ? GZIP_ON : GZIP_WAITS;
}

bool gunzip_is_whole(const struct gunzip *g)
{
    return g->ended && g->at == g->given.len;
}

const char *gunzip_wrong(const struct gunzip *g)
{
    return g->z.msg ? g->z.msg : "it is no gzip";
}

uint64_t gunzip_read(const struct gunzip *g)
{
    return g->read;
}

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

const char *gzip_library(void)
{
    return zlibVersion();
}
