/* SPDX-License-Identifier: Apache-2.0 */
/* VectorAssembler, for its op and for what is fused with it. */
#ifndef SCORED_ASSEMBLER_H
#define SCORED_ASSEMBLER_H

#include "op.h"

struct part {
    enum type type;
    bool unknown;    /* its length */
    uint32_t length; /* entries of a null under keep */
};

struct assembler {
    const struct part *parts; /* one an input */
    enum handle_invalid invalid;
    enum platform_compressed rule;
    uint32_t most; /* values put of a row; MOST_UNKNOWN: what its vectors store is to be counted */
};

unit_run assembler_run;

/* Whether the row fails, of a null or NaN: never under keep. */
bool assembler_refuses(const struct unit *u, struct frame *f, unsigned row);

#endif
