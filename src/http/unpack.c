/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <stdlib.h>
#include <strings.h>

struct unpacker {
    const struct unpacking *by;
    void *memory; /* of the library */
    struct buf given;
    size_t at; /* of it is read */
    uint64_t read, gave;
    bool ended; /* so has a member */
};

#ifdef SCORED_ZSTD
static const struct unpacking *const unpackings[] = {&unpacking_gzip, &unpacking_zstd, NULL};
const char unpacking_names[] = "gzip, zstd";
#else
static const struct unpacking *const unpackings[] = {&unpacking_gzip, NULL};
const char unpacking_names[] = "gzip";
#endif

const struct unpacking *unpacking_at(unsigned i)
{
    return unpackings[i];
}

const struct unpacking *unpacking_of(const char *value)
{
    for (unsigned i = 0; value && unpackings[i]; i++) {
        const struct unpacking *u = unpackings[i];
        if (!strcasecmp(value, u->name) || (u->alias && !strcasecmp(value, u->alias)))
            return u;
    }
    return NULL;
}

struct unpacker *unpacker_new(const struct unpacking *by)
{
    struct unpacker *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->by = by;
    u->memory = by->begin();
    if (u->memory)
        return u;
    free(u);
    return NULL;
}

void unpacker_free(struct unpacker *u)
{
    if (!u)
        return;
    u->by->end(u->memory);
    buf_done(&u->given);
    free(u);
}

bool unpack_put(struct unpacker *u, const char *p, size_t n)
{
    if (u->at == u->given.len) {
        buf_reset(&u->given);
        u->at = 0;
    }
    buf_put(&u->given, p, n);
    return !u->given.failed;
}

/* Takes over how far the library came. */
static void advance(struct unpacker *u, const struct unpack_io *io, struct buf *out, size_t n)
{
    size_t left = u->given.len - u->at;

    u->at += left - io->in_len;
    u->read += left - io->in_len;
    u->gave += n - io->out_len;
    out->len += n - io->out_len;
    out->data[out->len] = '\0';
}

enum unpack_state unpack_some(struct unpacker *u, struct buf *out, size_t n)
{
    if (!u->given.data || (u->at == u->given.len && u->ended))
        return UNPACK_WAITS;
    struct unpack_io io = {u->given.data + u->at, u->given.len - u->at, buf_reserve(out, n), n};
    if (!io.out)
        return UNPACK_NO_MEMORY;
    enum unpacked result = u->by->some(u->memory, &io);
    advance(u, &io, out, n);
    u->ended = result == UNPACKED_MEMBER;
    if (result == UNPACKED_NO_MEMORY)
        return UNPACK_NO_MEMORY;
    if (result == UNPACKED_WRONG)
        return UNPACK_WRONG;
    return io.in_len || (!io.out_len && !u->ended) ? UNPACK_ON : UNPACK_WAITS;
}

bool unpack_is_whole(const struct unpacker *u)
{
    return u->ended && u->at == u->given.len;
}

const char *unpack_wrong(const struct unpacker *u)
{
    return u->by->wrong(u->memory);
}

const struct unpacking *unpack_by(const struct unpacker *u)
{
    return u->by;
}

uint64_t unpack_read(const struct unpacker *u)
{
    return u->read;
}

size_t unpack_holds(const struct unpacker *u)
{
    return u->by->bytes + (u->gave < u->by->window ? (size_t)u->gave : u->by->window);
}
