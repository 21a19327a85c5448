/* SPDX-License-Identifier: Apache-2.0 */
/* What stages load with: keys, columns, units and the platform, each checked once, each error
 * naming its place. */
#include "engine_priv.h"

#include "scored/blas.h"
#include "scored/bounds.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* -- keys -- */

enum { KEYS_MAX = 16 };

static bool check_keys(const struct json *map, const char *what, const char *const *keys,
                       struct err *e)
{
    return json_only(map, keys, e) || err_wrap(e, "%s", what);
}

bool load_check_keys(const struct load *l, struct err *e)
{
    const struct op *op = l->op;
    const char *in[] = {op->in.key, NULL}, *out[OUTPUTS_MAX + 1] = {NULL}, *params[KEYS_MAX + 1];
    unsigned n = 0;

    for (unsigned i = 0; i < OUTPUTS_MAX; i++)
        out[i] = op->out[i].key;
    for (unsigned i = 0; i < op->n_params; i++)
        if (!op->params[i].kind->only_blocks && n < KEYS_MAX)
            params[n++] = op->params[i].name;
    params[n] = NULL;
    return check_keys(&l->stage->inputs, "inputs", in, e) &&
           check_keys(&l->stage->outputs, "outputs", out, e) &&
           check_keys(&l->params, "params", params, e);
}

/* -- columns -- */

/* "a string or a number" */
static const char *types_text(unsigned types, char *out, size_t size)
{
    const char *names[TYPE_COUNT + 1];
    size_t n = 0, at = 0;

    if ((types & IS_NUMERIC) == IS_NUMERIC) {
        names[n++] = "a number";
        types &= ~(unsigned)IS_NUMERIC;
    }
    for (unsigned t = 0; t < TYPE_COUNT; t++)
        if (types >> t & 1)
            names[n++] = type_name((enum type)t);
    for (size_t i = 0; i < n && at < size; i++) {
        const char *between = i == 0 ? "" : i + 1 == n ? " or " : ", ";
        int wrote = snprintf(out + at, size - at, "%s%s", between, names[i]);
        at += wrote < 0 ? size : (size_t)wrote;
    }
    return out;
}

static bool check_type(const struct load *l, const struct json *place, uint16_t column,
                       struct err *e)
{
    const struct plan_column *c = load_column(l, column);
    char wanted[128];

    if (l->op->in.types >> c->shape.type & 1)
        return true;
    return json_fail(place, e, "column '%.64s' is %s, not %s", c->name, type_name(c->shape.type),
                     types_text(l->op->in.types, wanted, sizeof wanted));
}

bool load_inputs(struct load *l, bool one, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->stage->inputs, l->op->in.key, &list, e))
        return false;
    uint32_t count = json_size(&list);
    if (count > BOUND_COLUMNS)
        return json_fail(&list, e, "must have at most %d elements", BOUND_COLUMNS);
    if (one && count != 1)
        return json_fail(&list, e, "must have 1 element");
    uint16_t *out = load_new(l, uint16_t, count);
    if (!out)
        return err_memory(e);
    while (json_next(&list, &it)) {
        const char *name;
        if (!json_as_string(&it.value, &name, e))
            return false;
        uint16_t c = plan_find(l->plan, name, strlen(name));
        if (c == COLUMN_NONE)
            return json_fail(&it.value, e, "there is no column '%.64s' before this stage", name);
        if (!check_type(l, &it.value, c, e))
            return false;
        out[it.n - 1] = c;
    }
    l->in = out;
    l->n_in = (uint16_t)count;
    return true;
}

bool load_outputs(struct load *l, const char *key, const char *const **names, uint16_t n,
                  struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->stage->outputs, key, &list, e))
        return false;
    if (json_size(&list) != n)
        return json_fail(&list, e, "must have %u elements, one an input", (unsigned)n);
    const char **out = load_new(l, const char *, n);
    if (!out)
        return err_memory(e);
    while (json_next(&list, &it))
        if (!json_as_string(&it.value, &out[it.n - 1], e))
            return false;
    *names = out;
    return true;
}

