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
    const struct text *labels;
    uint32_t n;
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
        if (i < 0 || (uint32_t)i >= x->n || (x->nan_fails && isnan(d)))
            frame_fail(f, r, u, u->in[0], PROBLEM_UNSEEN_VALUE,
                       "'%s' is %.17g, there are %u labels", f->plan->columns[u->in[0]].name, d,
                       (unsigned)x->n);
        else
            f->columns[u->out].text[r] = x->labels[i];
    }
}

static bool load(struct load *l, struct err *e)
{
    const struct platform *p = l->plan->platform;
    struct to_string *x = load_new(l, struct to_string, 1);
    const char *const *names;
    const uint16_t *columns;
    uint16_t n;

    if (!x)
        return err_memory(e);
    if (!load_inputs(l, "inputCols", &columns, &n, e) ||
        !load_outputs(l, "outputCols", &names, 1, e))
        return false;
    if (n != 1)
        return err_set(e, ERR_BAD_BUNDLE, "inputs.inputCols: must have 1 element");
    if (!load_numeric(l, 0, columns[0], &x->type, e) || !load_labels(l, 0, &x->labels, &x->n, e))
        return false;
    x->null_fails = spark_at_least(p, 4, 1);
    x->nan_fails = x->null_fails && p->ansi;
    const struct unit u = {.run = run, .params = x, .in = columns, .n_in = 1};
    bool nullable = load_column(l, columns[0])->nullable && !x->null_fails;
    return load_unit(l, names[0], shape_string, nullable, &u, e);
}

const struct op op_index_to_string = {
    .name = "index_to_string",
    .class_name = "feature.IndexToString",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"labels", NULL},
    .load = load,
};
