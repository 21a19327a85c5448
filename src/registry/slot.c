/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots. A request takes a reference in three steps: it says that it is taking, reads the pointer,
 * counts itself in. Who changes a pointer waits until nobody is between the first step and the
 * last, and holds no lock meanwhile; from then on whoever uses the old model is counted. So
 * requests never wait, not even for a loader that was put to sleep in the middle.
 */
#include "slot_priv.h"

#include "scored/fault.h"

#include <sched.h>
#include <string.h>

struct model *model_retain(struct model *m)
{
    if (m)
        atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

struct model *slot_acquire(struct slot *s)
{
    atomic_fetch_add(&s->taking, 1);
    struct model *m = model_retain(atomic_load(&s->current));
    atomic_fetch_sub(&s->taking, 1);
    return m;
}

struct model *slot_acquire_kept(struct slot *s, unsigned i)
{
    atomic_fetch_add(&s->taking, 1);
    struct model *m = model_retain(atomic_load(&s->kept[i]));
    atomic_fetch_sub(&s->taking, 1);
    return m;
}

static bool is_version(const struct model *m, const char *version, size_t n)
{
    return m && strlen(m->bundle->version) == n && memcmp(m->bundle->version, version, n) == 0;
}

struct model *slot_acquire_version(struct slot *s, const char *version, size_t n)
{
    atomic_fetch_add(&s->taking, 1);
    struct model *m = atomic_load(&s->current);
    for (unsigned i = 0; i < SLOT_KEPT && !is_version(m, version, n); i++)
        m = atomic_load(&s->kept[i]);
    m = is_version(m, version, n) ? model_retain(m) : NULL;
    atomic_fetch_sub(&s->taking, 1);
    return m;
}

void slot_settle(struct slot *s)
{
    while (atomic_load(&s->taking))
        sched_yield();
}

struct model *slot_publish(struct slot *s, struct model *next, unsigned keep)
{
    struct model *now = atomic_load(&s->current);
    struct model *out = keep ? atomic_load(&s->kept[keep - 1]) : now;

    /* from the end on, so that one who looks from the front misses none */
    for (unsigned i = keep; i-- > 1;)
        atomic_store(&s->kept[i], atomic_load(&s->kept[i - 1]));
    if (keep)
        atomic_store(&s->kept[0], now);
    fault_point("publish.switch");
    atomic_store(&s->current, next);
    fault_point("publish.switched");
    return out;
}

bool slot_swap(struct slot *s)
{
    struct model *previous = atomic_load(&s->kept[0]);

    if (!previous)
        return false;
    /* for a moment the previous one stands twice, and no version is missing */
    struct model *left = atomic_exchange(&s->current, previous);
    atomic_store(&s->kept[0], left);
    return true;
}

void slot_status(struct slot *s, struct reload_status *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->status;
    pthread_mutex_unlock(&s->lock);
}
