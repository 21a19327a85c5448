/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include "http_priv.h"

#include "scored/clock.h"

enum { NO_STRETCH = 1024, PATIENCE = 4 };

void queue_init(struct queue *q, unsigned workers, unsigned most, uint64_t most_wait_ns)
{
    pthread_mutex_init(&q->lock, NULL);
    q->first = NULL;
    q->last = &q->first;
    atomic_init(&q->waiting, 0);
    q->workers = workers;
    q->most = most;
    q->most_wait_ns = most_wait_ns;
    memset(q->turns_ns, 0, sizeof q->turns_ns);
    q->stretch = NO_STRETCH;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Before a job is done each other one gets as many turns as it does, or as it needs. */
static uint64_t wait_of(const struct queue *q, uint64_t left_ns)
{
    uint64_t turns = left_ns > TURN_NS ? left_ns : TURN_NS, sum = 0;

    for (const struct exchange *other = q->first; other; other = other->job.next)
        sum += least(other->job.left_ns, turns);
    for (unsigned w = 0; w < q->workers; w++)
        sum += least(q->turns_ns[w], turns);
    return sum / (q->workers ? q->workers : 1) * q->stretch / NO_STRETCH;
}

/* Long work may wait some times as long as it takes: it has less use for being refused. */
static enum admission judge(const struct queue *q, uint64_t left_ns)
{
    if (atomic_load_explicit(&q->waiting, memory_order_relaxed) >= q->most)
        return REFUSED_LENGTH;
    uint64_t most = PATIENCE * left_ns > q->most_wait_ns ? PATIENCE * left_ns : q->most_wait_ns;
    return wait_of(q, left_ns) > most ? REFUSED_WAIT : ADMITTED;
}

enum admission queue_ask(struct queue *q, uint64_t left_ns)
{
    pthread_mutex_lock(&q->lock);
    enum admission result = judge(q, left_ns);
    pthread_mutex_unlock(&q->lock);
    return result;
}

static void append(struct queue *q, struct exchange *x)
{
    x->job.next = NULL;
    x->job.queued_ns = clock_ns();
    *q->last = x;
    q->last = &x->job.next;
    atomic_fetch_add_explicit(&q->waiting, 1, memory_order_seq_cst);
}

enum admission queue_put(struct queue *q, struct exchange *x)
{
    pthread_mutex_lock(&q->lock);
    enum admission result = x->job.admitted ? ADMITTED : judge(q, x->job.left_ns);
    if (result == ADMITTED) {
        x->job.admitted = true;
        append(q, x);
    }
    pthread_mutex_unlock(&q->lock);
    return result;
}

struct exchange *queue_take(struct queue *q, unsigned worker)
{
    pthread_mutex_lock(&q->lock);
    struct exchange *x = q->first;
    if (x) {
        q->first = x->job.next;
        if (!q->first)
            q->last = &q->first;
        atomic_fetch_sub_explicit(&q->waiting, 1, memory_order_seq_cst);
        q->turns_ns[worker] = x->job.left_ns;
        x->job.waited_ns += clock_ns() - x->job.queued_ns;
    }
    pthread_mutex_unlock(&q->lock);
    return x;
}

static void learn_stretch(struct queue *q, uint64_t worked, uint64_t passed)
{
    if (worked < STEP_NS / 4)
        return; /* too little to tell */
    uint64_t seen = passed * NO_STRETCH / worked;
    seen = least(seen < NO_STRETCH ? NO_STRETCH : seen, 4 * q->stretch);
    q->stretch = (q->stretch * 15 + seen) / 16;
}

void queue_yield(struct queue *q, unsigned worker, struct exchange *again, uint64_t worked_ns,
                 uint64_t passed_ns)
{
    pthread_mutex_lock(&q->lock);
    q->turns_ns[worker] = 0;
    learn_stretch(q, worked_ns, passed_ns);
    if (again)
        append(q, again);
    pthread_mutex_unlock(&q->lock);
}
