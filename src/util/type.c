/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/type.h"

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
