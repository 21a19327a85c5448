/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: the order of evaluation of FORMAT.md 7, on plans made by hand. A plan is written as
 * text, a stage a word: "a>b" makes b of a, "A>b" is a barrier, "?a" filters by a. The program is
 * written likewise. */
#include "cmocka_all.h"

#include "scored/buf.h"
#include "scored/plan.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum { MAX = 16 };

struct fixture {
    struct plan plan;
    struct plan_column columns[MAX];
    struct unit units[MAX];
    struct unit *order[MAX], *filters[MAX];
    uint16_t in[MAX];
    char names[MAX][2];
    struct plan_name named[MAX];
};

static uint16_t column_of(struct fixture *x, char name)
{
    return plan_find(&x->plan, &name, 1);
}

static void add_column(struct fixture *x, char name, const struct unit *u)
{
    struct plan *p = &x->plan;

    x->names[p->n_columns][0] = name;
    x->columns[p->n_columns] = (struct plan_column){.name = x->names[p->n_columns], .unit = u};
    p->names[p->n_names++] =
        (struct plan_name){.name = x->names[p->n_columns], .column = p->n_columns};
    p->n_columns++;
}

/* `inputs` are single letters; then `stages` as above. */
static void make(struct fixture *x, const char *inputs, const char *stages)
{
    struct plan *p = &x->plan;

    memset(x, 0, sizeof *x);
    p->columns = x->columns;
    p->names = x->named;
    p->order = x->order;
    p->filters = x->filters;
    for (; *inputs; inputs++)
        add_column(x, *inputs, NULL);
    p->n_inputs = p->n_columns;
    for (const char *s = stages; *s; s += strcspn(s, " "), s += strspn(s, " ")) {
        struct unit *u = &x->units[p->n_order];
        bool filter = *s == '?';
        char from = filter ? s[1] : s[0];
        x->in[p->n_order] = column_of(x, (char)tolower(from));
        *u = (struct unit){.in = &x->in[p->n_order], .n_in = 1, .barrier = isupper(from) != 0};
        p->order[p->n_order++] = u;
        u->out = filter ? COLUMN_NONE : p->n_columns;
        if (filter)
            p->filters[p->n_filters++] = u;
        else
            add_column(x, s[2], u);
    }
}

static void check(const char *inputs, const char *stages, const char *asked, const char *want)
{
    struct fixture x;
    struct column_set set = {0};
    struct buf got = {0};

    make(&x, inputs, stages);
    for (; *asked; asked++)
        column_add(&set, column_of(&x, *asked));
    struct program *program = malloc(plan_program_size(&x.plan));
    assert_non_null(program);
    plan_program(&x.plan, &set, program);
    for (unsigned i = 0; i < program->n_steps; i++) {
        const struct unit *u = program->steps[i];
        if (u->out != COLUMN_NONE)
            buf_text(&got, x.columns[u->out].name);
        else
            buf_printf(&got, "?%s", x.columns[u->in[0]].name);
    }
    assert_string_equal(got.data ? got.data : "", want);
    buf_done(&got);
    free(program);
}

static void only_what_is_asked(void **state)
{
    (void)state;
    check("ab", "a>x b>y x>z", "z", "xz");
    check("ab", "a>x b>y x>z", "y", "y");
    check("ab", "a>x b>y x>z", "xyz", "xyz");
    check("a", "a>x", "", "");
}

static void filters_apply_unasked_and_move_ahead(void **state)
{
    (void)state;
    check("ab", "a>x ?b b>y", "x", "?bx");
    check("ab", "?a a>x ?b b>y", "", "?a?b");
    check("ab", "a>x b>y ?x", "y", "x?xy"); /* what a filter reads is made first */
}

static void barriers_hold_filters_back(void **state)
{
    (void)state;
    check("ab", "A>x ?b b>y", "x", "x?b");
    check("ab", "A>x ?b b>y", "y", "?by");    /* not asked for: bars nothing */
    check("ab", "A>x x>z ?b", "z", "x?bz");   /* needed through z */
    check("abc", "a>x X>y ?b", "y", "xy?b");  /* a barrier pulls what it reads in front */
    check("abc", "c>w A>x ?b", "wx", "x?bw"); /* w itself may still wait */
    check("ab", "A>x ?x ?b", "", "x?x?b");    /* needed by a filter */
}

/* -- large plans -- */

enum { LARGE = 4096 };

struct large {
    struct plan plan;
    struct plan_column columns[LARGE];
    struct unit units[2 * LARGE];
    struct unit *order[2 * LARGE], *filters[LARGE];
    uint16_t in[2 * LARGE][3];
    unsigned n_units;
};

static uint64_t seed = 88172645463325252U;

static unsigned below(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % n);
}

/* n columns, a quarter of them inputs; each is made of up to three before it. */
static struct large *make_large(unsigned n, unsigned one_filter_in)
{
    struct large *x = calloc(1, sizeof *x);

