/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scratch holds, in this order: the frame, its columns, what is kept a row (skips, errors), and
 * then each column's values at plan_column.offset: an array of one item a row, behind it for
 * vectors and arrays `stride` bytes a row.
 */
#include "engine_priv.h"

#include <stdarg.h>
#include <stdio.h>

static size_t round_up(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

static size_t item_size(enum type t)
{
    switch (t) {
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INT:
    case TYPE_BIGINT: return sizeof(int64_t);
    case TYPE_FLOAT: return sizeof(float);
    case TYPE_DOUBLE: return sizeof(double);
    case TYPE_STRING: return sizeof(struct text);
    case TYPE_ARRAY_STRING:
    case TYPE_ARRAY_DOUBLE: return sizeof(struct list);
    case TYPE_VECTOR: return sizeof(struct vec);
    case TYPE_COUNT: break;
    }
    return 0;
}

static size_t stride_of(const struct shape *s)
{
    size_t n = s->active_max, nulls = (n + 63) / 64 * sizeof(uint64_t);

    switch ((int)s->type) {
    case TYPE_VECTOR: return (n * (sizeof(double) + sizeof(uint32_t)) + 7) & ~(size_t)7;
    case TYPE_ARRAY_STRING: return n * sizeof(struct text) + nulls;
    case TYPE_ARRAY_DOUBLE: return n * sizeof(double) + nulls;
    default: return 0;
    }
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

static size_t scratch_size(const struct plan *p, unsigned rows)
{
    size_t n = fixed_size(p) + per_row_size(rows);

    for (unsigned c = 0; c < p->n_columns; c++)
        n += round_up(rows * (item_size(p->columns[c].shape.type) + p->columns[c].stride) + 64);
    return n;
}

bool plan_layout(struct plan *p, size_t wanted, unsigned max_rows, struct err *e)
{
    p->row_size = 2 * sizeof(uint16_t) + sizeof(struct row_error);
    for (unsigned c = 0; c < p->n_columns; c++) {
        struct plan_column *column = &p->columns[c];
        size_t stride = stride_of(&column->shape);
        if (stride > UINT32_MAX)
            return err_set(e, ERR_BAD_BUNDLE, "column '%.64s' needs %zu bytes a row",
                           column->name ? column->name : "", stride);
        column->stride = (uint32_t)stride;
        p->row_size += item_size(column->shape.type) + stride;
    }
    unsigned rows = max_rows < 1 ? 1 : max_rows > FRAME_ROWS ? FRAME_ROWS : max_rows;
    while (rows > 1 && scratch_size(p, rows) > wanted)
        rows--;
    if (scratch_size(p, rows) > wanted)
        return err_set(e, ERR_BAD_BUNDLE,
                       "one row takes %zu bytes of scratch, --scratch allows %zu",
                       scratch_size(p, 1), wanted);
    p->frame_rows = rows;
    size_t at = fixed_size(p) + per_row_size(rows);
    for (unsigned c = 0; c < p->n_columns; c++) {
        p->columns[c].offset = at;
        at += round_up(rows * (item_size(p->columns[c].shape.type) + p->columns[c].stride) + 64);
    }
    p->scratch_size = (at + 4095) & ~(size_t)4095;
    return true;
}

/* Where a row's stored entries lie. */
static unsigned char *entries(const struct frame *f, unsigned column, unsigned row)
{
    const struct plan *p = f->plan;
    const struct plan_column *c = &p->columns[column];
    unsigned char *scratch = (unsigned char *)(uintptr_t)f;
    size_t items = (p->frame_rows * item_size(c->shape.type) + 7) & ~(size_t)7;

    return scratch + c->offset + items + (size_t)row * c->stride;
}

struct vec *frame_vec(struct frame *f, unsigned column, unsigned row)
{
    struct vec *v = &f->columns[column].vec[row];

    v->values = (double *)(void *)entries(f, column, row);
    v->indices = (uint32_t *)(void *)(v->values + f->plan->columns[column].shape.active_max);
    return v;
}

static void init_list(struct frame *f, unsigned column, unsigned row)
{
    const struct shape *s = &f->plan->columns[column].shape;
    struct list *l = &f->columns[column].list[row];
    unsigned char *at = entries(f, column, row);
    size_t size = s->type == TYPE_ARRAY_STRING ? sizeof(struct text) : sizeof(double);

    if (s->type == TYPE_ARRAY_STRING)
        l->texts = (struct text *)(void *)at;
    else
        l->doubles = (double *)(void *)at;
    l->nulls = (uint64_t *)(void *)(at + s->active_max * size);
}

struct frame *frame_init(const struct plan *p, void *scratch)
{
    unsigned char *base = scratch;
    struct frame *f = scratch;
    size_t at = round_up(sizeof *f);
    unsigned rows = p->frame_rows;

    *f = (struct frame){.plan = p, .columns = (struct column *)(void *)(base + at)};
    at += round_up(p->n_columns * sizeof(struct column));
    f->skip_stage = (uint16_t *)(void *)(base + at);
    at += round_up(rows * sizeof(uint16_t));
    f->skip_column = (uint16_t *)(void *)(base + at);
    at += round_up(rows * sizeof(uint16_t));
    f->errors = (struct row_error *)(void *)(base + at);
    for (unsigned c = 0; c < p->n_columns; c++) {
        enum type t = p->columns[c].shape.type;
        f->columns[c] = (struct column){.i64 = (int64_t *)(void *)(base + p->columns[c].offset)};
        for (unsigned row = 0; row < rows; row++) {
            if (t == TYPE_VECTOR)
                frame_vec(f, c, row);
            else if (t == TYPE_ARRAY_STRING || t == TYPE_ARRAY_DOUBLE)
                init_list(f, c, row);
        }
    }
    return f;
}

void frame_reset(struct frame *f)
{
    f->n_rows = 0;
    f->live = f->skipped = f->failed = 0;
    for (unsigned c = 0; c < f->plan->n_inputs; c++)
        f->columns[c].nulls = 0;
}

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

void frame_skip(struct frame *f, unsigned row, const struct unit *u, uint16_t column)
{
    f->skipped |= row_bit(row);
    f->live &= ~row_bit(row);
    f->skip_stage[row] = u->stage;
    f->skip_column[row] = column;
}

double vec_search(const struct vec *v, uint32_t i)
{
    uint32_t low = 0, high = v->n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (v->indices[mid] < i)
            low = mid + 1;
        else
            high = mid;
    }
    return low < v->n && v->indices[low] == i ? v->values[low] : 0.0;
}
