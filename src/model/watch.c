/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/watch.h"

#include "scored/bounds.h"
#include "scored/json.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { LINE = 64, QUANTILES = 101, EACH = 100 / WATCH_BOUNDS };

typedef _Atomic uint64_t counter;

/* Training's range of an input of numbers. */
struct range {
    uint16_t input;
    enum type type;
    bool has_nans;
    double low, high;
};

/* Training's categories of an input of texts: hashes of 64 bits, for that a new one has the hash of
 * another is not to be expected. */
struct set {
    uint16_t input;
    uint32_t mask;
    uint64_t *hashes; /* open addressing; 0: a free place */
};

struct field_cells {
    counter missing, unlike;
};

struct cells {
    _Alignas(LINE) struct field_cells *fields;
    counter predictions[WATCH_BOUNDS + 1];
    _Atomic double sum;
};

struct watch {
    const struct plan *plan;
    struct range *ranges;
    struct set *sets;
    double *shares;      /* of missing values, by input; negative: not known */
    struct cells *cells; /* by thread */
    unsigned n_threads, n_bounds, n_ranges, n_sets;
    uint16_t column; /* of the prediction, or COLUMN_NONE */
    double bounds[WATCH_BOUNDS], trained[WATCH_BOUNDS];
};

/* -- the profile -- */

static bool is_number(enum type t)
{
    return type_is_integer(t) || t == TYPE_DOUBLE || t == TYPE_FLOAT;
}

static void learn_range(struct watch *w, unsigned i, const struct json *v)
{
    struct range r = {.input = (uint16_t)i, .type = w->plan->columns[i].shape.type};
    struct err e;
    double nans = 0;

    if (!json_has(v, "min") || !json_has(v, "max") || !json_get_double(v, "min", &r.low, &e) ||
        !json_get_double(v, "max", &r.high, &e) || !(r.low <= r.high))
        return;
    r.has_nans = json_has(v, "nans") && json_get_double(v, "nans", &nans, &e) && nans > 0;
    w->ranges[w->n_ranges++] = r;
}

static uint64_t hash_of(const char *p, size_t n)
{
    uint64_t h = hash_bytes(p, n, 0);

    return h ? h : 1;
}

/* Where the hash is, or would be. */
static uint64_t *place(const struct set *s, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & s->mask;

    while (s->hashes[i] && s->hashes[i] != hash)
        i = (i + 1) & s->mask;
    return &s->hashes[i];
}

/* [value, count] */
static bool keep_category(const struct set *s, const struct json *pair)
{
    struct json_iter it = {0};
    const char *text;
    struct err e;

    if (!json_is_array(pair) || !json_next(pair, &it) || !json_as_string(&it.value, &text, &e))
        return false;
    uint64_t hash = hash_of(text, strlen(text));
    *place(s, hash) = hash;
    return true;
}

/* All of them, or it could not be told which are new. */
static void learn_set(struct watch *w, unsigned i, const struct json *v, struct arena *arena)
{
    struct set s = {.input = (uint16_t)i, .mask = 3};
    struct json list;
    struct json_iter it = {0};
    double other = 1;
    struct err e;

    if (!json_has(v, "categories") || !json_get_array(v, "categories", &list, &e) ||
        !json_get_double(v, "other", &other, &e) || other > 0)
        return;
    while (s.mask < 4 * json_size(&list))
        s.mask = s.mask * 2 + 1;
    s.hashes = arena_new(arena, uint64_t, (size_t)s.mask + 1);
    while (s.hashes && json_next(&list, &it))
        if (!keep_category(&s, &it.value))
            return;
    if (s.hashes)
        w->sets[w->n_sets++] = s;
}

static void learn_input(struct watch *w, unsigned i, const struct json *columns, double rows,
                        struct arena *arena)
{
    const struct plan_column *c = &w->plan->columns[i];
    struct json v;
    double nulls;
    struct err e;

    if (!json_has(columns, c->name) || !json_get_object(columns, c->name, &v, &e))
        return;
    if (rows > 0 && json_has(&v, "nulls") && json_get_double(&v, "nulls", &nulls, &e))
        w->shares[i] = nulls / rows;
    if (is_number(c->shape.type))
        learn_range(w, i, &v);
    else if (c->shape.type == TYPE_STRING)
        learn_set(w, i, &v, arena);
}

