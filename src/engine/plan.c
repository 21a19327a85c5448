/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a bundle to a plan. Columns are numbered as they are made, so a unit reads only lower
 * numbers.
 */
#include "engine_priv.h"
#include "fuse.h"

#include "labels.h"
#include "scored/bounds.h"
#include "scored/buf.h"

#include <strings.h>

/* -- columns -- */

/* The last entry of a name; NULL: there was none. */
static const struct plan_name *find_name(const struct plan *p, const char *name, size_t n)
{
    if (p->index.keys) {
        int64_t i = dict_find(&p->index, name, n);
        return i == DICT_NONE ? NULL : &p->names[i];
    }
    for (uint32_t i = p->n_names; i-- > 0;) {
        const char *other = p->names[i].name;
        if (strlen(other) == n && memcmp(other, name, n) == 0)
            return &p->names[i];
    }
    return NULL;
}

uint16_t plan_find(const struct plan *p, const char *name, size_t n)
{
    const struct plan_name *found = find_name(p, name, n);

    return found ? found->column : COLUMN_NONE;
}

uint16_t plan_dropped(const struct plan *p, const char *name, size_t n)
{
    const struct plan_name *found = find_name(p, name, n);

    return found && found->column == COLUMN_NONE ? found->stage : COLUMN_NONE;
}

static bool is_dropped_later(const struct plan *p, uint32_t i)
{
    for (uint32_t k = i + 1; k < p->n_names; k++)
        if (p->names[k].column == COLUMN_NONE && !strcmp(p->names[k].name, p->names[i].name))
            return true;
    return false;
}

/* What the name stands for at the end, if a stage has made it. */
static void note_added(struct plan *p, uint32_t i)
{
    uint16_t c = plan_find(p, p->names[i].name, strlen(p->names[i].name));

    if (c == COLUMN_NONE || c < p->n_inputs || column_in(&p->all, c) || is_dropped_later(p, i))
        return;
    column_add(&p->all, c);
    p->added[p->n_added++] = c;
}

/* When all names are there: what each means at the end is `all`, but for inputs. */
static bool index_names(struct plan *p, struct err *e)
{
    struct text *keys = arena_new(p->arena, struct text, p->n_names);

    p->added = arena_new(p->arena, uint16_t, p->n_names);
    if (!keys || !p->added)
        return err_memory(e);
    for (uint32_t i = 0; i < p->n_names; i++)
        keys[i] = (struct text){p->names[i].name, (uint32_t)strlen(p->names[i].name)};
    if (!dict_build(&p->index, keys, p->n_names, p->arena))
        return err_memory(e);
    for (uint32_t i = 0; i < p->n_names - p->n_labels; i++)
        note_added(p, i);
    return true;
}

static bool add_inputs(struct plan *p, const struct bundle *b, struct err *e)
{
    for (uint32_t i = 0; i < b->n_inputs; i++) {
        const struct bundle_column *c = &b->inputs[i];
        for (uint32_t k = 0; k < i; k++)
            if (strcasecmp(b->inputs[k].name, c->name) == 0)
                return err_set(e, ERR_BAD_BUNDLE,
                               "input[%u]: '%.64s' stands twice, maybe in another case",
                               (unsigned)i, c->name);
        if ((c->type == TYPE_DATE || c->type == TYPE_TIMESTAMP) && !b->platform.time_zone)
            return err_set(e, ERR_BAD_BUNDLE, "platform: missing key 'time_zone', by input '%.64s'",
                           c->name);
        /* A request may send a vector of another size than the sample's, as rows of a frame may. */
        p->names[p->n_names++] =
            (struct plan_name){.name = c->name, .column = (uint16_t)i, .stage = COLUMN_NONE};
        p->columns[p->n_columns++] = (struct plan_column){
            .name = c->name,
            .shape = {.type = c->type,
                      .size = SIZE_UNKNOWN,
                      .most = MOST_UNKNOWN,
                      .digits = c->digits},
            .nullable = c->nullable,
            .contains_null = c->contains_null,
            .stage = COLUMN_NONE,
            .root = (uint16_t)i,
        };
    }
    p->n_inputs = (uint16_t)b->n_inputs;
    return true;
}

/* -- building -- */

static bool check_type(const struct shape *s, const struct bundle_column *o, struct err *e)
{
    char made[TYPE_TEXT], told[TYPE_TEXT];

    type_write(s->type, s->digits, made);
    type_write(o->type, o->digits, told);
    return strcmp(made, told) == 0 ||
           err_set(e, ERR_BAD_BUNDLE, "column '%.64s' is %s, not %s", o->name, made, told);
}

/* A size that both the plan and the manifest know is the same. */
static bool check_size(const struct plan *p, uint16_t c, const struct bundle_column *o,
                       struct err *e)
{
    int64_t size = p->columns[c].shape.size;

    return o->size == SIZE_UNKNOWN || size == SIZE_UNKNOWN || o->size == size ||
           err_set(e, ERR_BAD_BUNDLE, "column '%.64s' has size %lld, not %lld", o->name,
                   (long long)size, (long long)o->size);
}

