/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK = 64 * 1024, CHUNK_ALIGN = 64, HUGE_PAGE = 2 << 20 };

struct arena_chunk {
    alignas(CHUNK_ALIGN) struct arena_chunk *next;
    void *memory;      /* as calloc gave it */
    size_t used, size; /* of the bytes behind this head */
};

void arena_done(struct arena *a)
{
    struct arena_chunk *c = a->chunks;

    while (c) {
        struct arena_chunk *next = c->next;
        free(c->memory);
        c = next;
    }
    a->chunks = NULL;
    a->total = 0;
}

static unsigned char *align_up(unsigned char *p, size_t align)
{
    return p + (-(uintptr_t)p & (align - 1));
}

/* Fewer page faults; no loss where it is refused. */
static void use_huge_pages(unsigned char *p, size_t n)
{
    unsigned char *from = align_up(p, HUGE_PAGE);

    madvise(from, (size_t)(p + n - from), MADV_HUGEPAGE);
}

static struct arena_chunk *chunk_new(struct arena *a, size_t need)
{
    size_t size = need > CHUNK / 4 ? need : CHUNK;

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + CHUNK_ALIGN - 1) & ~(size_t)(CHUNK_ALIGN - 1);
    /* calloc knows which memory is zero already: of a large chunk no page is touched here */
    unsigned char *memory = calloc(1, sizeof(struct arena_chunk) + size + CHUNK_ALIGN);
    if (!memory)
        return NULL;
    if (size >= 2 * (size_t)HUGE_PAGE)
        use_huge_pages(memory, size);
    struct arena_chunk *c = (struct arena_chunk *)(void *)align_up(memory, CHUNK_ALIGN);
    c->memory = memory;
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
