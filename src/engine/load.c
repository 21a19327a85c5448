/* SPDX-License-Identifier: Apache-2.0 */
/* What stages load with: keys, columns, units and the platform, each checked once, each error
 * naming its place. */
#include "vectors.h"

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
    const char *in[] = {op->in.key, op->second.key, NULL}, *out[OUTPUTS_MAX + 1] = {NULL},
               *params[KEYS_MAX + 1];
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
        types &= ~(unsigned)IS_REAL;
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

static bool check_type(const struct load *l, const struct port *port, const struct json *place,
                       uint16_t column, struct err *e)
{
    const struct plan_column *c = load_column(l, column);
    char wanted[128];

    if (port->types >> c->shape.type & 1)
        return true;
    return json_fail(place, e, "column '%.64s' is %s, not %s", c->name, type_name(c->shape.type),
                     types_text(port->types, wanted, sizeof wanted));
}

/* The columns of a list, of the port's types, into `out`. */
static bool resolve(const struct load *l, const struct port *port, const struct json *list,
                    uint16_t *out, struct err *e)
{
    struct json_iter it = {0};

    while (json_next(list, &it)) {
        const char *name;
        if (!json_as_string(&it.value, &name, e))
            return false;
        uint16_t c = plan_find(l->plan, name, strlen(name));
        if (c == COLUMN_NONE)
            return json_fail(&it.value, e, "there is no column '%.64s' before this stage", name);
        if (!check_type(l, port, &it.value, c, e))
            return false;
        out[it.n - 1] = c;
    }
    return true;
}

static bool get_columns(const struct load *l, const struct port *port, bool one, struct json *list,
                        struct err *e)
{
    if (!json_get_array(&l->stage->inputs, port->key, list, e))
        return false;
    if (json_size(list) > BOUND_COLUMNS)
        return json_fail(list, e, "must have at most %d elements", BOUND_COLUMNS);
    return !one || json_size(list) == 1 || json_fail(list, e, "must have 1 element");
}

/* A list of floats where vectors are taken is widened, in a hidden column. */
static bool widen(struct load *l, uint16_t *column, struct err *e)
{
    const struct plan_column *c = load_column(l, *column);
    uint16_t *in = load_new(l, uint16_t, 1);
    const struct unit u = {.run = vec_run_widened, .in = in, .n_in = 1};

    if (!type_is_array(c->shape.type) || l->op->in.types != IS_POINT)
        return true;
    if (!c->unit && c->contains_null)
        return err_set(e, ERR_BAD_BUNDLE, "column '%.64s' may not have nulls in its arrays",
                       c->name);
    if (c->shape.type != TYPE_ARRAY_FLOAT)
        return true;
    if (!in)
        return err_memory(e);
    *in = *column;
    if (!load_unit(l, NULL, shape_vector(SIZE_UNKNOWN, MOST_UNKNOWN), c->nullable, &u, e))
        return false;
    *column = load_last(l);
    return true;
}

bool load_inputs(struct load *l, bool one, struct err *e)
{
    const struct port *second = &l->op->second;
    bool two = second->key && (!second->optional || json_has(&l->stage->inputs, second->key));
    struct json list, more;

    if (!get_columns(l, &l->op->in, one, &list, e) ||
        (two && !get_columns(l, second, true, &more, e)))
        return false;
    uint32_t count = json_size(&list);
    uint16_t *out = load_new(l, uint16_t, count + two);
    if (!out)
        return err_memory(e);
    if (!resolve(l, &l->op->in, &list, out, e) ||
        (two && !resolve(l, second, &more, out + count, e)))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!widen(l, &out[i], e))
            return false;
    l->in = out;
    l->n_in = (uint16_t)(count + two);
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
    const struct plan *p = l->plan;

    if (l->op->shadows && plan_find(p, name, strlen(name)) != COLUMN_NONE)
        return true;
    for (uint32_t i = 0; i < p->n_names; i++) {
        const char *other = p->names[i].name;
        if (strcasecmp(other, name) == 0 && plan_find(p, other, strlen(other)) != COLUMN_NONE)
            return err_set(e, ERR_BAD_BUNDLE, "outputs: there is a column '%.64s' already", other);
    }
    return true;
}

static bool add_name(struct load *l, const char *name, uint16_t column, struct err *e)
{
    struct plan *p = l->plan;

    if (p->n_names >= PLAN_NAMES)
        return err_set(e, ERR_BAD_BUNDLE, "more than %d names of columns", PLAN_NAMES);
    p->names[p->n_names++] = (struct plan_name){.name = name, .column = column, .stage = l->index};
    return true;
}

bool load_drop(struct load *l, uint16_t column, struct err *e)
{
    return add_name(l, load_column(l, column)->name, COLUMN_NONE, e);
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
    l->plan->order[l->plan->n_order++] = u;
    return u;
}

bool load_unit(struct load *l, const char *name, struct shape shape, bool nullable,
               const struct unit *unit, struct err *e)
{
    struct plan *p = l->plan;

    if (p->n_columns >= BOUND_COLUMNS)
        return err_set(e, ERR_BAD_BUNDLE, "more than %d columns", BOUND_COLUMNS);
    if (name && (!check_new_name(l, name, e) || !add_name(l, name, p->n_columns, e)))
        return false;
    struct unit *u = new_unit(l, unit, e);
    if (!u)
        return false;
    u->out = p->n_columns;
    p->columns[p->n_columns++] = (struct plan_column){
        .name = l->holder ? NULL : name,
        .shape = shape,
        .nullable = nullable,
        .contains_null = type_is_array(shape.type),
        .unit = u,
        .stage = l->index,
        .root = common_root(l, u),
    };
    return true;
}