/* Every fifth of the hundred quantiles, each once, with the share that is at most it: where many
 * predictions were alike, that of the last. */
static void learn_bounds(struct watch *w, const struct json *v)
{
    struct json list;
    struct json_iter it = {0};
    double x;
    struct err e;

    if (!json_get_array(v, "quantiles", &list, &e) || json_size(&list) != QUANTILES)
        return;
    while (json_next(&list, &it) && json_as_double(&it.value, &x, &e)) {
        bool more = !w->n_bounds || x > w->bounds[w->n_bounds - 1];
        if (it.n > 1 && (it.n - 1) % EACH == 0 && isfinite(x) && more)
            w->bounds[w->n_bounds++] = x;
        if (w->n_bounds && x <= w->bounds[w->n_bounds - 1])
            w->trained[w->n_bounds - 1] = (double)(it.n - 1) / 100;
    }
}

/* The first default output that is a number, and that the profile knows. */
static void learn_predictions(struct watch *w, const struct json *outputs)
{
    const struct plan *p = w->plan;
    struct json v;
    struct err e;

    for (unsigned i = 0; i < p->n_outputs && w->column == COLUMN_NONE; i++) {
        const struct plan_column *c = &p->columns[p->outputs[i]];
        if (!is_number(c->shape.type) || !json_has(outputs, c->name) ||
            !json_get_object(outputs, c->name, &v, &e) || !json_has(&v, "quantiles"))
            continue;
        learn_bounds(w, &v);
        w->column = p->outputs[i];
    }
}

static void learn(struct watch *w, const struct json *root, struct arena *arena)
{
    struct json columns, outputs;
    double rows = 0;
    struct err e;

    if (json_has(root, "rows") && !json_get_double(root, "rows", &rows, &e))
        rows = 0;
    if (json_get_object(root, "columns", &columns, &e))
        for (unsigned i = 0; i < w->plan->n_inputs; i++)
            learn_input(w, i, &columns, rows, arena);
    if (json_get_object(root, "outputs", &outputs, &e))
        learn_predictions(w, &outputs);
}

/* One that knows nothing. */
static struct watch *new_watch(const struct plan *p, unsigned threads, struct arena *arena)
{
    struct watch *w = arena_new(arena, struct watch, 1);

    if (!w)
        return NULL;
    *w = (struct watch){.plan = p, .n_threads = threads, .column = COLUMN_NONE};
    w->ranges = arena_new(arena, struct range, p->n_inputs);
    w->sets = arena_new(arena, struct set, p->n_inputs);
    w->shares = arena_new(arena, double, p->n_inputs);
    w->cells = arena_new(arena, struct cells, threads);
    bool ok = w->ranges && w->sets && w->shares && w->cells;
    for (unsigned i = 0; ok && i < threads; i++)
        ok = (w->cells[i].fields =
                  arena_alloc(arena, p->n_inputs, sizeof(struct field_cells), LINE)) != NULL;
    for (unsigned i = 0; ok && i < p->n_inputs; i++)
        w->shares[i] = -1;
    return ok ? w : NULL;
}

struct watch *watch_new(const struct plan *p, const char *profile, size_t n, unsigned threads,
                        struct arena *arena)
{
    const struct json_limits limits = {.bytes = WATCH_PROFILE, .depth = 8, .number = BOUND_NUMBER};
    struct watch *w = new_watch(p, threads, arena);
    struct err e;

    if (!w || n > WATCH_PROFILE)
        return w;
    struct json_doc *doc = json_parse(profile, n, &limits, &e);
    struct json root = doc ? json_root(doc) : (struct json){0};
    if (doc && json_is_object(&root))
        learn(w, &root, arena);
    json_free(doc);
    return w;
}

/* -- counting -- */

/* Only its own thread writes a cell. */
static void add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* NaN is outside, unless training had some. */
static bool is_outside(const struct range *k, const struct column *c, unsigned row)
{
    double x = column_double(c, k->type, row);

    return !(x >= k->low && x <= k->high) && !(isnan(x) && k->has_nans);
}

