/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader: one thread that gives each slot its turns, and frees the models that fell out when
 * their last request has ended. It runs like any thread, since it takes locks and trims the heap,
 * for which others wait; what is long and can wait is done aside (aside.c).
 */
#include "slot_priv.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { RETIRED = 64 };

#define MS           UINT64_C(1000000)
#define SECOND_MS    UINT64_C(1000)
#define BACKOFF_MAX  (300 * SECOND_MS)
#define FIRST_MAX    (30 * SECOND_MS) /* as long as there is no model at all */
#define RETIRE_TICKS (20 * MS)

struct loader {
    struct registry *registry;
    pthread_t thread;
    pthread_mutex_t lock; /* guards stopping; is held to sleep */
    pthread_cond_t wake;
    bool stopping;
    struct model *retired[RETIRED]; /* the loader's references */
    unsigned n_retired;
};

/* -- what fell out -- */

static void free_unused(struct loader *l)
{
    unsigned left = 0;

    for (unsigned i = 0; i < l->n_retired; i++) {
        if (atomic_load_explicit(&l->retired[i]->refs, memory_order_acquire) == 1)
            model_release(l->retired[i]);
        else
            l->retired[left++] = l->retired[i];
    }
    if (left < l->n_retired)
        malloc_trim(0); /* so that memory does not depend on how many reloads there were */
    l->n_retired = left;
}

static void retire(struct loader *l, struct model *m)
{
    if (!m)
        return;
    if (l->n_retired == RETIRED) { /* whoever ends last frees the oldest */
        model_release(l->retired[0]);
        memmove(l->retired, l->retired + 1, (RETIRED - 1) * sizeof(struct model *));
        l->n_retired--;
    }
    l->retired[l->n_retired++] = m;
}

/* -- when -- */

/* A number below n, evenly: instances must not step together. */
static uint64_t random_below(uint64_t n)
{
    uint64_t r = 0;

    if (getrandom(&r, sizeof r, GRND_NONBLOCK) != sizeof r)
        r = clock_ns();
    return n ? r % n : 0;
}

static uint64_t backoff_ms(const struct loader *l, const struct slot *s)
{
    uint64_t poll = l->registry->options.poll_ms;
    uint64_t base = poll < SECOND_MS ? poll : SECOND_MS;
    uint64_t most = atomic_load(&s->current) ? BACKOFF_MAX : FIRST_MAX;
    uint64_t wait = s->failures < 20 ? base << s->failures : most;

    wait = wait < most ? wait : most;
    return wait / 2 + random_below(wait / 2 + 1);
}

/* The next turn: soon after a failure, else at the interval, 20 % earlier or later. What a pin
 * names never changes. */
static void schedule(const struct loader *l, struct slot *s, const struct turn *t)
{
    uint64_t poll = l->registry->options.poll_ms, wait = 0;
    bool retry = t->result == TURN_FAILED && !t->refused;
    bool never = s->source->pin[0] && !retry;

    if (!retry)
        s->failures = 0;
    if (retry) {
        wait = backoff_ms(l, s);
        s->failures++;
    } else {
        wait = poll - poll / 5 + random_below(2 * (poll / 5) + 1);
    }
    s->due_ns = never ? UINT64_MAX : clock_ns() + wait * MS;
    pthread_mutex_lock(&s->lock);
    s->status.state = retry ? RELOAD_WAITING : RELOAD_IDLE;
    s->status.next_ms = never ? 0 : clock_ms() + wait;
    s->status.attempts = s->status.begun;
    pthread_mutex_unlock(&s->lock);
}

/* -- log -- */

static const char *or_none(const char *text)
{
    return *text ? text : NULL;
}

static void log_published(const struct slot *s, const struct turn *t, const char *how)
{
    const struct bundle *b = t->next->bundle;
    const char *msg = !t->from[0] ? how
                      : t->older  ? "replaced by an older version, which was promoted"
                                  : "replaced";

    log_with(LOG_INFO, msg, log_text("model", slot_name(s)), log_text("from", or_none(t->from)),
             log_text("to", b->version), log_text("sha256", b->sha256),
             log_real("load_ms", (double)t->next->load_ns / 1e6),
             log_number("golden", t->next->coverage.rows));
}

/* What keeps the version served; refused is one that is not tried again. */
static void log_failure(const struct slot *s, const struct turn *t)
{
    log_with(LOG_WARN, t->e.msg, log_text("model", slot_name(s)),
             log_text("phase", load_phase_name(t->phase)), log_bool("refused", t->refused),
             log_text("from", or_none(t->from)), log_text("sha256", or_none(t->sha256)));
}

static void log_turn(const struct slot *s, const struct turn *t, const char *how)
{
    struct source *source = s->source;

    if (t->result == TURN_PUBLISHED)
        log_published(s, t, how);
    if (t->result == TURN_FAILED)
        log_failure(s, t);
    if (source->cache_error.code) {
        log_with(LOG_WARN, "not kept in the cache", log_text("model", slot_name(s)),
                 log_text("error", source->cache_error.msg));
        source->cache_error = (struct err){0};
    }
}

/* -- turns -- */

static void recall(struct registry *r, struct slot *s)
{
    struct turn t;

    slot_recall(r, s, &t);
    if (!t.result && !t.e.code)
        return;
    if (t.e.code) {
        t.result = TURN_FAILED;
        err_wrap(&t.e, "the cached version");
    }
    log_turn(s, &t, "loaded from the cache");
    model_release(t.next);
}

