/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame's memory holds, in this order: the frame, its columns, what is kept a row (skips,
 * errors), and then each column's cells at plan_column.offset, one a row, and behind them the room
 * for the entries of vectors.
 */
#include "engine_priv.h"
#include "scored/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static size_t round_up(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

/* Bytes that do not depend on the number of rows. */
static size_t fixed_size(const struct plan *p)
{
    return round_up(sizeof(struct frame)) + round_up(p->n_columns * sizeof(struct column));
}

/* Bytes of the arrays kept a row. */
static size_t per_row_size(unsigned rows)
{
    return round_up(rows * sizeof(uint16_t)) * 2 + round_up(rows * sizeof(struct row_error));
}

static size_t cell_size(const struct shape *s)
{
    return s->type == TYPE_COUNT ? s->bytes : value_sizes[s->type];
}

static size_t cells_size(const struct plan_column *c, unsigned rows)
{
    return round_up((size_t)rows * cell_size(&c->shape));
}

static size_t frame_size(const struct plan *p, unsigned rows)
{
    size_t n = fixed_size(p) + per_row_size(rows);

    for (unsigned c = 0; c < p->n_columns; c++)
        n += cells_size(&p->columns[c], rows) + round_up((size_t)rows * p->columns[c].stride);
    return n;
}

/* What a row takes of each column. */
static bool set_strides(struct plan *p, struct err *e)
{
    p->row_size = 2 * sizeof(uint16_t) + sizeof(struct row_error);
    p->bounded = true;
    for (unsigned i = 0; i < p->n_columns; i++) {
        struct plan_column *c = &p->columns[i];
        bool known = c->shape.most != MOST_UNKNOWN;
        c->room = known && c->shape.type == TYPE_VECTOR ? c->shape.most : 0;
        size_t stride = (c->room * (sizeof(double) + sizeof(uint32_t)) + 7) & ~(size_t)7;
        if (stride > UINT32_MAX)
            return err_set(e, ERR_NO_MEMORY, "column '%.64s' takes %zu bytes a row",
                           c->name ? c->name : "", stride);
        c->stride = (uint32_t)stride;
        p->row_size += cell_size(&c->shape) + stride;
        p->bounded &= known || i < p->n_inputs;
    }
    return true;
}

bool plan_layout(struct plan *p, size_t most, unsigned max_rows, struct err *e)
{
    if (!set_strides(p, e))
        return false;
    unsigned rows = max_rows < 1 ? 1 : max_rows > FRAME_ROWS ? FRAME_ROWS : max_rows;
    while (rows > 1 && frame_size(p, rows) > most)
        rows--;
    if (frame_size(p, rows) > most)
        return err_set(e, ERR_NO_MEMORY, "one row takes %zu bytes, --scratch allows %zu",
                       frame_size(p, 1), most);
    p->frame_rows = rows;
    size_t at = fixed_size(p) + per_row_size(rows);
    for (unsigned i = 0; i < p->n_columns; i++) {
        struct plan_column *c = &p->columns[i];
        c->offset = at;
        c->entries = at + cells_size(c, rows);
        at = c->entries + round_up((size_t)rows * c->stride);
    }
    p->frame_size = (at + 4095) & ~(size_t)4095;
    return true;
}

struct frame *frame_init(const struct plan *p, void *memory)
{
    unsigned char *base = memory;
    struct frame *f = memory;
    size_t at = round_up(sizeof *f);
    unsigned rows = p->frame_rows;

    *f = (struct frame){.plan = p, .columns = (struct column *)(void *)(base + at)};
    at += round_up(p->n_columns * sizeof(struct column));
    f->skip_stage = (uint16_t *)(void *)(base + at);
    at += round_up(rows * sizeof(uint16_t));
    f->skip_column = (uint16_t *)(void *)(base + at);
    at += round_up(rows * sizeof(uint16_t));
    f->errors = (struct row_error *)(void *)(base + at);
    for (unsigned c = 0; c < p->n_columns; c++)
        f->columns[c] = (struct column){.i64 = (int64_t *)(void *)(base + p->columns[c].offset)};
    return f;
}

void frame_reset(struct frame *f, struct scratch *s)
{
    f->scratch = s;
    scratch_clear(s);
    f->n_rows = 0;
    f->live = f->skipped = f->failed = 0;
    for (unsigned c = 0; c < f->plan->n_inputs; c++)
        f->columns[c].nulls = 0;
}

/* -- memory of values -- */

void *frame_take(struct frame *f, size_t n, size_t size)
{
    size_t bytes;
    void *p = __builtin_mul_overflow(n, size, &bytes) ? NULL : scratch_take(f->scratch, bytes);

    f->full |= !p;
    return p;
}

