/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: the order of evaluation of FORMAT.md 7, on plans made by hand. A plan is written as
 * text, a stage a word: "a>b" makes b of a, "A>b" is a barrier, "?a" filters by a. The program is
 * written likewise. */
#include "cmocka_all.h"

#include "scored/buf.h"
#include "scored/plan.h"

#include <ctype.h>
#include <string.h>

enum { MAX = 16 };

struct fixture {
    struct plan plan;
    struct plan_column columns[MAX];
    struct unit units[MAX];
    struct unit *order[MAX], *filters[MAX];
    uint16_t in[MAX];
    char names[MAX][2];
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
    p->n_columns++;
}

/* `inputs` are single letters; then `stages` as above. */
static void make(struct fixture *x, const char *inputs, const char *stages)
{
    struct plan *p = &x->plan;

    memset(x, 0, sizeof *x);
    p->columns = x->columns;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_asked),
        cmocka_unit_test(filters_apply_unasked_and_move_ahead),
        cmocka_unit_test(barriers_hold_filters_back),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