bool load_filter(struct load *l, const struct unit *unit, struct err *e)
{
    if (l->plan->n_filters >= BOUND_FILTERS)
        return err_set(e, ERR_BAD_BUNDLE, "more than %d filters", BOUND_FILTERS);
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

    if (l->holder)
        column = l->holder->promise;
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

static bool is_language(const char *language, size_t n, const char *other)
{
    return strlen(other) == n && strncmp(language, other, n) == 0;
}

static enum lower_rules rules_of(const char *language, size_t n)
{
    if (is_language(language, n, "tr") || is_language(language, n, "az"))
        return LOWER_TURKIC;
    return is_language(language, n, "lt") ? LOWER_LITHUANIAN : LOWER_PLAIN;
}

bool load_lower(struct load *l, const char *name, const char *language, size_t n,
                enum lower_rules *rules, struct err *e)
{
    const char *jdk = l->plan->platform->jdk;

    *rules = rules_of(language, n);
    if (!name || is_inexact(l, name))
        return true;
    if (strncmp(jdk, "17", 2) != 0 || strspn(jdk, "0123456789") != 2)
        return err_set(e, ERR_BAD_BUNDLE, "platform.jdk: lower case is reproduced of JDK 17");
    return !is_language(language, n, "th") ||
           err_set(e, ERR_BAD_BUNDLE, "lower case in Thai is not reproduced");
}

bool load_upper(struct load *l, const char *name, struct err *e)
{
    const char *locale = l->plan->platform->locale;
    enum lower_rules rules;

    if (!load_lower(l, name, locale, strcspn(locale, "_"), &rules, e))
        return false;
    return rules == LOWER_PLAIN || !name || is_inexact(l, name) ||
           err_set(e, ERR_BAD_BUNDLE, "upper case in locale %.16s is not reproduced", locale);
}

bool load_digits(struct load *l, const char *name, struct err *e)
{
    return !name || !l->plan->platform->shortest_digits || is_inexact(l, name) ||
           err_set(e, ERR_BAD_BUNDLE,
                   "platform.double_to_string: Double.toString is reproduced of jdk17");
}

/* -- stages -- */

static bool is_class(const struct op *op, const char *name)
{
    bool is = strcmp(name, op->class_name) == 0;

    for (unsigned i = 0; !is && i < CLASSES_MAX && op->more_classes[i]; i++)
        is = strcmp(name, op->more_classes[i]) == 0;
    return is;
}

static bool check_op(const struct load *l, struct err *e)
{
    const struct bundle_stage *s = l->stage;
    const struct op *op = l->op;

    if (!op)
        return err_set(e, ERR_BAD_BUNDLE, "unknown op '%.64s'", s->op);
    if (!is_class(op, s->class_name))
        return err_set(e, ERR_BAD_BUNDLE, "op %s goes with class %s, not '%.100s'", op->name,
                       op->class_name, s->class_name);
    if (op->out[0].key && !json_size(&s->outputs))
        return err_set(e, ERR_BAD_BUNDLE, "outputs: the stage makes no column");
    if (op->models != (s->n_models != 0))
        return err_set(e, ERR_BAD_BUNDLE, "models: op %s holds %s", op->name,
                       op->models ? "at least one" : "none");
    return true;
}

static bool load(struct load *l, struct err *e)
{
    l->op = op_find(l->stage->op);
    l->arena = l->plan->arena;
    l->params = l->stage->params;
    return check_op(l, e) && load_check_keys(l, e) && l->op->form->load(l, e);
}

bool load_stage(struct plan *p, struct bundle *b, uint16_t index, struct err *e)
{
    const struct bundle_stage *s = &b->stages[index];
    struct load l = {.plan = p, .bundle = b, .stage = s, .index = index};

    p->stages[index] = (struct plan_stage){.op = s->op, .uid = s->uid};
    return load(&l, e) || err_wrap(e, "stages[%u] '%.64s'", (unsigned)index, s->uid);
}

static bool load_within(struct load *l, const char *key, uint16_t *column, struct err *e)
{
    const char *const *names;

    if (!load(l, e))
        return false;
    for (uint16_t i = 0; i < l->n_in; i++)
        if (l->in[i] != l->holder->in[0])
            return err_set(e, ERR_BAD_BUNDLE, "inputs: must be its holder's, column '%.64s'",
                           load_column(l, l->holder->in[0])->name);
    if (!load_outputs(l, key, &names, 1, e))
        return false;
    *column = plan_find(l->plan, names[0], strlen(names[0]));
    return true;
}

bool load_model(struct load *l, uint32_t k, const char *key, uint16_t *column, struct err *e)
{
    const struct bundle_stage *s = &l->stage->models[k];
    struct load model = {
        .plan = l->plan, .bundle = l->bundle, .stage = s, .holder = l, .index = l->index};
    uint32_t n_names = l->plan->n_names;

    if (!load_within(&model, key, column, e))
        return err_wrap(e, "models[%u] '%.64s'", (unsigned)k, s->uid);
    l->plan->n_names = n_names;
    return true;
}