struct vec *frame_vec_taken(struct frame *f, unsigned column, unsigned row, size_t n, bool indices)
{
    struct vec *v = &f->columns[column].vec[row];

    v->values = frame_take(f, n, sizeof(double) + (indices ? sizeof(uint32_t) : 0));
    v->indices = indices && v->values ? (uint32_t *)(void *)(v->values + n) : NULL;
    return v->values ? v : NULL;
}

char *frame_text(struct frame *f, unsigned column, unsigned row, size_t n)
{
    char *p = frame_take(f, n, 1);

    f->columns[column].text[row] = (struct text){.p = p};
    return p;
}

struct list *frame_list(struct frame *f, unsigned column, unsigned row, uint32_t n)
{
    enum type element = type_element(f->plan->columns[column].shape.type);
    struct list *l = &f->columns[column].list[row];

    *l = (struct list){.n = n, .items = frame_take(f, n, value_sizes[element])};
    return l->items ? l : NULL;
}

bool frame_list_null(struct frame *f, struct list *l, uint32_t i)
{
    size_t words = ((size_t)l->n + 63) / 64;

    if (!l->nulls) {
        l->nulls = frame_take(f, words, sizeof *l->nulls);
        if (!l->nulls)
            return false;
        memset(l->nulls, 0, words * sizeof *l->nulls);
    }
    l->nulls[i / 64] |= (uint64_t)1 << i % 64;
    return true;
}

/* -- rows without an answer -- */

__attribute__((format(printf, 4, 0))) static void
fail(struct frame *f, unsigned row, struct row_error what, const char *fmt, va_list args)
{
    if (f->failed & row_bit(row))
        return;
    f->failed |= row_bit(row);
    f->live &= ~row_bit(row);
    f->errors[row] = what;
    if (vsnprintf(f->errors[row].detail, ROW_DETAIL, fmt, args) < 0)
        f->errors[row].detail[0] = '\0';
}

void frame_fail_field(struct frame *f, unsigned row, enum problem problem, uint16_t field,
                      const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fail(f, row,
         (struct row_error){
             .problem = problem, .stage = UINT16_MAX, .column = UINT16_MAX, .field = field},
         fmt, args);
    va_end(args);
}

void frame_fail(struct frame *f, unsigned row, const struct unit *u, uint16_t column,
                enum problem problem, const char *fmt, ...)
{
    va_list args;

    while (!f->plan->columns[column].name) /* what a hidden column was made of */
        column = f->plan->columns[column].unit->in[0];
    va_start(args, fmt);
    fail(f, row,
         (struct row_error){.problem = problem,
                            .stage = u->stage,
                            .column = column,
                            .field = f->plan->columns[column].root},
         fmt, args);
    va_end(args);
}

void frame_fail_full(struct frame *f, unsigned row)
{
    frame_fail_field(f, row, PROBLEM_ROW_TOO_LARGE, UINT16_MAX,
                     "the row needs more than %zu bytes of scoring memory (--scratch)",
                     f->scratch->size);
}

void frame_skip(struct frame *f, unsigned row, const struct unit *u, uint16_t column)
{
    f->skipped |= row_bit(row);
    f->live &= ~row_bit(row);
    f->skip_stage[row] = u->stage;
    f->skip_column[row] = column;
}

uint64_t fail_nulls(const struct unit *u, struct frame *f, uint64_t rows)
{
    uint64_t nulls = f->columns[u->in[0]].nulls & rows;

    FOR_ROWS(r, nulls)
    frame_fail(f, r, u, u->in[0], PROBLEM_NULL_VALUE, "the vector is null");
    return rows & ~nulls;
}

uint64_t fail_sizes(const struct unit *u, struct frame *f, uint64_t rows, uint32_t size)
{
    const struct vec *v = f->columns[u->in[0]].vec;

    FOR_ROWS(r, rows)
    {
        if (v[r].size == size)
            continue;
        rows &= ~row_bit(r);
        frame_fail(f, r, u, u->in[0], PROBLEM_SIZE_MISMATCH,
                   "a vector of %u entries, the model has %u", (unsigned)v[r].size, (unsigned)size);
    }
    return rows;
}

uint32_t vec_place(const struct vec *v, uint32_t i)
{
    uint32_t low = 0, high = v->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (v->indices[mid] < i)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

double vec_search(const struct vec *v, uint32_t i)
{
    uint32_t at = vec_place(v, i);

    return at < v->n && v->indices[at] == i ? v->values[at] : 0.0;
}

void fail_short(const struct unit *u, struct frame *f, unsigned row, uint32_t least)
{
    frame_fail(f, row, u, u->in[0], PROBLEM_SIZE_MISMATCH,
               "a vector of %u entries, one of at least %u is needed",
               (unsigned)f->columns[u->in[0]].vec[row].size, (unsigned)least);
}
