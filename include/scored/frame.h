/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of up to 64 rows being scored. A frame belongs to one thread and one model: its
 * cells, and the room whose need is known when the model is loaded, are laid out then and never
 * freed or grown. Whatever else values need is in the thread's scratch. Sets of rows are 64-bit
 * masks.
 *
 * A vector keeps what Spark keeps: dense, or sparse with its stored zeros, because later bits
 * depend on it.
 */
#ifndef SCORED_FRAME_H
#define SCORED_FRAME_H

#include "scored/dict.h"
#include "scored/problem.h"
#include "scored/scratch.h"
#include "scored/type.h"

#include <stddef.h>

enum { FRAME_ROWS = 64, ROW_DETAIL = 240 };

struct vec {
    uint32_t size;
    uint32_t n; /* stored entries; equals size where dense */
    bool sparse;
    double *values;
    uint32_t *indices; /* strictly ascending; of sparse vectors only */
};

struct matrix {
    uint32_t rows, cols;
    bool sparse, transposed;
    const double *values; /* dense: row-major; sparse: by indptr */
    const uint32_t *indices, *indptr;
};

__extension__ typedef __int128 int128;

/* unscaled * 10^-scale */
struct decimal {
    int128 unscaled; /* at most DECIMAL_DIGITS digits */
    unsigned scale;
};

struct list {
    uint32_t n;
    uint64_t *nulls; /* bit set, NULL where no element is null */
    void *items;     /* cells of the elements' type */
};

struct column {
    uint64_t nulls;   /* bit r: row r is null, its value undefined */
    union {           /* indexed by row */
        int64_t *i64; /* boolean (0, 1), tinyint to bigint; days of dates, microseconds of
                         timestamps, since 1970 */
        float *f32;
        double *f64;
        struct text *text; /* borrows the request's bytes or the model's */
        struct decimal *decimal;
        struct list *list;
        struct vec *vec;
        unsigned char *bytes; /* cells of shape.bytes each */
    };
};

/* Why a row has no answer. */
struct row_error {
    enum problem problem;
    uint16_t stage;          /* index in the plan, or UINT16_MAX: before the first stage */
    uint16_t column;         /* index in the plan, or UINT16_MAX */
    uint16_t field;          /* the input to blame, or UINT16_MAX */
    char detail[ROW_DETAIL]; /* UTF-8, may be cut */
};

struct plan;
struct unit;

struct frame {
    const struct plan *plan;
    struct scratch *scratch; /* the thread's, since frame_reset */
    struct column *columns;  /* of the plan, by its indexes */
    bool full;               /* the scratch had too little left: what this run made is nothing */
    unsigned n_rows;
    uint64_t live;                      /* rows that still go on */
    uint64_t skipped;                   /* rows that a filter dropped */
    uint64_t failed;                    /* rows with an error */
    uint16_t *skip_stage, *skip_column; /* by row, of skipped ones */
    struct row_error *errors;           /* by row, of failed ones */
};

/* Lays a frame out in plan->frame_size bytes, aligned to 64. */
struct frame *frame_init(const struct plan *p, void *memory);

/* Starts a frame of no rows in a thread's scratch, which is cleared. */
void frame_reset(struct frame *f, struct scratch *s);

/* The row fails: by its decoder, or by a unit whose stage, input column and root field are noted.
 * The detail is cut. Only the first error of a row is kept. */
void frame_fail_field(struct frame *f, unsigned row, enum problem problem, uint16_t field,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void frame_fail(struct frame *f, unsigned row, const struct unit *u, uint16_t column,
                enum problem problem, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* The row fails: alone it needs more than a whole scratch. */
void frame_fail_full(struct frame *f, unsigned row);

/* A filter drops the row, because of a column. */
void frame_skip(struct frame *f, unsigned row, const struct unit *u, uint16_t column);

/* The first n rows. */
static inline uint64_t rows_below(unsigned n)
{
    return n < FRAME_ROWS ? ((uint64_t)1 << n) - 1 : UINT64_MAX;
}

/* for each row r of a mask */
#define FOR_ROWS(r, rows)                                                \
    for (uint64_t left_##r = (rows); left_##r; left_##r &= left_##r - 1) \
        for (unsigned r = (unsigned)__builtin_ctzll(left_##r), once_##r = 1; once_##r; once_##r = 0)

static inline uint64_t row_bit(unsigned row)
{
    return (uint64_t)1 << row;
}

/* The nearest double, ties to even: Java's BigDecimal.doubleValue. */
double decimal_double(const struct decimal *d);

/* A number as Spark casts it to double; longs round to nearest even. */
static inline double column_double(const struct column *c, enum type type, unsigned row)
{
    return type == TYPE_DOUBLE    ? c->f64[row]
           : type == TYPE_FLOAT   ? (double)c->f32[row]
           : type == TYPE_DECIMAL ? decimal_double(&c->decimal[row])
                                  : (double)c->i64[row];
}

/* Where a sparse vector stores entry i, or would. */
uint32_t vec_place(const struct vec *v, uint32_t i);

/* Entry i of a sparse vector; 0.0 where it stores none. */
double vec_search(const struct vec *v, uint32_t i);

/* Entry i of a vector, i < size. */
static inline double vec_at(const struct vec *v, uint32_t i)
{
    return v->sparse ? vec_search(v, i) : v->values[i];
}

#endif
