/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a value is: how large its cell is, and when two are the same. A cell of a column and an
 * element of a list are alike, so that a type that is made of another needs nothing of its own.
 */
#ifndef SCORED_VALUE_H
#define SCORED_VALUE_H

#include "scored/frame.h"
#include "scored/number.h"

/* Bytes of a cell. */
extern const unsigned char value_sizes[TYPE_COUNT];

/* Cell i of an array of them: a column's, or a list's. */
static inline void *value_at(void *cells, enum type type, size_t i)
{
    return (unsigned char *)cells + i * value_sizes[type];
}

static inline void *column_cell(const struct column *c, enum type type, unsigned row)
{
    return value_at(c->i64, type, row);
}

static inline bool list_null(const struct list *l, uint32_t i)
{
    return l->nulls && l->nulls[i / 64] >> i % 64 & 1;
}

/* Whether two cells hold the same (FORMAT.md 6): the same kind, size, indices and bits, with NaN
 * equal to NaN; doubles may be `ulps` apart. */
bool value_equal(enum type type, const void *a, const void *b, uint32_t ulps);

/* The same of a row in each of two columns, nulls too. */
bool column_equal(enum type type, const struct column *a, unsigned row_a, const struct column *b,
                  unsigned row_b, uint32_t ulps);

/* -- decimals -- */

enum { DECIMAL_TEXT = DECIMAL_DIGITS + 8 };

/* The digits of an unscaled value, without its sign; returns how many. */
unsigned decimal_digits(int128 unscaled, char to[DECIMAL_DIGITS + 1]);

/* As Java writes it: BigDecimal.toString, or toPlainString. Returns the length. */
enum { DECIMAL_SHOWN = DECIMAL_DIGITS + 16 };
unsigned decimal_print(const struct decimal *from, bool plain, char to[DECIMAL_SHOWN]);

/* The magnitude, as a number of the digits that it has put into `text`. */
struct number decimal_number(const struct decimal *d, char text[DECIMAL_TEXT]);

#endif
