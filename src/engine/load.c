/* SPDX-License-Identifier: Apache-2.0 */
/* What ops load with: columns, units and the platform, each checked once, each error naming its
 * place. */
#include "engine_priv.h"

#include "scored/blas.h"
#include "scored/bounds.h"

#include <string.h>
#include <strings.h>

/* -- columns -- */

bool load_inputs(struct load *l, const char *key, const uint16_t **columns, uint16_t *n,
                 struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->stage->inputs, key, &list, e))
        return false;
    uint32_t count = json_size(&list);
    if (count > BOUND_COLUMNS)
        return json_fail(&list, e, "must have at most %d elements", BOUND_COLUMNS);
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
        out[it.n - 1] = c;
    }
    *columns = out;
    *n = (uint16_t)count;
    return true;
}

bool load_input(struct load *l, const char *key, enum type type, uint16_t *column, struct err *e)
{
    const uint16_t *columns;
    uint16_t n;

    if (!load_inputs(l, key, &columns, &n, e))
        return false;
    if (n != 1)
        return err_set(e, ERR_BAD_BUNDLE, "inputs.%s: must have 1 element", key);
    const struct plan_column *c = load_column(l, columns[0]);
    if (c->shape.type != type)
        return err_set(e, ERR_BAD_BUNDLE, "inputs.%s: column '%.64s' is %s, not %s", key, c->name,
                       type_name(c->shape.type), type_name(type));
    *column = columns[0];
    return true;
}

bool load_numeric(struct load *l, uint16_t i, uint16_t column, enum type *type, struct err *e)
{
    const struct plan_column *c = load_column(l, column);

    *type = c->shape.type;
    return type_is_numeric(*type) ||
           err_set(e, ERR_BAD_BUNDLE, "inputs.inputCols[%u]: column '%.64s' is %s, not a number",
                   (unsigned)i, c->name, type_name(*type));
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

bool load_output(struct load *l, const char *key, const char **name, struct err *e)
{
    const char *const *names;

    *name = NULL;
    if (!json_has(&l->stage->outputs, key))
        return true;
    if (!load_outputs(l, key, &names, 1, e))
        return false;
    *name = names[0];
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

uint64_t fail_nulls(const struct unit *u, struct frame *f, uint64_t rows)
{
    uint64_t nulls = f->columns[u->in[0]].nulls & rows;

    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, nulls)
    frame_fail(f, r, u, u->in[0], PROBLEM_NULL_VALUE, "the vector is null");
    return rows & ~nulls;
}

uint64_t fail_sizes(const struct unit *u, struct frame *f, uint64_t rows, uint32_t size)
{
    const struct vec *v = f->columns[u->in[0]].vec;

    FOR_ROWS(r, rows)
    {
        if (v[r].size == size)
            continue;
        rows &= ~row_bit(r);
        frame_fail(f, r, u, u->in[0], PROBLEM_SIZE_MISMATCH,
                   "a vector of %u entries, the model has %u", (unsigned)v[r].size, (unsigned)size);
    }
    return rows;
}

/* -- platform -- */

static bool is_inexact(const struct load *l, const char *column)
{
    struct json entry;
    struct err ignored;
    const char *tier;

    return column && json_get_object(&l->bundle->exactness, column, &entry, &ignored) &&
           json_get_string(&entry, "tier", &tier, &ignored) && strcmp(tier, "ulp") == 0;
}

bool load_blas(struct load *l, const char *name, const struct blas **out, struct err *e)
{
    *out = blas_java11();
    if (l->plan->platform->blas == BLAS_JAVA11 || is_inexact(l, name))
        return true;
    return err_set(e, ERR_BAD_BUNDLE,
                   "platform.blas: only java11 is reproduced; export where Spark runs Java11BLAS");
}

bool load_libm(struct load *l, const char *name, struct err *e)
{
    if (strcmp(l->plan->platform->libm, "hotspot-x86") == 0 || is_inexact(l, name))
        return true;
    return err_set(e, ERR_BAD_BUNDLE,
                   "platform.libm: only hotspot-x86 is reproduced; export on x86-64 with HotSpot");
}

bool load_pow(struct load *l, const char *name, enum jmath_cpu *cpu, struct err *e)
{
    const char *vendor = l->plan->platform->cpu_vendor;
    bool intel = strcmp(vendor, "GenuineIntel") == 0;

    *cpu = intel ? JMATH_INTEL : JMATH_AMD;
    if (!intel && strcmp(vendor, "AuthenticAMD") != 0 && !is_inexact(l, name))
        return err_set(e, ERR_BAD_BUNDLE,
                       "platform.cpu_vendor: pow is reproduced of GenuineIntel and AuthenticAMD");
    return load_libm(l, name, e);
}
