/* SPDX-License-Identifier: Apache-2.0 */
/* Records from workers to the one who is told: all in order, or dropped and counted. */
#include "cmocka_all.h"

#include "../../src/http/access_log.h"

#include <pthread.h>
#include <time.h>

enum { WORKERS = 3, MANY = 200000, RING = 2048 };

struct told {
    uint64_t next[WORKERS], taken[WORKERS], flushes;
    bool wrong;
    pthread_mutex_t hold; /* who takes waits for it */
};

static void take(void *context, const struct record *r)
{
    struct told *t = context;

    pthread_mutex_lock(&t->hold);
    t->wrong |= r->rows < t->next[r->status] || r->bytes_in != ~r->rows;
    t->next[r->status] = r->rows + 1;
    t->taken[r->status]++;
    pthread_mutex_unlock(&t->hold);
}

static void flush(void *context, bool ends)
{
    struct told *t = context;

    (void)ends;
    t->flushes++;
}

static struct records *start(struct told *t)
{
    const struct reader_of_records reader = {take, flush, t};
    struct err e;

    pthread_mutex_init(&t->hold, NULL);
    struct records *r = records_start("records", WORKERS, &reader, &e);
    assert_non_null(r);
    return r;
}

static bool put(struct records *records, unsigned worker, uint64_t n)
{
    struct record *r = records_next(records, worker);

    if (!r)
        return false;
    r->status = worker;
    r->rows = n;
    r->bytes_in = ~n;
    records_put(records, worker);
    return true;
}

static struct records *filled;

static void *fill(void *worker)
{
    for (uint64_t n = 0; n < MANY; n++)
        put(filled, (unsigned)(uintptr_t)worker, n);
    return NULL;
}

static void every_record_is_told_in_order_or_counted(void **state)
{
    struct told t = {0};
    pthread_t threads[WORKERS];

    (void)state;
    filled = start(&t);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fill, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    uint64_t dropped = records_dropped(filled);
    assert_true(records_stop(filled));
    assert_false(t.wrong);
    assert_int_equal(t.taken[0] + t.taken[1] + t.taken[2] + dropped, (uint64_t)WORKERS * MANY);
    assert_true(t.taken[0] >= RING && t.flushes > 0);
}

static void a_ring_that_is_full_drops(void **state)
{
    struct told t = {0};

    (void)state;
    struct records *r = start(&t);
    pthread_mutex_lock(&t.hold);
    for (uint64_t n = 0; n < RING + 10; n++)
        assert_int_equal(put(r, 1, n), n < RING);
    assert_true(put(r, 2, 0)); /* another's has room */
    assert_int_equal(records_dropped(r), 10);
    pthread_mutex_unlock(&t.hold);
    assert_true(records_stop(r));
    assert_int_equal(t.taken[1], RING);
    assert_int_equal(t.taken[2], 1);
    assert_false(t.wrong);
}

static void an_end_does_not_wait_for_a_reader_that_hangs(void **state)
{
    static struct told t; /* the thread outlives the test */
    static struct records *r;

    (void)state;
    r = start(&t);
    pthread_mutex_lock(&t.hold);
    assert_true(put(r, 0, 0));
    assert_false(records_stop(r));
    assert_true(records_ends(r));
    pthread_mutex_unlock(&t.hold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_is_told_in_order_or_counted),
        cmocka_unit_test(a_ring_that_is_full_drops),
        cmocka_unit_test(an_end_does_not_wait_for_a_reader_that_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
