/* SPDX-License-Identifier: Apache-2.0 */
#include "op.h"

#include <string.h>

#define OP(id) extern const struct op op_##id;
#include "ops.def"
#undef OP

const struct op *const op_all[] = {
#define OP(id) &op_##id,
#include "ops.def"
#undef OP
};

const unsigned op_count = countof(op_all);

const struct op *op_find(const char *name)
{
    for (size_t i = 0; i < op_count; i++)
        if (strcmp(op_all[i]->name, name) == 0)
            return op_all[i];
    return NULL;
}
