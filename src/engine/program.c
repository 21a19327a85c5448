/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a set of asked-for columns to a program, in Spark's order of evaluation (FORMAT.md 7); and
 * its run. The order of columns is the topological one, and a set is closed under "reads" by one
 * scan downwards.
 */
#include "fuse.h"

struct build {
    const struct plan *plan;
    struct column_set made;
    struct program *out;
};

/* Adds what a unit reads, but for inputs and what is made. */
static void add_reads(const struct build *b, struct column_set *s, const struct unit *u)
{
    for (unsigned i = 0; i < u->n_in; i++)
        if (u->in[i] >= b->plan->n_inputs && !column_in(&b->made, u->in[i]))
            column_add(s, u->in[i]);
}

static unsigned words_of(const struct plan *p)
{
    return (p->n_columns + 63U) / 64;
}

/* Adds what makes the columns of a set, to the last: a column reads lower numbers alone. */
static void close_reads(const struct build *b, struct column_set *s)
{
    for (unsigned w = words_of(b->plan); w-- > 0;) {
        for (uint64_t todo = s->words[w], bit; todo; todo = s->words[w] & (bit - 1)) {
            unsigned c = 63 - (unsigned)__builtin_clzll(todo);
            bit = (uint64_t)1 << c;
            add_reads(b, s, b->plan->columns[w * 64 + c].unit);
        }
    }
}

/* Emits the columns of a set, none of which is made, and what they read, in their order. */
static void emit_columns(struct build *b, struct column_set *wanted)
{
    close_reads(b, wanted);
    for (unsigned w = 0; w < words_of(b->plan); w++) {
        FOR_ROWS(c, wanted->words[w])
        {
            b->out->steps[b->out->n_steps++] = b->plan->columns[w * 64 + c].unit;
        }
        b->made.words[w] |= wanted->words[w];
    }
}

static void emit_reads(struct build *b, const struct unit *u)
{
    struct column_set wanted = {0};

    add_reads(b, &wanted, u);
    emit_columns(b, &wanted);
}

static void emit_column(struct build *b, unsigned c)
{
    struct column_set wanted = {0};

    if (column_in(&b->made, c))
        return;
    column_add(&wanted, c);
    emit_columns(b, &wanted);
}

/* All that the asked-for columns and the filters need. */
static struct column_set needed_columns(const struct build *b, const struct column_set *asked)
{
    struct column_set needed = *asked;

    for (unsigned i = 0; i < b->plan->n_filters; i++)
        add_reads(b, &needed, b->plan->filters[i]);
    close_reads(b, &needed);
    return needed;
}

void plan_program(const struct plan *p, const struct column_set *asked, struct program *out)
{
    struct build b = {.plan = p, .out = out};
    struct column_set needed = needed_columns(&b, asked);

    out->n_steps = 0;
    for (unsigned i = 0; i < p->n_order; i++) {
        const struct unit *u = p->order[i];
        if (u->out == COLUMN_NONE) {
            emit_reads(&b, u);
            out->steps[out->n_steps++] = u;
        } else if (u->barrier && column_in(&needed, u->out)) {
            emit_column(&b, u->out);
        }
    }
    for (unsigned w = 0; w < words_of(p); w++)
        needed.words[w] = asked->words[w] & ~b.made.words[w];
    emit_columns(&b, &needed);
    program_fuse(p, asked, out);
}

bool plan_run(const struct program *program, struct frame *f)
{
    const struct unit *const *step = program->steps, *const *end = step + program->n_steps;

    scratch_rewind(f->scratch);
    f->full = false;
    for (; step < end && f->live; step++) {
        const struct unit *u = *step;
        if (u->out != COLUMN_NONE)
            f->columns[u->out].nulls = 0;
        u->run(u, f, f->live);
        if (f->full)
            return false;
    }
    return true;
}
