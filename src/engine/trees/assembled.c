/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VectorAssembler of numbers, and the trees behind it. The assembler counts what is not zero, puts
 * it end to end, and chooses between sparse and dense; the trees then take the vector apart, a slot
 * a feature (walk.c). Where the parts are numbers, feature i is input i: each goes straight into
 * its slot, and there is no vector. Zeros that a vector drops are 0.0 to trees, as they are
 * in a slot. Rows fail as the assembler has them fail.
 */
#include "assembled.h"

#include "../assembler.h"
#include "forest.h"

#include <math.h>

/* Every feature that trees ask for is a number's own. */
static bool fits(const struct plan *p, const struct unit *first, const struct unit *second)
{
    const struct assembler *a = first->params;
    const struct forest *x = second->params;

    (void)p;
    for (unsigned i = 0; i < first->n_in; i++)
        if (a->parts[i].type == TYPE_VECTOR)
            return false;
    return x->n_features <= first->n_in;
}

/* Under keep, what is null is NaN. */
static void put_numbers(const struct unit *u, const struct frame *f, unsigned row, uint32_t n,
                        int64_t *keys)
{
    const struct assembler *a = ((const struct fusion *)u->params)->first->params;

    for (uint32_t i = 0; i < n; i++) {
        const struct column *c = &f->columns[u->in[i]];
        bool null = c->nulls & row_bit(row);
        keys[i] = forest_order(null ? (double)NAN : column_double(c, a->parts[i].type, row));
    }
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct fusion *both = u->params;
    const struct forest *x = both->second->params;

    FOR_ROWS(r, rows)
    {
        if (assembler_refuses(both->first, f, r))
            continue;
        struct forest_row *row = forest_new_slots(x, f, u->out, r);
        put_numbers(u, f, r, x->n_features, &row->keys[FEATURE_SLOT]);
        forest_finish_row(x, row);
    }
}

const struct fusion_rule fusion_assembled = {
    .first = assembler_run, .second = forest_run_slots, .fits = fits, .run = run};
