/* SPDX-License-Identifier: Apache-2.0 */
/* Column types, named as Spark names them. */
#ifndef SCORED_TYPE_H
#define SCORED_TYPE_H

#include <stdbool.h>

/* X(id, Spark's name) */
#define TYPES(X)                     \
    X(BOOLEAN, "boolean")            \
    X(TINYINT, "tinyint")            \
    X(SMALLINT, "smallint")          \
    X(INT, "int")                    \
    X(BIGINT, "bigint")              \
    X(FLOAT, "float")                \
    X(DOUBLE, "double")              \
    X(STRING, "string")              \
    X(ARRAY_STRING, "array<string>") \
    X(ARRAY_DOUBLE, "array<double>") \
    X(VECTOR, "vector")

enum type {
#define X(id, name) TYPE_##id,
    TYPES(X)
#undef X
        TYPE_COUNT
};

const char *type_name(enum type t);
bool type_find(const char *name, enum type *out);

/* tinyint, smallint, int, bigint; these and float and double. */
bool type_is_integer(enum type t);
bool type_is_numeric(enum type t);

#endif
