/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd (RFC 8878), of windows that every reader must take on the web, and no larger ones (RFC
 * 9659): a frame says at its beginning how much of the text it looks back on, and libzstd gets that
 * much memory at once. What has not been given yet is not touched in it either.
 */
#ifdef SCORED_ZSTD
#include "unpack.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    WINDOW = 23,              /* bits: 8 MiB */
    BLOCK_BYTES = 128 * 1024, /* the largest, of which it has one as it came and two as text */
    STATE_BYTES = 96 * 1024,  /* its tables */
};

struct unzstd {
    ZSTD_DCtx *context;
    size_t wrong; /* what libzstd calls an error */
};

static void *begin(void)
{
    struct unzstd *u = calloc(1, sizeof *u);

    if (u)
        u->context = ZSTD_createDCtx();
    if (u && u->context &&
        !ZSTD_isError(ZSTD_DCtx_setParameter(u->context, ZSTD_d_windowLogMax, WINDOW)))
        return u;
    if (u)
        ZSTD_freeDCtx(u->context);
    free(u);
    return NULL;
}

static void end(void *memory)
{
    struct unzstd *u = memory;

    ZSTD_freeDCtx(u->context);
    free(u);
}

static enum unpacked some(void *memory, struct unpack_io *io)
{
    struct unzstd *u = memory;
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t result = ZSTD_decompressStream(u->context, &out, &in);

    io->in += in.pos, io->in_len -= in.pos;
    io->out += out.pos, io->out_len -= out.pos;
    if (!ZSTD_isError(result))
        return result ? UNPACKED_SOME : UNPACKED_MEMBER;
    u->wrong = result;
    return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? UNPACKED_NO_MEMORY
                                                                     : UNPACKED_WRONG;
}

static const char *wrong(const void *memory)
{
    const struct unzstd *u = memory;

    if (ZSTD_getErrorCode(u->wrong) == ZSTD_error_frameParameter_windowTooLarge)
        return "a frame has a window of more than 8 MiB, which is too large on the web";
    return ZSTD_getErrorName(u->wrong);
}

const struct unpacking unpacking_zstd = {
    .name = "zstd",
    .malformed = PROBLEM_MALFORMED_ZSTD,
    .bytes = STATE_BYTES + 3 * (size_t)BLOCK_BYTES,
    .window = (size_t)1 << WINDOW,
    .begin = begin,
    .end = end,
    .some = some,
    .wrong = wrong,
    .library = "zstd",
    .version = ZSTD_versionString,
};
#else
typedef int no_zstd; /* a file of C declares something */
#endif
