/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "wire_kit.h"

static const struct kit_input inputs[] = {
    {"mode", TYPE_INT, true, false},
    {"v", TYPE_VECTOR, true, false},
};

/* A stage that drops rows of mode 1, and fails those of mode 2. */
static void run_modes(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(row, rows & ~f->columns[0].nulls)
    {
        if (f->columns[0].i64[row] == 1)
            frame_skip(f, row, u, 0);
        else if (f->columns[0].i64[row] == 2)
            frame_fail(f, row, u, 0, PROBLEM_INVALID_VALUE, "mode 2 is \"%s\"", "bad");
    }
}

struct staged {
    struct kit kit;
    struct unit unit, *filters[1];
    struct plan_stage stage;
    struct program *program;
    unsigned told;
};

static void tell(void *context, const struct row_error *error)
{
    struct staged *s = context;

    s->told += error->problem != PROBLEM_NONE;
}

static void open_staged(struct staged *s, unsigned frame_rows)
{
    static const uint16_t in[] = {0};

    *s = (struct staged){.unit = {.run = run_modes, .in = in, .n_in = 1, .out = COLUMN_NONE},
                         .stage = {"modes", "modes_1"}};
    kit_open(&s->kit, inputs, countof(inputs), frame_rows);
    s->program = calloc(1, sizeof *s->program + sizeof s->program->steps[0]);
    assert_non_null(s->program);
    s->program->n_steps = 1;
    s->program->steps[0] = &s->unit;
    s->filters[0] = &s->unit;
    s->kit.plan.filters = s->filters;
    s->kit.plan.n_filters = 1;
    s->kit.plan.stages = &s->stage;
    s->kit.plan.n_stages = 1;
    s->kit.question.program = s->program;
    s->kit.scoring.on_error = tell;
    s->kit.scoring.context = s;
}

static void close_staged(struct staged *s)
{
    free(s->program);
    kit_close(&s->kit);
}

#define BAD_MODE                                                                               \
    "\"type\":\"urn:scored:invalid-value\",\"title\":\"A stage of the pipeline cannot take a " \
    "value\",\"status\":422,"
#define BAD_PLACE                                                                               \
    "\"detail\":\"mode 2 is \\\"bad\\\"\",\"field\":\"mode\",\"stage\":\"modes_1\",\"column\":" \
    "\"mode\""

static void rows_end_in_their_place(void **state)
{
    static const char body[] = "[{\"mode\":0},{\"mode\":1},{\"mode\":2},{\"mode\":null}]";
    static const char want[] =
        "[{\"mode\":0,\"v\":null},{\"skipped\":{\"stage\":\"modes_1\",\"column\":\"mode\"}},"
        "{\"error\":{" BAD_MODE BAD_PLACE ",\"row\":2}},{\"mode\":null,\"v\":null}]";

    (void)state;
    for (unsigned rows = 1; rows <= 64; rows++) {
        struct staged s;
        struct buf out = {0};
        struct body_problem why;
        open_staged(&s, rows);
        assert_int_equal(kit_body(&s.kit, body, sizeof body - 1, &out, &why), 200);
        assert_string_equal(out.data, want);
        assert_int_equal(s.kit.scoring.counts.rows, 4);
        assert_int_equal(s.kit.scoring.counts.failed, 1);
        assert_int_equal(s.kit.scoring.counts.skipped, 1);
        assert_int_equal(s.told, 1);
        buf_done(&out);
        close_staged(&s);
    }
}

static void one_row_has_a_status(void **state)
{
    static const struct {
        const char *in, *want;
        unsigned status;
    } cases[] = {
        {"{\"mode\":2}", "{" BAD_MODE BAD_PLACE "}", 422},
        {"{\"mode\":1}", "{\"skipped\":{\"stage\":\"modes_1\",\"column\":\"mode\"}}", 200},
        {"{\"mode\":3,\"v\":[-0]}", "{\"mode\":3,\"v\":[-0.0]}", 200},
    };
    struct staged s;

    (void)state;
    open_staged(&s, 64);
    for (size_t i = 0; i < countof(cases); i++) {
        struct buf out = {0};
        struct body_problem why;
        assert_int_equal(kit_body(&s.kit, cases[i].in, strlen(cases[i].in), &out, &why),
                         cases[i].status);
        assert_string_equal(out.data, cases[i].want);
        buf_done(&out);
    }
    close_staged(&s);
}

