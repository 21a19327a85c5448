/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fused programs against the same bundle's plain ones: random forests behind an assembler of
 * numbers of every type, under each handleInvalid. Answers, row errors and skips must be the same
 * text, whichever column is asked for.
 */
#include "forests.h"

enum { FORESTS = 60, ROWS = 200, MAX_COLUMNS = 40 };

static const char *const types[] = {"double", "float", "int", "bigint", "tinyint", "boolean"};

struct pair {
    struct loaded fused, plain;
    unsigned n_columns;
    const char *type[MAX_COLUMNS];
};

static void put_input(const struct pair *x, struct buf *to)
{
    for (unsigned i = 0; i < x->n_columns; i++)
        buf_printf(to, "%s{\"name\":\"c%u\",\"type\":\"%s\",\"nullable\":true}", i ? "," : "", i,
                   x->type[i]);
    buf_char(to, '\0');
}

static void put_assembler(const struct pair *x, const char *invalid, struct buf *to)
{
    buf_text(to, "{\"op\":\"vector_assembler\",\"class\":\"org.apache.spark.ml.feature."
                 "VectorAssembler\",\"uid\":\"v\",\"blocks\":[],\"inputs\":{\"inputCols\":[");
    for (unsigned i = 0; i < x->n_columns; i++)
        buf_printf(to, "%s\"c%u\"", i ? "," : "", i);
    buf_printf(to,
               "]},\"outputs\":{\"outputCol\":[\"a\"]},\"params\":{\"handleInvalid\":\"%s\","
               "\"lengths\":[",
               invalid);
    for (unsigned i = 0; i < x->n_columns; i++)
        buf_printf(to, "%s1", i ? "," : "");
    buf_text(to, "]}}");
    buf_char(to, '\0');
}

/* Another reader of what the assembler makes. */
static const char normalizer[] =
    "{\"op\":\"normalizer\",\"class\":\"org.apache.spark.ml.feature.Normalizer\",\"uid\":\"n\","
    "\"blocks\":[],\"inputs\":{\"inputCols\":[\"a\"]},\"outputs\":{\"outputCols\":[\"n\"]},"
    "\"params\":{\"p\":2.0}}";

/* The forest may ask for more features than there are columns: then nothing fits. */
static void load_pair(struct pair *x, const struct plain *p, const char *invalid)
{
    struct buf input = {0}, before = {0};

    x->n_columns = below(8) ? p->n_features : 1 + below(MAX_COLUMNS);
    if (x->n_columns > MAX_COLUMNS)
        x->n_columns = MAX_COLUMNS;
    for (unsigned i = 0; i < x->n_columns; i++)
        x->type[i] = types[below(3) ? 0 : below(countof(types))];
    put_input(x, &input);
    put_assembler(x, invalid, &before);
    struct bundle_text base = {.input = input.data,
                               .before = before.data,
                               .more = normalizer,
                               .exactness =
                                   EXACT("a") "," EXACT("n") "," EXACT("x") "," EXACT("y")};
    load_forest(&x->fused, p, &base);
    base.no_fuse = true;
    load_forest(&x->plain, p, &base);
    buf_done(&input);
    buf_done(&before);
}

static void put_value(const char *type, uint32_t categories, struct buf *to)
{
    double value = categories && below(4) ? (double)below(categories + 1) : any_value();

    if (!below(12))
        buf_text(to, "null");
    else if (strcmp(type, "boolean") == 0)
        buf_text(to, below(2) ? "true" : "false");
    else if (strcmp(type, "double") != 0 && strcmp(type, "float") != 0)
        buf_printf(to, "%d", (int)below(200) - 100);
    else if (!isfinite(value))
        buf_text(to, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else if (strcmp(type, "float") == 0)
        buf_printf(to, "%.9g", fabs(value) < 1e30 ? value : 1.0);
    else
        buf_printf(to, "%.17g", value);
}

static char *make_row(const struct pair *x, const struct plain *p)
{
    struct buf row = {0};

    for (unsigned i = 0; i < x->n_columns; i++) {
        buf_printf(&row, "%c\"c%u\":", i ? ',' : '{', i);
        put_value(x->type[i], i < p->n_features ? p->categories[i] : 0, &row);
    }
    buf_text(&row, "}");
    buf_char(&row, '\0');
    return row.data;
}

static void check_row(struct pair *x, const char *row, unsigned *answered)
{
    static const char *const asked[] = {NULL, "x", "y", "a", "n"};

    for (unsigned i = 0; i < countof(asked); i++) {
        char *fused = answer(&x->fused, asked[i], row), *plain = answer(&x->plain, asked[i], row);
        assert_string_equal(fused, plain);
        *answered += strstr(fused, "\"x\"") != NULL;
        free(fused);
        free(plain);
    }
}

static bool is_fused(const struct pair *x)
{
    return x->fused.plan.program->n_steps < x->plain.plan.program->n_steps;
}

static void answers_are_those_of_the_plain_program(void **unused)
{
    static const char *const invalid[] = {"error", "skip", "keep"};
    unsigned fused = 0, answered = 0;

    (void)unused;
    for (unsigned i = 0; i < FORESTS; i++) {
        struct plain *p = make_forest();
        struct pair x;
        load_pair(&x, p, invalid[i % countof(invalid)]);
        bool one_tree = p->n_nodes == 1;
        assert_true(!is_fused(&x) || p->n_features <= x.n_columns);
        assert_true(is_fused(&x) || one_tree || p->n_features > x.n_columns ||
                    x.fused.plan.n_fusions == 0);
        fused += is_fused(&x);
        for (unsigned k = 0; k < ROWS; k++) {
            char *row = make_row(&x, p);
            check_row(&x, row, &answered);
            free(row);
        }
        unload(&x.fused);
        unload(&x.plain);
        free(p);
    }
    assert_true(fused > FORESTS / 3 && answered > FORESTS * ROWS / 2);
}

static unsigned steps_for(struct pair *x, const char *one, const char *other)
{
    struct plan *p = &x->fused.plan;
    struct program *program =
        arena_alloc(&x->fused.arena, 1, plan_program_size(p), alignof(struct program));
    struct column_set asked = {0};

    assert_non_null(program);
    column_add(&asked, plan_find(p, one, 1));
    column_add(&asked, plan_find(p, other, 1));
    plan_program(p, &asked, program);
    return program->n_steps;
}

/* What is between two units is there for who asks for it, and for others that read it. */
static void what_is_asked_for_is_made(void **unused)
{
    struct plain *p = make_forest();
    struct pair x;

    (void)unused;
    while (p->n_features != 7) {
        free(p);
        p = make_forest();
    }
    load_pair(&x, p, "keep");
    while (!is_fused(&x)) {
        unload(&x.fused);
        unload(&x.plain);
        load_pair(&x, p, "keep");
    }
    assert_int_equal(x.fused.plan.program->n_steps, 2);
    assert_int_equal(x.plain.plan.program->n_steps, 3);
    assert_int_equal(steps_for(&x, "x", "y"), 3);
    assert_int_equal(steps_for(&x, "x", "a"), 3);
    assert_int_equal(steps_for(&x, "x", "n"), 4);
    assert_int_equal(x.fused.plan.program_all->n_steps, x.plain.plan.program_all->n_steps);
    unload(&x.fused);
    unload(&x.plain);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_the_plain_program),
        cmocka_unit_test(what_is_asked_for_is_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
