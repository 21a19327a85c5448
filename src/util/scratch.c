/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/scratch.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>
enum { GAP = 16 }; /* between two pieces, so that writing beyond one is seen */
#else
enum { GAP = 0 };
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { PAGE = 4096, CHUNK = 64 * 1024, ALIGN = 8, TURNS_A_LOOK = 256 };

struct scratch_chunk {
    struct scratch_chunk *next;
    size_t used, size; /* of `bytes` */
    alignas(ALIGN) unsigned char bytes[];
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) & ~(to - 1);
}

static struct scratch_chunk *chunk_new(size_t need)
{
    size_t size = need > CHUNK ? need : CHUNK;

    if (size > SIZE_MAX / 2)
        return NULL;
    struct scratch_chunk *c = malloc(sizeof *c + size);
    if (c)
        *c = (struct scratch_chunk){.size = size};
    return c;
}

bool scratch_init(struct scratch *s, size_t size, struct err *e)
{
    *s = (struct scratch){.size = round_up(size ? size : 1, PAGE)};
    s->brought = chunk_new(0);
    if (!s->brought)
        return err_memory(e);
    s->made = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->made == MAP_FAILED) {
        free(s->brought);
        *s = (struct scratch){0};
        return err_set(e, ERR_NO_MEMORY, "no %zu bytes of scoring memory", size);
    }
    ASAN_POISON_MEMORY_REGION(s->made, s->size);
    return true;
}

void scratch_done(struct scratch *s)
{
    if (!s->made)
        return;
    while (s->brought) {
        struct scratch_chunk *next = s->brought->next;
        free(s->brought);
        s->brought = next;
    }
    ASAN_UNPOISON_MEMORY_REGION(s->made, s->size);
    munmap(s->made, s->size);
    *s = (struct scratch){0};
}

/* -- what requests bring -- */

/* Keeps one chunk of the usual size, the last of the list. */
static void forget_brought(struct scratch *s)
{
    while (s->brought->next) {
        struct scratch_chunk *next = s->brought->next;
        free(s->brought);
        s->brought = next;
    }
    s->brought->used = 0;
}

/* The first chunk is the one that is filled. */
static void *bring_new(struct scratch *s, size_t want)
{
    struct scratch_chunk *c = s->brought;
    size_t n = round_up(want, ALIGN);

    if (n < want)
        return NULL;
    if (n > c->size - c->used) {
        c = chunk_new(n);
        if (!c)
            return NULL;
        c->next = s->brought;
        s->brought = c;
    }
    c->used += n;
    return c->bytes + c->used - n;
}

void *scratch_bring(struct scratch *s, void *old, size_t had, size_t want)
{
    struct scratch_chunk *c = s->brought;
    size_t held = round_up(had, ALIGN);

    if (old && held <= c->used && old == c->bytes + (c->used - held)) { /* the last piece */
        size_t at = c->used - held;
        if (want <= c->size - at) {
            c->used = at + round_up(want, ALIGN);
            return old;
        }
    }
    if (old && want <= had)
        return old;
    void *p = bring_new(s, want);
    if (p && old)
        memcpy(p, old, had);
    return p;
}

/* -- what stages make -- */

void *scratch_take(struct scratch *s, size_t bytes)
{
    size_t n = round_up(bytes, ALIGN) + GAP;

    if (n < bytes || n > s->size - s->used)
        return NULL;
    unsigned char *p = s->made + s->used;
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
    s->used += n;
    return p;
}

/* An unusual row touches pages that the usual ones do not need: after some turns without its like
 * they are given back. */
static void look(struct scratch *s)
{
    size_t keep = round_up(s->peak, PAGE);

    if (s->touched > keep)
        madvise(s->made + keep, s->touched - keep, MADV_DONTNEED);
    s->touched = keep;
    s->peak = 0;
    s->turns = 0;
}

void scratch_rewind_used(struct scratch *s)
{
    size_t pages = round_up(s->used, PAGE);

    ASAN_POISON_MEMORY_REGION(s->made, s->used);
    if (s->used > s->peak)
        s->peak = s->used;
    if (pages > s->touched)
        s->touched = pages;
    s->used = 0;
    if (++s->turns >= TURNS_A_LOOK)
        look(s);
}

void scratch_clear(struct scratch *s)
{
    forget_brought(s);
    scratch_rewind(s);
}
