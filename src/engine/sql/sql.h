/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions of Spark's SQL as trees. A program in a bundle is a list of instructions in postfix
 * order; loading makes a tree of it in which every type is proved, and running walks the tree for a
 * row, as Spark does: what stands in a branch that is not taken is not evaluated, and does not
 * fail.
 *
 * An instruction is ["column", i], ["literal", type, value], or [function, arguments, mode]; the
 * types of the arguments say which row of the functions' tables it is.
 */
#ifndef SCORED_SQL_H
#define SCORED_SQL_H

#include "../engine_priv.h"
#include "scored/value.h"

enum { SQL_DEPTH = 200, SQL_EAGER = 4 };

/* What became of an expression; STOP: the row has failed, or the scratch is full. */
enum sql_got { SQL_VALUE, SQL_NULL, SQL_STOP };

/* What Spark does where there is no result: its old answer, an error, or null. */
enum sql_mode { SQL_LEGACY, SQL_ANSI, SQL_TRY };

union sql_value {
    int64_t i;
    double d;
    float f;
    struct text t;
    int128 n;         /* of decimals */
    const void *cell; /* of vectors and arrays */
};

struct sql_type {
    enum type type;
    struct digits digits;
};

struct sql_row {
    const struct unit *u;
    struct frame *f;
    unsigned row;
};

struct sql_node;
typedef enum sql_got sql_lazy(const struct sql_node *n, const struct sql_row *r,
                              union sql_value *out);
/* Of arguments that are all there: where one is null, the result is. */
typedef enum sql_got sql_eager(const struct sql_node *n, const struct sql_row *r,
                               const union sql_value *a, union sql_value *out);

/* A row of a table of functions. */
struct sql_function {
    const char *name;
    unsigned char least, most; /* arguments; most 0: any number */
    unsigned types[3];         /* of arguments; the last goes for the others too */
    unsigned result;           /* a type; 0: that of the last argument */
    bool alike;                /* arguments from the second on, or all, are of one type */
    bool modes;                /* beside legacy */
    bool typed;                /* the instruction says which decimal it makes */
    sql_eager *eager;
    sql_lazy *lazy;
    bool (*prove)(struct load *l, struct sql_node *n, struct err *e); /* what types do not say */
};

struct sql_node {
    sql_lazy *run;
    const struct sql_function *function; /* NULL: a column or a literal */
    const struct sql_node *const *args;
    uint32_t n_args, depth;
    struct sql_type type;
    enum sql_mode mode;
    bool null;       /* a literal that is null */
    uint16_t column; /* the first that it reads, or COLUMN_NONE */
    union sql_value literal;
};

struct sql_table {
    const struct sql_function *functions;
    unsigned n;
};
extern const struct sql_table sql_logic, sql_comparisons, sql_numbers, sql_casts, sql_mathematics,
    sql_rounding, sql_texts, sql_text_shapes, sql_text_casts, sql_decimals, sql_dates, sql_hashes,
    sql_regexes;

enum {
    SQL_INTEGERS = TYPE_BIT(TINYINT) | TYPE_BIT(SMALLINT) | TYPE_BIT(INT) | TYPE_BIT(BIGINT),
    SQL_LONG = TYPE_BIT(BIGINT),
    SQL_DECIMAL = TYPE_BIT(DECIMAL),
    SQL_SCALARS =
        IS_BOOLEAN | IS_NUMERIC | IS_STRING | SQL_DECIMAL | TYPE_BIT(DATE) | TYPE_BIT(TIMESTAMP),
};

static inline enum sql_got sql_run(const struct sql_node *n, const struct sql_row *r,
                                   union sql_value *out)
{
    return n->run(n, r, out);
}

/* Is it a constant? It may be null. */
static inline bool sql_is_literal(const struct sql_node *n)
{
    return !n->function && n->column == COLUMN_NONE;
}

/* The row fails: by a value of the node's. */
enum sql_got sql_fail(const struct sql_node *n, const struct sql_row *r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As the node's mode has it where a value is not in the range of the type, or is no value of it:
 * the first of what is returned in legacy mode, where `out` has been set. */
enum sql_got sql_outside(const struct sql_node *n, const struct sql_row *r, enum sql_got legacy,
                         const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Zero of either sign. */
bool sql_is_zero(enum type type, const union sql_value *v);

/* Runs the eager function of a division, of which the divisor comes first. */
sql_lazy sql_run_division;

/* -1, 0 or 1 in SQL's order: NaN is the largest and equal to itself, -0.0 equals 0.0. */
int sql_compare(enum type type, const union sql_value *a, const union sql_value *b);

/* A finite double as a decimal, rounded half up; false where it has more digits. */
bool decimal_of_double(double d, struct digits digits, int128 *out);

/* The integer that is left of a wider one. */
int64_t sql_wrap(enum type type, int64_t i);

/* Memory for a text of the row; NULL as frame_take. */
char *sql_text(const struct sql_row *r, size_t n, union sql_value *out);

/* Puts a value into the row of a column of its type. */
void sql_put(struct column *c, const struct sql_type *t, unsigned row, const union sql_value *v);

/* The tree of a program. Of each of the stage's columns that it reads `reads` becomes true. NULL on
 * failure. */
const struct sql_node *sql_load(struct load *l, const struct json *program, bool *reads,
                                struct err *e);

#endif