static bool add_outputs(struct plan *p, const struct bundle *b, struct err *e)
{
    p->outputs = arena_new(p->arena, uint16_t, b->n_outputs);
    if (!p->outputs)
        return err_memory(e);
    for (uint32_t i = 0; i < b->n_outputs; i++) {
        const struct bundle_column *o = &b->outputs[i];
        uint16_t c = plan_find(p, o->name, strlen(o->name));
        uint16_t dropped = plan_dropped(p, o->name, strlen(o->name));
        if (dropped != COLUMN_NONE)
            return err_set(e, ERR_BAD_BUNDLE, "output[%u]: stage '%.64s' drops column '%.64s'",
                           (unsigned)i, p->stages[dropped].uid, o->name);
        if (c == COLUMN_NONE || c < p->n_inputs || plan_is_label(p, c))
            return err_set(e, ERR_BAD_BUNDLE, "output[%u]: no stage makes a column '%.64s'",
                           (unsigned)i, o->name);
        if (!check_type(&p->columns[c].shape, o, e))
            return err_wrap(e, "output[%u]", (unsigned)i);
        if (column_in(&p->defaults, c))
            return err_set(e, ERR_BAD_BUNDLE, "output[%u]: '%.64s' stands twice", (unsigned)i,
                           o->name);
        if (!check_size(p, c, o, e))
            return err_wrap(e, "output[%u]", (unsigned)i);
        column_add(&p->defaults, c);
        p->outputs[i] = c;
    }
    p->n_outputs = (uint16_t)b->n_outputs;
    return true;
}

/* An entry of exactness for every name that stages add, kept, shadowed or dropped, and for no
 * other.
 */
static bool check_exactness(struct plan *p, const struct bundle *b, struct err *e)
{
    bool *seen = arena_new(p->arena, bool, p->n_names);
    unsigned added = 0;

    if (!seen)
        return err_memory(e);
    for (uint32_t i = p->n_inputs; i < p->n_names - p->n_labels; i++) {
        const char *name = p->names[i].name;
        int64_t last = dict_find(&p->index, name, strlen(name));
        if (p->names[i].column == COLUMN_NONE || last == DICT_NONE || seen[last])
            continue;
        seen[last] = true;
        added++;
        if (!json_has(&b->exactness, name))
            return err_set(e, ERR_BAD_BUNDLE, "exactness: no entry for column '%.64s'", name);
    }
    return added == json_size(&b->exactness) ||
           err_set(e, ERR_BAD_BUNDLE, "exactness: %u entries for %u columns",
                   (unsigned)json_size(&b->exactness), added);
}

/* Labels are of classes, which are values of a scalar, or elements of a vector. */
static bool check_labels(const struct plan *p, const struct bundle *b, struct err *e)
{
    struct json_iter it = {0};

    while (b->labels.node && json_next(&b->labels, &it)) {
        const char *name = it.value.key;
        uint16_t c = plan_find(p, name, strlen(name));
        if (c == COLUMN_NONE || c < p->n_inputs)
            return err_set(e, ERR_BAD_BUNDLE, "labels: no stage makes a column '%.64s'", name);
        const struct shape *shape = &p->columns[c].shape;
        if (shape->type != TYPE_DOUBLE && shape->type != TYPE_VECTOR)
            return err_set(e, ERR_BAD_BUNDLE, "labels: column '%.64s' is %s, not double or vector",
                           name, type_name(shape->type));
        if (shape->type == TYPE_VECTOR && shape->size != SIZE_UNKNOWN &&
            shape->size != json_size(&it.value))
            return err_set(e, ERR_BAD_BUNDLE, "labels: column '%.64s' has size %lld, not %u", name,
                           (long long)shape->size, (unsigned)json_size(&it.value));
    }
    return true;
}

static bool build(struct plan *p, struct bundle *b, struct err *e)
{
    p->columns = arena_new(p->arena, struct plan_column, BOUND_COLUMNS);
    p->stages = arena_new(p->arena, struct plan_stage, b->n_stages);
    p->names = arena_new(p->arena, struct plan_name, PLAN_NAMES);
    p->order = arena_new(p->arena, struct unit *, BOUND_COLUMNS + BOUND_FILTERS);
    p->filters = arena_new(p->arena, struct unit *, BOUND_FILTERS);
    if (!p->columns || !p->stages || !p->names || !p->order || !p->filters)
        return err_memory(e);
    if (!add_inputs(p, b, e))
        return false;
    p->n_stages = (uint16_t)b->n_stages;
    for (uint16_t i = 0; i < p->n_stages; i++)
        if (!load_stage(p, b, i, e))
            return false;
    return plan_add_labels(p, b, e) && index_names(p, e) && bundle_all_used(b, e) &&
           add_outputs(p, b, e) && check_labels(p, b, e) && check_exactness(p, b, e);
}

static const struct program *new_program(const struct plan *p, const struct column_set *asked)
{
    struct program *program =
        arena_alloc(p->arena, 1, plan_program_size(p), alignof(struct program));

    if (program)
        plan_program(p, asked, program);
    return program;
}

bool plan_build(struct plan *p, struct bundle *b, struct arena *arena,
                const struct plan_options *options, struct err *e)
{
    *p = (struct plan){.arena = arena, .platform = &b->platform, .kernel = options->kernel};
    if (!build(p, b, e) || !plan_layout(p, options->most, options->frame_rows, e))
        return false;
    if (!options->no_fuse && !fusions_find(p, e))
        return false;
    p->program = new_program(p, &p->defaults);
    p->program_all = new_program(p, &p->all);
    return (p->program && p->program_all) || err_memory(e);
}
