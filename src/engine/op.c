/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/op.h"

#include <string.h>

#define OP(id) extern const struct op op_##id;
#include "ops.def"
#undef OP

static const struct op *const ops[] = {
#define OP(id) &op_##id,
#include "ops.def"
#undef OP
};

const struct op *op_find(const char *name)
{
    for (size_t i = 0; i < countof(ops); i++)
        if (strcmp(ops[i]->name, name) == 0)
            return ops[i];
    return NULL;
}