static bool is_unseen(const struct set *s, const struct column *c, unsigned row)
{
    return !*place(s, hash_of(c->text[row].p, c->text[row].len));
}

static bool is_null(const struct column *c, unsigned row)
{
    return c->nulls >> row & 1;
}

static void count_row(const struct watch *w, const struct cells *cells,
                      const struct column *columns, unsigned row)
{
    for (const struct range *k = w->ranges, *end = k + w->n_ranges; k < end; k++)
        if (!is_null(&columns[k->input], row) && is_outside(k, &columns[k->input], row))
            add(&cells->fields[k->input].unlike, 1);
    for (const struct set *s = w->sets, *end = s + w->n_sets; s < end; s++)
        if (!is_null(&columns[s->input], row) && is_unseen(s, &columns[s->input], row))
            add(&cells->fields[s->input].unlike, 1);
}

static void count_missing(const struct watch *w, const struct cells *cells,
                          const struct column *columns, uint64_t rows)
{
    const unsigned n = w->plan->n_inputs;
    uint64_t some = 0;

    for (unsigned i = 0; i < n; i++)
        some |= columns[i].nulls;
    for (unsigned i = 0; some & rows && i < n; i++)
        if (columns[i].nulls & rows)
            add(&cells->fields[i].missing, (unsigned)__builtin_popcountll(columns[i].nulls & rows));
}

static void count_prediction(const struct watch *w, struct cells *cells, double x)
{
    unsigned b = 0;

    while (b < w->n_bounds && !(x <= w->bounds[b]))
        b++;
    add(&cells->predictions[b], 1);
    if (!isnan(x))
        atomic_store_explicit(&cells->sum,
                              atomic_load_explicit(&cells->sum, memory_order_relaxed) + x,
                              memory_order_relaxed);
}

uint16_t watch_column(const struct watch *w)
{
    return w->column;
}

void watch_rows(struct watch *w, unsigned thread, const struct frame *f, uint64_t rows,
                bool predicted)
{
    struct cells *cells = &w->cells[thread];

    count_missing(w, cells, f->columns, rows);
    for (uint64_t left = rows; left; left &= left - 1)
        count_row(w, cells, f->columns, (unsigned)__builtin_ctzll(left));
    if (!predicted || w->column == COLUMN_NONE)
        return;
    const struct column *c = &f->columns[w->column];
    FOR_ROWS(r, rows & f->live & ~f->failed & ~c->nulls)
    count_prediction(w, cells, column_double(c, w->plan->columns[w->column].shape.type, r));
}

/* -- what was counted -- */

static uint64_t get(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

unsigned watch_fields(const struct watch *w)
{
    return w->plan->n_inputs;
}

static bool has_range(const struct watch *w, unsigned input)
{
    for (unsigned i = 0; i < w->n_ranges; i++)
        if (w->ranges[i].input == input)
            return true;
    return false;
}

static bool has_set(const struct watch *w, unsigned input)
{
    for (unsigned i = 0; i < w->n_sets; i++)
        if (w->sets[i].input == input)
            return true;
    return false;
}

void watch_field(const struct watch *w, unsigned i, struct watch_field *out)
{
    *out = (struct watch_field){.name = w->plan->columns[i].name,
                                .has_categories = has_set(w, i),
                                .has_range = has_range(w, i),
                                .missing_share = w->shares[i]};
    for (unsigned t = 0; t < w->n_threads; t++) {
        const struct field_cells *c = &w->cells[t].fields[i];
        out->missing += get(&c->missing);
        out->unlike += get(&c->unlike);
    }
}

void watch_predictions(const struct watch *w, struct watch_predictions *out)
{
    *out = (struct watch_predictions){
        .n_bounds = w->n_bounds, .bounds = w->bounds, .shares = w->trained};
    if (w->column != COLUMN_NONE)
        out->column = w->plan->columns[w->column].name;
    for (unsigned t = 0; t < w->n_threads; t++) {
        for (unsigned b = 0; b <= w->n_bounds; b++)
            out->counts[b] += get(&w->cells[t].predictions[b]);
        out->sum += atomic_load_explicit(&w->cells[t].sum, memory_order_relaxed);
    }
}
