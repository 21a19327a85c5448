/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/type.h"

#include "scored/decimal.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define X(id, name, element) name,
    TYPES(X)
#undef X
};

static const enum type elements[] = {
#define X(id, name, element) TYPE_##element,
    TYPES(X)
#undef X
};

enum type type_element(enum type t)
{
    return elements[t];
}

const char *type_name(enum type t)
{
    return names[t];
}

bool type_find(const char *name, enum type *out)
{
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (strcmp(names[t], name) == 0) {
            *out = (enum type)t;
            return true;
        }
    }
    return false;
}

bool type_is_integer(enum type t)
{
    return t >= TYPE_TINYINT && t <= TYPE_BIGINT;
}

bool type_is_numeric(enum type t)
{
    return t >= TYPE_TINYINT && t <= TYPE_DOUBLE;
}

/* "(10,2)" */
static bool read_digits(const char *text, struct digits *out)
{
    const char *comma = strchr(text, ','), *end = text + strlen(text);
    uint64_t precision, scale;

    if (*text != '(' || !comma || end[-1] != ')' ||
        !decimal_read(text + 1, (size_t)(comma - text) - 1, 1, DECIMAL_DIGITS, &precision) ||
        !decimal_read(comma + 1, (size_t)(end - comma) - 2, 0, precision, &scale))
        return false;
    *out = (struct digits){(unsigned char)precision, (unsigned char)scale};
    return true;
}

bool type_read(const char *text, enum type *out, struct digits *digits)
{
    const char *decimal = names[TYPE_DECIMAL];

    *digits = (struct digits){0};
    if (strncmp(text, decimal, strlen(decimal)) != 0)
        return type_find(text, out);
    *out = TYPE_DECIMAL;
    return read_digits(text + strlen(decimal), digits);
}

const char *type_write(enum type t, struct digits digits, char out[TYPE_TEXT])
{
    int n = t == TYPE_DECIMAL
                ? snprintf(out, TYPE_TEXT, "%s(%u,%u)", names[t], digits.precision, digits.scale)
                : snprintf(out, TYPE_TEXT, "%s", names[t]);

    return n < 0 ? "" : out;
}
