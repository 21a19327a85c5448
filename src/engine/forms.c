/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of ops: which columns go in, which come out, and what is loaded for each. */
#include "engine_priv.h"

#include <string.h>

/* -- several columns -- */

static void *new_params(struct load *l, uint16_t n, struct err *e)
{
    void *params = arena_alloc(l->arena, n, l->op->size, alignof(max_align_t));

    if (!params)
        err_memory(e);
    return params;
}

/* Whether handleInvalid, which all choices of error and skip are, is skip. */
static bool skips(const struct op *op, const void *params)
{
    for (unsigned i = 0; i < op->n_params; i++)
        if (op->params[i].choices == error_skip_keep ||
            op->params[i].choices == error_skip_optimistic)
            return *(const int *)(const void *)((const char *)params + op->params[i].at) ==
                   HANDLE_SKIP;
    return false;
}

/* The op's filter, of all its columns, where it has one and it is asked for. */
static bool load_skip(struct load *l, const void *params, struct err *e)
{
    const struct unit u = {.run = l->op->filter, .params = params, .in = l->in, .n_in = l->n_in};

    return !l->op->filter || !skips(l->op, params) || load_filter(l, &u, e);
}

static unsigned char *at(const struct load *l, void *params, unsigned i)
{
    return (unsigned char *)params + i * l->op->size;
}

static enum type made_type(const struct port *port, enum type in)
{
    bool same = !port->types || port->types >> in & 1;

    return same ? in : (enum type)__builtin_ctz(port->types);
}

/* What a port makes: of its input's type where it may, and vectors of its input's size. */
static struct made make(const struct load *l, const struct port *port, const char *name)
{
    const struct shape *in = &load_input(l)->shape;
    enum type type = made_type(port, in->type);

    return (struct made){
        .name = name,
        .shape = type == TYPE_VECTOR && type == in->type ? *in : shape_of(type),
        .unit.run = port->run ? port->run : l->op->run,
        .unit.barrier = l->op->barrier,
    };
}

static bool map_column(struct load *l, const char *name, void *params, struct err *e)
{
    struct made m = make(l, &l->op->out[0], name);

    m.nullable = load_input(l)->nullable;
    m.unit.params = params;
    m.unit.in = &l->in[l->column];
    m.unit.n_in = 1;
    return (!l->op->prepare || l->op->prepare(l, params, &m, e)) && load_made(l, &m, e);
}

static bool load_map(struct load *l, struct err *e)
{
    const char *const *names;

    if (!load_inputs(l, l->op->single, e) ||
        !load_outputs(l, l->op->out[0].key, &names, l->n_in, e))
        return false;
    void *params = new_params(l, l->n_in, e);
    if (!params)
        return false;
    for (l->column = 0; l->column < l->n_in; l->column++)
        if (!load_params(l, at(l, params, l->column), e))
            return false;
    if (!load_skip(l, params, e))
        return false;
    for (l->column = 0; l->column < l->n_in; l->column++)
        if (!map_column(l, names[l->column], at(l, params, l->column), e))
            return false;
    return true;
}

static bool load_several(struct load *l, struct err *e)
{
    const char *const *names;

    if (!load_inputs(l, false, e) || !load_outputs(l, l->op->out[0].key, &names, 1, e))
        return false;
    void *params = new_params(l, 1, e);
    if (!params || !load_params(l, params, e))
        return false;
    struct made m = make(l, &l->op->out[0], names[0]);
    m.unit.params = params;
    m.unit.in = l->in;
    m.unit.n_in = l->n_in;
    return (!l->op->prepare || l->op->prepare(l, params, &m, e)) && load_skip(l, params, e) &&
           load_made(l, &m, e);
}

/* -- one column -- */

static bool output_name(struct load *l, const struct port *port, const char **name, struct err *e)
{
    const char *const *names;

    *name = NULL;
    if (!port->key || (port->optional && !json_has(&l->stage->outputs, port->key)))
        return true;
    if (!load_outputs(l, port->key, &names, 1, e))
        return false;
    *name = names[0];
    return true;
}

bool load_columns_of_one(struct load *l, void **params, struct made made[OUTPUTS_MAX],
                         struct err *e)
{
    if (!load_inputs(l, true, e))
        return false;
    *params = new_params(l, 1, e);
    if (!*params || !load_params(l, *params, e))
        return false;
    for (unsigned i = 0; i < OUTPUTS_MAX; i++) {
        const char *name;
        if (!output_name(l, &l->op->out[i], &name, e))
            return false;
        made[i] = make(l, &l->op->out[i], name);
        made[i].unit.params = *params;
        made[i].unit.in = l->in;
        made[i].unit.n_in = l->n_in;
    }
    return !l->op->prepare || l->op->prepare(l, *params, made, e);
}

static bool load_of_one(struct load *l, struct err *e)
{
    struct made made[OUTPUTS_MAX];
    void *params;

    if (!load_columns_of_one(l, &params, made, e))
        return false;
    for (unsigned i = 0; i < OUTPUTS_MAX; i++)
        if (!load_made(l, &made[i], e))
            return false;
    return true;
}

const struct form form_map = {.name = "map", .load = load_map};
const struct form form_several = {.name = "several columns", .load = load_several};
const struct form form_vector = {.name = "vector", .one_input = true, .load = load_of_one};
const struct form form_predictor = {.name = "predictor", .one_input = true, .load = load_of_one};