static void echoes_come_as_they_were_sent(void **state)
{
    static const char lines[] = "{\"id\":1.50e3,\"mode\":0}\n{\"mode\":1,\"id\":\"\\u0041\\n\"}\n"
                                "{\"mode\":2}\n{\"id\":[1],\"mode\":0}\n{\"id\":null,\"mode\":\n";
    static const char *const want[] = {
        "{\"id\":1.50e3,\"mode\":0,\"mode\":0,\"v\":null}\n",
        "{\"id\":\"\\u0041\\n\",\"mode\":1,\"skipped\":{",
        "{\"id\":null,\"mode\":2,\"error\":{\"type\":\"urn:scored:invalid-value\"",
        "{\"id\":null,\"mode\":0,\"error\":{\"type\":\"urn:scored:wrong-type\"",
        "{\"id\":null,\"mode\":null,\"error\":{\"type\":\"urn:scored:malformed-json\",\"title\":"
        "\"The "
        "body is not well-formed JSON\",\"status\":400,",
        "{\"id\":null,\"mode\":null,\"error\":{\"type\":\"urn:scored:malformed-json\"",
    };

    (void)state;
    for (unsigned cut = 1; cut <= 7; cut++) {
        struct staged s;
        struct buf out = {0};
        open_staged(&s, 3);
        s.kit.question.reject_unknown = true; /* an echo is no unknown field */
        s.kit.question.n_echoes = 2;
        s.kit.question.echoes[0] = (struct text){"id", 2};
        s.kit.question.echoes[1] = (struct text){"mode", 4};
        kit_lines(&s.kit, lines, sizeof lines - 1, cut, &out);
        const char *at = out.data;
        for (size_t i = 0; i < countof(want); i++) {
            if (strncmp(at, want[i], strlen(want[i])) != 0)
                fail_msg("%s does not begin with %s", at, want[i]);
            at = strchr(at, '\n') + 1;
        }
        assert_int_equal(*at, '\0');
        assert_int_equal(s.kit.scoring.counts.rows, 6);
        buf_done(&out);
        close_staged(&s);
    }
}

static void vectors_answer_densely_or_as_they_are(void **state)
{
    static const char body[] = "{\"v\":{\"size\":4,\"indices\":[1],\"values\":[2]}}";
    static const char huge[] = "{\"v\":{\"size\":2000000000,\"indices\":[],\"values\":[]}}";
    struct staged s;
    struct buf out = {0};
    struct body_problem why;

    (void)state;
    open_staged(&s, 64);
    kit_body(&s.kit, body, sizeof body - 1, &out, &why);
    assert_string_equal(out.data,
                        "{\"mode\":null,\"v\":{\"size\":4,\"indices\":[1],\"values\":[2.0]}}");
    buf_reset(&out);
    s.kit.question.spark_vectors = false;
    s.kit.question.max_reply = 1000;
    kit_body(&s.kit, body, sizeof body - 1, &out, &why);
    assert_string_equal(out.data, "{\"mode\":null,\"v\":[0.0,2.0,0.0,0.0]}");
    buf_reset(&out);
    assert_int_equal(kit_body(&s.kit, huge, sizeof huge - 1, &out, &why), 422);
    assert_non_null(strstr(out.data, "urn:scored:row-too-large"));
    buf_done(&out);
    close_staged(&s);
}

static void limits_refuse_the_body(void **state)
{
    static const char body[] = "[{},{},{},{}]";
    struct staged s;
    struct buf out = {0};
    struct body_problem why;

    (void)state;
    open_staged(&s, 2);
    buf_lit(&out, "kept");
    s.kit.question.max_rows = 4;
    assert_int_equal(kit_body(&s.kit, body, sizeof body - 1, &out, &why), 200);
    s.kit.question.max_rows = 3;
    out.len = 4;
    assert_int_equal(kit_body(&s.kit, body, sizeof body - 1, &out, &why), 413);
    assert_int_equal(why.problem, PROBLEM_TOO_LARGE);
    assert_string_equal(out.data, "kept");
    s.kit.question.max_rows = 0;
    s.kit.question.max_reply = 60;
    assert_int_equal(kit_body(&s.kit, body, sizeof body - 1, &out, &why), 413);
    assert_string_equal(out.data, "kept");
    buf_done(&out);
    close_staged(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_end_in_their_place),
        cmocka_unit_test(one_row_has_a_status),
        cmocka_unit_test(echoes_come_as_they_were_sent),
        cmocka_unit_test(vectors_answer_densely_or_as_they_are),
        cmocka_unit_test(limits_refuse_the_body),
    };

    return cmocka_run_group_tests_name("json_out", tests, NULL, NULL);
}