    assert_non_null(x);
    struct plan *p = &x->plan;
    p->columns = x->columns;
    p->order = x->order;
    p->filters = x->filters;
    p->n_inputs = p->n_columns = (uint16_t)(n / 4 + 1);
    while (p->n_columns < n) {
        struct unit *u = &x->units[x->n_units];
        bool filter = below(one_filter_in) == 0 && p->n_filters < LARGE - 1;
        uint16_t *in = x->in[x->n_units++];
        *u = (struct unit){.in = in, .n_in = (uint16_t)(1 + below(3)), .barrier = below(2)};
        for (unsigned i = 0; i < u->n_in; i++)
            in[i] = (uint16_t)below(p->n_columns);
        p->order[p->n_order++] = u;
        u->out = filter ? COLUMN_NONE : p->n_columns;
        if (filter)
            p->filters[p->n_filters++] = u;
        else
            p->columns[p->n_columns++].unit = u;
    }
    return x;
}

static void close_plainly(const struct plan *p, struct column_set *s)
{
    for (unsigned c = p->n_columns; c-- > p->n_inputs;)
        for (unsigned i = 0; column_in(s, c) && i < p->columns[c].unit->n_in; i++)
            column_add(s, p->columns[c].unit->in[i]);
}

static void emit_plainly(const struct plan *p, struct column_set wanted, struct column_set *made,
                         struct program *out)
{
    close_plainly(p, &wanted);
    for (unsigned c = p->n_inputs; c < p->n_columns; c++) {
        if (!column_in(&wanted, c) || column_in(made, c))
            continue;
        column_add(made, c);
        out->steps[out->n_steps++] = p->columns[c].unit;
    }
}

/* The rule as FORMAT.md 7 tells it, whatever it costs. */
static void plain_program(const struct plan *p, const struct column_set *asked, struct program *out)
{
    struct column_set needed = *asked, made = {0};

    out->n_steps = 0;
    for (unsigned f = 0; f < p->n_filters; f++)
        for (unsigned i = 0; i < p->filters[f]->n_in; i++)
            column_add(&needed, p->filters[f]->in[i]);
    close_plainly(p, &needed);
    for (unsigned k = 0; k < p->n_order; k++) {
        const struct unit *u = p->order[k];
        struct column_set wanted = {0};
        if (u->out != COLUMN_NONE && !(u->barrier && column_in(&needed, u->out)))
            continue;
        for (unsigned i = 0; u->out == COLUMN_NONE && i < u->n_in; i++)
            column_add(&wanted, u->in[i]);
        if (u->out != COLUMN_NONE)
            column_add(&wanted, u->out);
        emit_plainly(p, wanted, &made, out);
        if (u->out == COLUMN_NONE)
            out->steps[out->n_steps++] = u;
    }
    emit_plainly(p, *asked, &made, out);
}

static struct column_set ask(const struct plan *p, unsigned one_in)
{
    struct column_set asked = {0};

    for (unsigned c = p->n_inputs; c < p->n_columns; c++)
        if (below(one_in) == 0)
            column_add(&asked, c);
    return asked;
}

static void programs_are_those_of_a_plain_search(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 400; round++) {
        struct large *x = make_large(round == 0 ? LARGE : 2 + below(300), 2 + below(30));
        struct column_set asked = ask(&x->plan, 1 + below(20));
        struct program *got = malloc(plan_program_size(&x->plan));
        struct program *want = malloc(plan_program_size(&x->plan));
        assert_true(got && want);
        plan_program(&x->plan, &asked, got);
        plain_program(&x->plan, &asked, want);
        assert_int_equal(got->n_steps, want->n_steps);
        assert_memory_equal(got->steps, want->steps, want->n_steps * sizeof *want->steps);
        free(got);
        free(want);
        free(x);
    }
}

/* Nanoseconds of this thread for a program of all columns: the least of some rounds. */
static uint64_t time_program(unsigned n)
{
    struct large *x = make_large(n, 20);
    struct column_set asked = ask(&x->plan, 1);
    struct program *program = malloc(plan_program_size(&x->plan));
    uint64_t least = UINT64_MAX;

    assert_non_null(program);
    for (unsigned round = 0; round < 40; round++) {
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        plan_program(&x->plan, &asked, program);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        uint64_t ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000U + (uint64_t)to.tv_nsec -
                      (uint64_t)from.tv_nsec;
        least = ns < least ? ns : least;
    }
    free(program);
    free(x);
    return least;
}

/* Eight times the columns take some 20 times as long: a step is followed through a set of words.
 * Where every column were looked at for every step, it would be 64 times. */
static void a_program_is_not_searched_for_column_by_column(void **state)
{
    uint64_t few = time_program(LARGE / 8), many = time_program(LARGE);

    (void)state;
    print_message("%d columns: %llu ns, %d: %llu ns\n", LARGE / 8, (unsigned long long)few, LARGE,
                  (unsigned long long)many);
    assert_true(many < 36 * few);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_asked),
        cmocka_unit_test(filters_apply_unasked_and_move_ahead),
        cmocka_unit_test(barriers_hold_filters_back),
        cmocka_unit_test(programs_are_those_of_a_plain_search),
        cmocka_unit_test(a_program_is_not_searched_for_column_by_column),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
