/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IndexToString: the label of a truncated index; an index without one fails. Null stays null and
 * NaN is 0, until Spark 4.1: there null fails, and NaN too under ANSI.
 */
#include "../engine_priv.h"
#include "../spark_version.h"
#include "scored/java.h"

#include <math.h>

struct to_string {
    enum type type;
    struct texts labels;
    bool null_fails, nan_fails;
};

static uint64_t fail_null(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows & f->columns[u->in[0]].nulls)
    frame_fail(f, r, u, u->in[0], PROBLEM_NULL_VALUE, "'%s' is null",
               f->plan->columns[u->in[0]].name);
    return pass_nulls(u, f, rows);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct to_string *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, (x->null_fails ? fail_null : pass_nulls)(u, f, rows))
    {
        double d = column_double(c, x->type, r);
        int32_t i = j_d2i(d);
        if (i < 0 || (uint32_t)i >= x->labels.size || (x->nan_fails && isnan(d)))
            frame_fail(f, r, u, u->in[0], PROBLEM_UNSEEN_VALUE,
                       "'%s' is %.17g, there are %u labels", f->plan->columns[u->in[0]].name, d,
                       (unsigned)x->labels.size);
        else
            f->columns[u->out].text[r] = x->labels.values[i];
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct platform *p = l->plan->platform;
    struct to_string *x = params;

    (void)e;
    x->type = load_input(l)->shape.type;
    x->null_fails = spark_at_least(p, 4, 1);
    x->nan_fails = x->null_fails && p->ansi;
    m->nullable &= !x->null_fails;
    return true;
}

static const struct param params[] = {
    {"labels", PARAM_STRINGS(struct to_string, labels), .each = true},
};

const struct op op_index_to_string = {
    .name = "index_to_string",
    .class_name = SPARK_ML("feature.IndexToString"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_REAL)},
    .out = {{PORT("outputCols", IS_STRING)}},
    OP_PARAMS(params),
    .size = sizeof(struct to_string),
    .prepare = prepare,
    .run = run,
    .single = true,
};
