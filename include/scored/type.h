/* SPDX-License-Identifier: Apache-2.0 */
/* Column types, named as Spark names them. */
#ifndef SCORED_TYPE_H
#define SCORED_TYPE_H

#include <stdbool.h>

/* X(id, Spark's name, what it is made of: of arrays the type of the elements, else COUNT) */
#define TYPES(X)                             \
    X(BOOLEAN, "boolean", COUNT)             \
    X(TINYINT, "tinyint", COUNT)             \
    X(SMALLINT, "smallint", COUNT)           \
    X(INT, "int", COUNT)                     \
    X(BIGINT, "bigint", COUNT)               \
    X(FLOAT, "float", COUNT)                 \
    X(DOUBLE, "double", COUNT)               \
    X(STRING, "string", COUNT)               \
    X(DATE, "date", COUNT)                   \
    X(TIMESTAMP, "timestamp", COUNT)         \
    X(DECIMAL, "decimal", COUNT)             \
    X(VECTOR, "vector", COUNT)               \
    X(ARRAY_STRING, "array<string>", STRING) \
    X(ARRAY_INT, "array<int>", INT)          \
    X(ARRAY_FLOAT, "array<float>", FLOAT)    \
    X(ARRAY_DOUBLE, "array<double>", DOUBLE) \
    X(ARRAY_VECTOR, "array<vector>", VECTOR)

enum type {
#define X(id, name, element) TYPE_##id,
    TYPES(X)
#undef X
        TYPE_COUNT
};

const char *type_name(enum type t);
bool type_find(const char *name, enum type *out);

/* What a decimal type says beside its name, "decimal(10,2)": digits, and how many of them stand
 * behind the point. {0} of other types. */
struct digits {
    unsigned char precision, scale;
};
enum { DECIMAL_DIGITS = 38 };

/* A type as manifests write it, with digits where it has them. */
bool type_read(const char *text, enum type *out, struct digits *digits);
enum { TYPE_TEXT = 32 };
const char *type_write(enum type t, struct digits digits, char out[TYPE_TEXT]);

/* Of an array the type of its elements, else TYPE_COUNT. */
enum type type_element(enum type t);
static inline bool type_is_array(enum type t)
{
    return t >= TYPE_ARRAY_STRING;
}

/* tinyint, smallint, int, bigint; these and float and double. */
bool type_is_integer(enum type t);
bool type_is_numeric(enum type t);

#endif