/* Spark replaces columns that are equal but for case, by its settings: refused. */
static bool check_new_name(const struct load *l, const char *name, struct err *e)
{
    for (unsigned c = 0; c < l->plan->n_columns; c++) {
        const char *other = l->plan->columns[c].name;
        if (other && strcasecmp(other, name) == 0)
            return err_set(e, ERR_BAD_BUNDLE, "outputs: there is a column '%.64s' already", other);
    }
    return true;
}

static uint16_t common_root(const struct load *l, const struct unit *u)
{
    uint16_t root = u->n_in ? load_column(l, u->in[0])->root : COLUMN_NONE;

    for (unsigned i = 1; i < u->n_in; i++)
        if (load_column(l, u->in[i])->root != root)
            return COLUMN_NONE;
    return root;
}

static struct unit *new_unit(struct load *l, const struct unit *from, struct err *e)
{
    struct unit *u = load_new(l, struct unit, 1);

    if (!u) {
        err_memory(e);
        return NULL;
    }
    *u = *from;
    u->stage = l->index;
    u->barrier = l->op->barrier;
    l->plan->order[l->plan->n_order++] = u;
    return u;
}

bool load_unit(struct load *l, const char *name, struct shape shape, bool nullable,
               const struct unit *unit, struct err *e)
{
    struct plan *p = l->plan;

    if (p->n_columns >= BOUND_COLUMNS)
        return err_set(e, ERR_BAD_BUNDLE, "more than %d columns", BOUND_COLUMNS);
    if (name && !check_new_name(l, name, e))
        return false;
    struct unit *u = new_unit(l, unit, e);
    if (!u)
        return false;
    u->out = p->n_columns;
    p->columns[p->n_columns++] = (struct plan_column){
        .name = name,
        .shape = shape,
        .nullable = nullable,
        .unit = u,
        .stage = l->index,
        .root = common_root(l, u),
    };
    return true;
}

bool load_filter(struct load *l, const struct unit *unit, struct err *e)
{
    struct unit *u = new_unit(l, unit, e);

    if (!u)
        return false;
    u->out = COLUMN_NONE;
    l->plan->filters[l->plan->n_filters++] = u;
    return true;
}

bool load_made(struct load *l, const struct made *m, struct err *e)
{
    return !m->name || load_unit(l, m->name, m->shape, m->nullable, &m->unit, e);
}

bool load_column_categories(struct load *l, const struct texts *values, enum handle_invalid unseen,
                            struct err *e)
{
    struct plan_column *c = &l->plan->columns[l->in[l->column]];
    struct categories *x = load_new(l, struct categories, 1);

    if (!x)
        return err_memory(e);
    *x = (struct categories){values->values, values->size, error_skip_keep[unseen].name};
    if (!c->categories)
        c->categories = x;
    return true;
}

/* -- platform -- */

static bool is_inexact(const struct load *l, const char *column)
{
    struct json entry;
    struct err ignored;
    const char *tier;

    return json_get_object(&l->bundle->exactness, column, &entry, &ignored) &&
           json_get_string(&entry, "tier", &tier, &ignored) && strcmp(tier, "ulp") == 0;
}

bool load_blas(struct load *l, const char *name, const struct blas **out, struct err *e)
{
    *out = blas_java11();
    if (!name || l->plan->platform->blas == BLAS_JAVA11 || is_inexact(l, name))
        return true;
    return err_set(e, ERR_BAD_BUNDLE,
                   "platform.blas: only java11 is reproduced; export where Spark runs Java11BLAS");
}

bool load_libm(struct load *l, const char *name, struct err *e)
{
    if (!name || strcmp(l->plan->platform->libm, "hotspot-x86") == 0 || is_inexact(l, name))
        return true;
    return err_set(e, ERR_BAD_BUNDLE,
                   "platform.libm: only hotspot-x86 is reproduced; export on x86-64 with HotSpot");
}

bool load_pow(struct load *l, const char *name, enum jmath_cpu *cpu, struct err *e)
{
    const char *vendor = l->plan->platform->cpu_vendor;
    bool intel = strcmp(vendor, "GenuineIntel") == 0;

    *cpu = intel ? JMATH_INTEL : JMATH_AMD;
    if (name && !intel && strcmp(vendor, "AuthenticAMD") != 0 && !is_inexact(l, name))
        return err_set(e, ERR_BAD_BUNDLE,
                       "platform.cpu_vendor: pow is reproduced of GenuineIntel and AuthenticAMD");
    return load_libm(l, name, e);
}
