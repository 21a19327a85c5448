/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 * 1024, CHUNK_ALIGN = 64 };

struct arena_chunk {
    alignas(CHUNK_ALIGN) struct arena_chunk *next;
    size_t used, size; /* of the bytes behind this head */
};

void arena_done(struct arena *a)
{
    struct arena_chunk *c = a->chunks;

    while (c) {
        struct arena_chunk *next = c->next;
        free(c);
        c = next;
    }
    a->chunks = NULL;
    a->total = 0;
}

static struct arena_chunk *chunk_new(struct arena *a, size_t need)
{
    size_t size = need > CHUNK / 4 ? need : CHUNK;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + CHUNK_ALIGN - 1) & ~(size_t)(CHUNK_ALIGN - 1);
    struct arena_chunk *c = aligned_alloc(CHUNK_ALIGN, sizeof *c + size);
    if (!c)
        return NULL;
    memset(c, 0, sizeof *c + size);
    c->size = size;
    a->total += sizeof *c + size;
    /* A chunk made for one large item goes behind the current one, which may have room left. */
    if (size != CHUNK && a->chunks) {
        c->next = a->chunks->next;
        a->chunks->next = c;
    } else {
        c->next = a->chunks;
        a->chunks = c;
    }
    return c;
}

void *arena_alloc(struct arena *a, size_t n, size_t size, size_t align)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    struct arena_chunk *c = a->chunks;
    size_t at = c ? (c->used + align - 1) & ~(align - 1) : 0;
    if (!c || at > c->size || bytes > c->size - at) {
        c = chunk_new(a, bytes);
        if (!c)
            return NULL;
        at = 0;
    }
    c->used = at + bytes;
    return (unsigned char *)(c + 1) + at;
}

char *arena_copy(struct arena *a, const char *p, size_t n)
{
    char *copy = n < SIZE_MAX ? arena_new(a, char, n + 1) : NULL;

    if (copy && n)
        memcpy(copy, p, n);
    return copy;
}
