/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing allocates while rows are decoded, scored and encoded. Every allocation of the process
 * passes through the functions below, the C library's own too. Under a sanitizer, which has its own
 * allocator, this test does nothing but score.
 */
#include "cmocka_all.h"

#include "scored/model.h"

#include <stdatomic.h>

static atomic_ulong allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { COUNTS = 1 };

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}
#else
enum { COUNTS = 0 };
#endif

static struct model *load(void)
{
    const struct model_options options = {
        .workers = 1, .scratch = 4 << 20, .frame_rows = 64, .verify = true};
    struct err e = {0};
    struct source *s = source_open_folder(TEST_DIR "/../models/days_to_sell/bundle", &e);

    if (!s)
        fail_msg("%s", e.msg);
    struct model *m = model_load(s, &options, &e);
    if (!m)
        fail_msg("%s", e.msg);
    source_free(s);
    return m;
}

/* The example row, the same with one field of a wrong type, and what is not JSON. */
static void make_body(const struct model *m, struct buf *body)
{
    struct err e;
    struct json in;

    assert_true(json_get_object(&m->bundle->example, "in", &in, &e));
    char *row = json_print(&in);
    assert_non_null(row);
    buf_lit(body, "[");
    for (unsigned i = 0; i < 150; i++)
        buf_printf(body, "%s%s", i ? "," : "",
                   i % 50 == 7 ? "{\"unknown\":[1,{\"a\":\"\\u00e9\"}]}" : row);
    buf_lit(body, ",17]");
    free(row);
}

static void scoring_allocates_nothing(void **state)
{
    struct model *m = load();
    struct buf body = {0}, copy = {0}, out = {0};
    struct program *program = malloc(plan_program_size(&m->plan));
    uint16_t *columns = malloc(m->plan.n_columns * sizeof *columns);
    struct question all;
    struct text unknown;
    struct body_problem why;
    struct scratch scratch;
    struct scoring s = {.plan = &m->plan,
                        .schema = m->schema,
                        .question = &all,
                        .frame = m->frames[0],
                        .scratch = &scratch};
    struct err e = {0};

    (void)state;
    make_body(m, &body);
    assert_true(scratch_init(&scratch, 0, &e));
    assert_true(question_columns(m, "all", program, columns, &all, &unknown));
    for (unsigned round = 0; round < 3; round++) {
        buf_reset(&copy);
        buf_put(&copy, body.data, body.len);
        buf_reset(&out); /* its memory is there after the first round */
        unsigned long before = allocations;
        assert_int_equal(score_body(&s, copy.data, copy.len, &out, &why), 200);
        if (round)
            assert_int_equal(allocations - before, 0);
    }
    assert_true(!COUNTS || allocations > 0);
    assert_int_equal(s.counts.rows, 3 * 151);
    buf_done(&body);
    buf_done(&copy);
    buf_done(&out);
    scoring_done(&s);
    scratch_done(&scratch);
    free(program);
    free(columns);
    model_release(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scoring_allocates_nothing)};

    return cmocka_run_group_tests_name("allocation", tests, NULL, NULL);
}
