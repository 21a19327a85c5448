/* SPDX-License-Identifier: Apache-2.0 */
/* Texts and lists that units make: a plan by hand, whose units write a text in small letters, and
 * its words as a list. */
#include "cmocka_all.h"

#include "../../src/engine/engine_priv.h"
#include "scored/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT, LOWER, WORDS, COLUMNS };

static void run_lower(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        const struct text *from = &f->columns[u->in[0]].text[r];
        char *p = frame_text(f, u->out, r, from->len);
        if (!p)
            return;
        for (uint32_t i = 0; i < from->len; i++)
            p[i] = (char)tolower((unsigned char)from->p[i]);
        f->columns[u->out].text[r].len = from->len;
    }
}

static uint32_t count_words(const struct text *t)
{
    uint32_t n = 1;

    for (uint32_t i = 0; i < t->len; i++)
        n += t->p[i] == ' ';
    return n;
}

/* An empty word is null. */
static void run_words(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        const struct text *t = &f->columns[u->in[0]].text[r];
        struct list *l = frame_list(f, u->out, r, count_words(t));
        if (!l)
            return;
        const char *at = t->p;
        for (uint32_t i = 0; i < l->n; i++) {
            const char *end = memchr(at, ' ', (size_t)(t->p + t->len - at));
            uint32_t n = (uint32_t)((end ? end : t->p + t->len) - at);
            ((struct text *)l->items)[i] = (struct text){at, n};
            if (n == 0 && !frame_list_null(f, l, i))
                return;
            at += n + 1;
        }
    }
}

static const uint16_t text_in = TEXT, lower_in = LOWER;
static const struct unit lower = {.run = run_lower, .in = &text_in, .n_in = 1, .out = LOWER};
static const struct unit words = {.run = run_words, .in = &lower_in, .n_in = 1, .out = WORDS};

struct kit {
    struct plan plan;
    struct plan_column columns[COLUMNS];
    struct frame *frame;
    struct program *program;
    struct scratch scratch;
};

static void open_kit(struct kit *k, size_t scratch)
{
    struct err e = {0};

    *k = (struct kit){.columns = {{.name = "text", .shape = {.type = TYPE_STRING}},
                                  {.name = "lower", .shape = {.type = TYPE_STRING}},
                                  {.name = "words", .shape = {.type = TYPE_ARRAY_STRING}}}};
    k->plan = (struct plan){.columns = k->columns, .n_columns = COLUMNS, .n_inputs = 1};
    assert_true(plan_layout(&k->plan, 1 << 20, FRAME_ROWS, &e));
    k->frame = frame_init(&k->plan, aligned_alloc(64, k->plan.frame_size));
    k->program = malloc(plan_program_size(&k->plan));
    assert_non_null(k->program);
    k->program->n_steps = 2;
    k->program->steps[0] = &lower;
    k->program->steps[1] = &words;
    assert_true(scratch_init(&k->scratch, scratch, &e));
}

static void close_kit(struct kit *k)
{
    scratch_done(&k->scratch);
    free(k->program);
    free(k->frame);
}

/* Scores n rows of a text; NULL is null. */
static bool score(struct kit *k, unsigned n, const char *text)
{
    frame_reset(k->frame, &k->scratch);
    k->frame->n_rows = n;
    k->frame->live = rows_below(n);
    k->frame->columns[TEXT].nulls = text ? 0 : UINT64_MAX;
    for (unsigned r = 0; text && r < n; r++)
        k->frame->columns[TEXT].text[r] = (struct text){text, (uint32_t)strlen(text)};
    return plan_run(k->program, k->frame);
}

static void expect_word(const struct list *l, uint32_t i, const char *want)
{
    const struct text *t = value_at(l->items, TYPE_STRING, i);

    assert_false(list_null(l, i));
    assert_int_equal(t->len, strlen(want));
    assert_memory_equal(t->p, want, t->len);
}

static void texts_and_lists_are_made(void **state)
{
    struct kit k;

    (void)state;
    open_kit(&k, 1 << 20);
    assert_true(score(&k, 3, "A Few  Words"));
    for (unsigned r = 0; r < 3; r++) {
        const struct list *l = &k.frame->columns[WORDS].list[r];
        assert_int_equal(l->n, 4);
        expect_word(l, 0, "a");
        expect_word(l, 1, "few");
        assert_true(list_null(l, 2));
        expect_word(l, 3, "words");
    }
    assert_true(score(&k, 1, ""));
    assert_int_equal(k.frame->columns[WORDS].list[0].n, 1);
    assert_true(list_null(&k.frame->columns[WORDS].list[0], 0));
    close_kit(&k);
}

static void nulls_pass_and_are_forgotten(void **state)
{
    struct kit k;

    (void)state;
    open_kit(&k, 1 << 20);
    assert_true(score(&k, 2, NULL));
    assert_int_equal(k.frame->columns[WORDS].nulls & 3, 3);
    assert_true(score(&k, 2, "x"));
    assert_int_equal(k.frame->columns[WORDS].nulls & 3, 0);
    close_kit(&k);
}

/* A null of more elements than a word has bits. */
static void a_long_list_has_nulls_anywhere(void **state)
{
    char text[400];
    struct kit k;

    (void)state;
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[200] = 'X';
    open_kit(&k, 1 << 20);
    assert_true(score(&k, 1, text));
    const struct list *l = &k.frame->columns[WORDS].list[0];
    assert_int_equal(l->n, sizeof text - 1);
    for (uint32_t i = 0; i < l->n; i++)
        assert_int_equal(list_null(l, i), i != 200);
    expect_word(l, 200, "x");
    close_kit(&k);
}

/* What does not fit makes the run nothing; fewer rows fit. */
static void too_little_memory_is_told(void **state)
{
    static char text[20000];
    struct kit k;

    (void)state;
    memset(text, 'A', sizeof text - 1);
    open_kit(&k, 64 << 10);
    assert_false(score(&k, 8, text));
    assert_true(k.frame->full);
    assert_true(score(&k, 2, text));
    assert_int_equal(k.frame->columns[LOWER].text[1].p[sizeof text - 2], 'a');
    close_kit(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_and_lists_are_made),
        cmocka_unit_test(nulls_pass_and_are_forgotten),
        cmocka_unit_test(a_long_list_has_nulls_anywhere),
        cmocka_unit_test(too_little_memory_is_told),
    };
    return cmocka_run_group_tests_name("made", tests, NULL, NULL);
}