/* A restart begins where the last process ended: what it served, if the cache has it, answers while
 * the sources are looked at, however long that takes. */
static void recall_all(struct loader *l)
{
    struct registry *r = l->registry;

    for (unsigned i = 0; i < r->n_slots; i++)
        if (!atomic_load(&r->slots[i].current))
            recall(r, &r->slots[i]);
}

static void take_turn(struct loader *l, struct slot *s)
{
    struct turn t;
    bool asked = atomic_exchange(&s->asked, false), force = atomic_exchange(&s->force, false);

    pthread_mutex_lock(&s->lock);
    unsigned forgotten = force ? s->status.n_refused : 0;
    s->status.begun++;
    s->status.state = RELOAD_LOADING;
    s->status.n_refused -= forgotten;
    pthread_mutex_unlock(&s->lock);
    if (forgotten)
        log_with(LOG_INFO, "refused versions may be tried again", log_text("model", slot_name(s)),
                 log_number("forgotten", forgotten));
    if (force)
        atomic_store(&s->changed, true);
    slot_turn(l->registry, s, s->failures || asked || force, &t);
    log_turn(s, &t, "loaded");
    retire(l, t.out);
    model_release(t.next);
    if (t.result == TURN_FAILED)
        malloc_trim(0); /* of what it had come to */
    schedule(l, s, &t);
}

/* A slot whose turn it is, or NULL; *next is then when one will be. */
static struct slot *pick(const struct loader *l, uint64_t *next)
{
    struct registry *r = l->registry;
    uint64_t now = clock_ns();

    *next = UINT64_MAX;
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct slot *s = &r->slots[i];
        if (atomic_load(&s->asked) || s->due_ns <= now)
            return s;
        if (atomic_load(&s->changed))
            *next = 0;
        if (s->due_ns < *next)
            *next = s->due_ns;
    }
    return NULL;
}

/* Under the lock: until `next`, a wake-up, or the time to look for models to free. */
static void sleep_until(struct loader *l, uint64_t next)
{
    uint64_t tick = clock_ns() + RETIRE_TICKS;

    if (l->n_retired && next > tick)
        next = tick;
    if (next == UINT64_MAX) {
        pthread_cond_wait(&l->wake, &l->lock);
        return;
    }
    const struct timespec at = {(time_t)(next / 1000000000U), (long)(next % 1000000000U)};
    pthread_cond_timedwait(&l->wake, &l->lock, &at);
}

/* After a rollback, or where a list was forgotten. */
static void write_memos(struct registry *r)
{
    for (unsigned i = 0; i < r->n_slots; i++)
        if (atomic_exchange(&r->slots[i].changed, false))
            memo_update(&r->slots[i]);
}

static void *loader_main(void *argument)
{
    struct loader *l = argument;
    uint64_t next;

    recall_all(l);
    pthread_mutex_lock(&l->lock);
    while (!l->stopping) {
        struct slot *s = pick(l, &next);
        pthread_mutex_unlock(&l->lock);
        if (s)
            take_turn(l, s);
        write_memos(l->registry);
        free_unused(l);
        pthread_mutex_lock(&l->lock);
        if (!s && !l->stopping && pick(l, &next) == NULL)
            sleep_until(l, next);
    }
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->n_retired; i++)
        model_release(l->retired[i]);
    return NULL;
}

/* -- from outside -- */

static bool init_condition(pthread_cond_t *c)
{
    pthread_condattr_t attributes;

    if (pthread_condattr_init(&attributes))
        return false;
    bool ok = !pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) &&
              !pthread_cond_init(c, &attributes);
    pthread_condattr_destroy(&attributes);
    return ok;
}

bool registry_start(struct registry *r, struct err *e)
{
    struct loader *l = calloc(1, sizeof *l);

    if (!l)
        return err_memory(e);
    l->registry = r;
    pthread_mutex_init(&l->lock, NULL);
    if (!init_condition(&l->wake)) {
        free(l);
        return err_memory(e);
    }
    if (pthread_create(&l->thread, NULL, loader_main, l)) {
        free(l);
        return err_set(e, ERR_SYSTEM, "the loader's thread cannot be made");
    }
    atomic_store(&r->loader, l);
    loader_wake(l); /* for what was asked before it could be told */
    return true;
}

static void wake(struct loader *l, bool stop)
{
    pthread_mutex_lock(&l->lock);
    l->stopping |= stop;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
}

void loader_wake(struct loader *l)
{
    if (l)
        wake(l, false);
}

void registry_stop(struct registry *r)
{
    struct loader *l = atomic_exchange(&r->loader, NULL);

    if (!l)
        return;
    wake(l, true);
    pthread_join(l->thread, NULL);
    pthread_cond_destroy(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static uint64_t ask(struct slot *s, bool force)
{
    pthread_mutex_lock(&s->lock);
    uint64_t number = s->status.begun + 1;
    pthread_mutex_unlock(&s->lock);
    if (force)
        atomic_store(&s->force, true);
    atomic_store(&s->asked, true);
    return number;
}

uint64_t registry_reload(struct registry *r, struct slot *s, bool force)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < r->n_slots; i++)
        if (!s || s == &r->slots[i])
            number = ask(&r->slots[i], force);
    loader_wake(r->loader);
    return number;
}
