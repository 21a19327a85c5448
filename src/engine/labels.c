/* SPDX-License-Identifier: Apache-2.0 */
#include "labels.h"

#include "engine_priv.h"
#include "scored/java.h"

#include <stdio.h>
#include <strings.h>

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct texts *labels = u->params;

    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        double class = f->columns[u->in[0]].f64[r];
        int32_t i = j_d2i(class);
        if (i >= 0 && (uint32_t)i < labels->size)
            f->columns[u->out].text[r] = labels->values[i];
        else
            frame_fail(f, r, u, u->in[0], PROBLEM_UNSEEN_VALUE, "class %.17g has no label", class);
    }
}

static bool is_taken(const struct plan *p, const char *name)
{
    for (uint32_t i = 0; i < p->n_names; i++)
        if (strcasecmp(p->names[i].name, name) == 0)
            return true;
    return false;
}

/* "": another column has the name, or it would be too long. NULL: no memory. */
static const char *free_name(const struct plan *p, const char *column)
{
    char name[BOUND_NAME + 1];
    int n = snprintf(name, sizeof name, "%s_label", column);

    if (n < 0 || n > BOUND_NAME || is_taken(p, name) || p->n_columns >= BOUND_COLUMNS ||
        p->n_names >= PLAN_NAMES)
        return "";
    return arena_copy(p->arena, name, (size_t)n);
}

static bool read_labels(struct plan *p, const struct json *list, struct texts *to, struct err *e)
{
    struct json_iter it = {0};
    struct text *labels = arena_new(p->arena, struct text, json_size(list));

    if (!labels)
        return err_memory(e);
    while (json_next(list, &it)) {
        const char *label;
        if (!json_as_string(&it.value, &label, e))
            return false;
        labels[it.n - 1] = (struct text){label, (uint32_t)strlen(label)};
    }
    *to = (struct texts){it.n, labels};
    return true;
}

static bool add(struct plan *p, uint16_t class, const char *name, const struct json *list,
                struct err *e)
{
    struct unit *u = arena_new(p->arena, struct unit, 1);
    uint16_t *in = arena_new(p->arena, uint16_t, 1);
    struct texts *labels = arena_new(p->arena, struct texts, 1);
    struct plan_column *from = &p->columns[class];

    if (!u || !in || !labels)
        return err_memory(e);
    if (!read_labels(p, list, labels, e))
        return false;
    *in = class;
    *u = (struct unit){.run = run,
                       .params = labels,
                       .in = in,
                       .n_in = 1,
                       .out = p->n_columns,
                       .stage = from->stage};
    p->names[p->n_names++] =
        (struct plan_name){.name = name, .column = p->n_columns, .stage = from->stage};
    p->columns[p->n_columns++] = (struct plan_column){.name = name,
                                                      .shape = shape_of(TYPE_STRING),
                                                      .nullable = from->nullable,
                                                      .unit = u,
                                                      .stage = from->stage,
                                                      .root = from->root};
    p->n_labels++;
    return true;
}

bool plan_add_labels(struct plan *p, const struct bundle *b, struct err *e)
{
    struct json_iter it = {0};

    while (b->labels.node && json_next(&b->labels, &it)) {
        uint16_t class = plan_find(p, it.value.key, strlen(it.value.key));
        if (class == COLUMN_NONE || class < p->n_inputs ||
            p->columns[class].shape.type != TYPE_DOUBLE)
            continue;
        const char *name = free_name(p, it.value.key);
        if (!name)
            return err_memory(e);
        if (*name && !add(p, class, name, &it.value, e))
            return false;
    }
    return true;
}
