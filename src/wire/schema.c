/* SPDX-License-Identifier: Apache-2.0 */
#include "wire_priv.h"

static bool stands_as_it_is(const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (name[i] == '"' || name[i] == '\\' || (unsigned char)name[i] < ' ')
            return false;
    return true;
}

static bool make_members(struct schema *s, const struct plan *p, struct arena *a)
{
    struct buf json = {0};
    bool ok = true;

    for (unsigned c = 0; ok && c < p->n_columns; c++) {
        if (!p->columns[c].name)
            continue;
        buf_reset(&json);
        buf_char(&json, ',');
        buf_json_string(&json, p->columns[c].name, strlen(p->columns[c].name));
        buf_char(&json, ':');
        char *copy = json.failed ? NULL : arena_copy(a, json.data, json.len);
        ok = copy != NULL;
        s->members[c] = (struct text){copy, (uint32_t)json.len};
    }
    buf_done(&json);
    return ok;
}

struct schema *schema_new(const struct plan *p, struct arena *a)
{
    struct schema *s = arena_new(a, struct schema, 1);

    if (!s)
        return NULL;
    s->n_fields = p->n_inputs;
    s->zone = zone_read(p->platform ? p->platform->time_zone : NULL);
    s->fields = arena_new(a, struct field, p->n_inputs);
    s->names = arena_new(a, struct text, p->n_inputs);
    s->members = arena_new(a, struct text, p->n_columns);
    if (!s->fields || !s->names || !s->members)
        return NULL;
    for (uint32_t i = 0; i < s->n_fields; i++) {
        const struct plan_column *c = &p->columns[i];
        s->names[i] = (struct text){c->name, (uint32_t)strlen(c->name)};
        s->fields[i] = (struct field){
            .name = s->names[i],
            .type = c->shape.type,
            .digits = c->shape.digits,
            .nullable = c->nullable,
            .contains_null = c->contains_null,
            .plain = stands_as_it_is(s->names[i].p, s->names[i].len),
        };
    }
    return dict_build(&s->dict, s->names, s->n_fields, a) && make_members(s, p, a) ? s : NULL;
}

uint16_t schema_find(const struct schema *s, const char *name, size_t n)
{
    int64_t found = dict_find(&s->dict, name, n);

    return found == DICT_NONE ? FIELD_NONE : (uint16_t)found;
}
