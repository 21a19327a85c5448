/* SPDX-License-Identifier: Apache-2.0 */
#include "budget.h"

#include "scored/model.h"

#include <malloc.h>

#define LEAST   ((size_t)4 << 20)  /* always there, so that small requests go on */
#define FLOOD   ((size_t)8 << 20)  /* fewer held than at most: worth a walk over the heap at once */
#define LARGE   ((size_t)16 << 10) /* leaves a hole in a heap: a connection's memory does */
#define MUCH    ((size_t)1 << 20)  /* came back: worth one in so many looks */
#define LOOKS   10
#define RESERVE 16 /* 1/16 of all is for what nobody counts */

static uint64_t clamp(uint64_t n, uint64_t low, uint64_t high)
{
    return n < low ? low : n > high ? high : n;
}

static void fit(struct budget *b)
{
    uint64_t used = atomic_load_explicit(&b->used, memory_order_relaxed);
    uint64_t resident = memory_resident();
    uint64_t others = resident > used ? resident - used : 0;
    uint64_t taken = others + b->all / RESERVE;
    uint64_t left = b->all > taken ? b->all - taken : 0;

    atomic_store_explicit(&b->limit, (size_t)clamp(left, LEAST, b->all / 2), memory_order_relaxed);
}

void budget_init(struct budget *b, uint64_t memory)
{
    *b = (struct budget){.all = memory_limit(memory)};
    if (b->all < 2 * LEAST)
        b->all = 2 * LEAST;
    fit(b);
}

bool budget_take(struct budget *b, size_t n, bool anyway)
{
    size_t limit = atomic_load_explicit(&b->limit, memory_order_relaxed);
    size_t used = atomic_fetch_add_explicit(&b->used, n, memory_order_relaxed);

    if (anyway || used + n <= limit)
        return true;
    atomic_fetch_sub_explicit(&b->used, n, memory_order_relaxed);
    return false;
}

void budget_give(struct budget *b, size_t n)
{
    atomic_fetch_sub_explicit(&b->used, n, memory_order_relaxed);
    if (n >= LARGE)
        atomic_fetch_add_explicit(&b->returned, n, memory_order_relaxed);
}

/* Few large pieces at a time leave as much behind as many at once, in the end: each thread's heap
 * keeps what lay between others. */
static bool is_due(struct budget *b, size_t used)
{
    bool much = atomic_load_explicit(&b->returned, memory_order_relaxed) > MUCH;

    b->looks++;
    return b->trimmed_at - used > FLOOD || (much && b->looks >= LOOKS);
}

void budget_look(struct budget *b)
{
    size_t used = atomic_load_explicit(&b->used, memory_order_relaxed);

    if (used > b->trimmed_at)
        b->trimmed_at = used;
    if (is_due(b, used)) {
        malloc_trim(0);
        b->looks = 0;
        b->trimmed_at = used;
        atomic_store_explicit(&b->returned, 0, memory_order_relaxed);
    }
    fit(b);
}
