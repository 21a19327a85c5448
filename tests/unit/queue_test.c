/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for a turn, in which order, and who is refused. */
#include "cmocka_all.h"

#include "../../src/http/http_priv.h"

#include <stdlib.h>

#define MS UINT64_C(1000000)

enum { JOBS = 8 };

struct fixture {
    struct queue queue;
    struct exchange *jobs; /* JOBS of them */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->jobs = calloc(JOBS, sizeof *f->jobs);
    queue_init(&f->queue, 2, 4, 5 * MS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    free(f->jobs);
    free(f);
    return 0;
}

static enum admission put(struct fixture *f, unsigned job, uint64_t ms)
{
    f->jobs[job].job.left_ns = ms * MS;
    return queue_put(&f->queue, &f->jobs[job]);
}

static void first_come_first_served(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(put(f, i, 1), ADMITTED);
    assert_true(queue_waits(&f->queue));
    for (unsigned i = 0; i < 3; i++)
        assert_ptr_equal(queue_take(&f->queue, 0), &f->jobs[i]);
    assert_false(queue_waits(&f->queue));
    assert_null(queue_take(&f->queue, 0));
}

static void who_had_a_turn_goes_behind(void **state)
{
    struct fixture *f = *state;

    put(f, 0, 1);
    put(f, 1, 1);
    struct exchange *x = queue_take(&f->queue, 0);
    queue_yield(&f->queue, 0, x, 0, 0);
    assert_ptr_equal(queue_take(&f->queue, 1), &f->jobs[1]);
    assert_ptr_equal(queue_take(&f->queue, 0), x);
}

static void refused_by_length(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(put(f, i, 0), ADMITTED);
    assert_int_equal(put(f, 4, 0), REFUSED_LENGTH);
    queue_take(&f->queue, 0);
    assert_int_equal(put(f, 4, 0), ADMITTED);
}

static void refused_by_wait(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(put(f, 0, 30), ADMITTED);
    assert_int_equal(put(f, 1, 30), ADMITTED);
    /* a short one waits for one turn of each, not for all of them: 5 ms on two workers */
    assert_int_equal(put(f, 2, 1), ADMITTED);
    assert_int_equal(put(f, 3, 1), REFUSED_WAIT); /* 5.5 ms */
    assert_int_equal(put(f, 3, 7), ADMITTED);     /* 7.5 ms, of the 28 that it is worth */
}

static void running_jobs_are_waited_for(void **state)
{
    struct fixture *f = *state;

    put(f, 0, 30);
    put(f, 1, 30);
    queue_take(&f->queue, 0);
    queue_take(&f->queue, 1);
    assert_int_equal(put(f, 2, 1), ADMITTED);
    assert_int_equal(put(f, 3, 1), REFUSED_WAIT);
    queue_yield(&f->queue, 0, NULL, 0, 0);
    assert_int_equal(put(f, 3, 1), ADMITTED);
}

static void what_was_begun_is_not_refused(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 4; i++)
        put(f, i, 0);
    f->jobs[4].job.admitted = true;
    assert_int_equal(put(f, 4, 0), ADMITTED);
}

/* Where others are at the processors, the same work takes longer. */
static void waits_stretch(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 64; i++)
        queue_yield(&f->queue, 0, NULL, MS, 3 * MS);
    assert_int_equal(put(f, 0, 8), ADMITTED);
    assert_int_equal(put(f, 1, 1), REFUSED_WAIT); /* 2.5 ms of work, which take 7.5 */
    for (unsigned i = 0; i < 64; i++)
        queue_yield(&f->queue, 0, NULL, MS, MS);
    assert_int_equal(put(f, 1, 1), ADMITTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_come_first_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_had_a_turn_goes_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_by_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_by_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_jobs_are_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_begun_is_not_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_stretch, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
