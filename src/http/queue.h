/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long work, shared by all workers. A request that cannot be answered at once is cut into steps (a
 * frame of rows each) and waits here for its turn; between two rounds of I/O a worker takes the one
 * in front, goes some steps with it, and, where it is not done after a turn, puts it behind the
 * others. So short requests, probes and refusals never wait for more than a step, a long request
 * waits for one turn of each before it, and all processors work at whatever there is.
 *
 * What would wait too long is refused at once: by how many wait, and by how long they will take.
 */
#ifndef SCORED_HTTP_QUEUE_H
#define SCORED_HTTP_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct exchange;

enum {
    STEP_NS = 200 * 1000,      /* of work that is done at once, and between two rounds of I/O */
    TURN_NS = 5 * 1000 * 1000, /* after which others come first */
};

/* What an exchange has to do still. A step returns false when it was the last. */
struct job {
    bool (*step)(struct exchange *x); /* NULL: nothing */
    struct exchange *next;
    uint64_t left_ns;              /* guess of the work, not of the time it takes */
    uint64_t queued_ns, waited_ns; /* since when it waits, and how long it has for turns before */
    bool admitted;                 /* some of it was done already: it is not refused any more */
    atomic_bool gone;              /* nobody waits for it */
};

struct queue {
    pthread_mutex_t lock; /* guards all below */
    struct exchange *first, **last;
    atomic_uint waiting;
    unsigned workers, most;
    uint64_t most_wait_ns;
    uint64_t turns_ns[256]; /* by worker: what is left of the job that it is at */
    uint64_t stretch;       /* 1024ths of a second that a second of work takes: more where other
                               processes are at the processors too */
};

enum admission { ADMITTED, REFUSED_LENGTH, REFUSED_WAIT };

void queue_init(struct queue *q, unsigned workers, unsigned most, uint64_t most_wait_ns);

/* What would become of a request with so much to do? */
enum admission queue_ask(struct queue *q, uint64_t left_ns);

/* In at the back, unless it is refused. */
enum admission queue_put(struct queue *q, struct exchange *x);

/* The one in front, for `worker`, or NULL. */
struct exchange *queue_take(struct queue *q, unsigned worker);

/* `worker` is done with its job, for which it had a processor `worked_ns` of `passed_ns`. With
 * `again` it goes in at the back. */
void queue_yield(struct queue *q, unsigned worker, struct exchange *again, uint64_t worked_ns,
                 uint64_t passed_ns);

static inline bool queue_waits(struct queue *q)
{
    return atomic_load_explicit(&q->waiting, memory_order_seq_cst) != 0;
}

#endif
