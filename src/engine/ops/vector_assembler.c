/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VectorAssembler: columns end to end in one vector, compressed. Zeros of either sign are dropped,
 * so -0.0 comes out as 0.0. Null, and NaN of a scalar: error fails, skip drops the row, keep stores
 * NaN (as many as the column is wide). NaN inside a vector is never looked at.
 */
#include "../assembler.h"
#include "../vectors.h"

#include <math.h>
#include <string.h>

static bool is_bad(const struct part *p, const struct column *c, unsigned row)
{
    if (c->nulls & row_bit(row))
        return true;
    return p->type != TYPE_VECTOR && isnan(column_double(c, p->type, row));
}

static void run_filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct assembler *a = u->params;

    for (unsigned i = 0; i < u->n_in; i++) {
        const struct part *p = &a->parts[i];
        bool can_be_nan = p->type == TYPE_FLOAT || p->type == TYPE_DOUBLE;
        const struct column *c = &f->columns[u->in[i]];
        FOR_ROWS(r, rows & f->live)
        {
            if (c->nulls & row_bit(r) || (can_be_nan && is_bad(p, c, r)))
                frame_skip(f, r, u, u->in[i]);
        }
    }
}

/* What is put: the values that are not zero, as a sparse vector has them. The kind is chosen when
 * all are counted. */
struct sink {
    uint32_t *indices;
    double *values;
    uint32_t nnz;
    uint64_t size; /* of all parts: rows may bring vectors of any size */
};

static inline void put(struct sink *s, uint32_t at, double value)
{
    if (!(value != 0))
        return;
    s->indices[s->nnz] = (uint32_t)(s->size + at);
    s->values[s->nnz++] = value;
}

static void put_vector(struct sink *s, const struct vec *v)
{
    for (uint32_t k = 0; k < v->n; k++)
        put(s, v->sparse ? v->indices[k] : k, v->values[k]);
    s->size += v->size;
}

static void put_nulls(struct sink *s, uint32_t length)
{
    for (uint32_t k = 0; k < length; k++)
        put(s, k, (double)NAN);
    s->size += length;
}

static void put_all(const struct unit *u, const struct frame *f, unsigned row, struct sink *s)
{
    const struct assembler *a = u->params;

    for (unsigned i = 0; i < u->n_in; i++) {
        const struct part *p = &a->parts[i];
        const struct column *c = &f->columns[u->in[i]];
        if (c->nulls & row_bit(row)) { /* keep: the others do not come here */
            put_nulls(s, p->length);
        } else if (p->type == TYPE_VECTOR) {
            put_vector(s, &c->vec[row]);
        } else {
            put(s, 0, column_double(c, p->type, row));
            s->size++;
        }
    }
}

static size_t count_values(const struct unit *u, const struct frame *f, unsigned row)
{
    const struct assembler *a = u->params;
    size_t n = 0;

    for (unsigned i = 0; i < u->n_in; i++) {
        const struct part *p = &a->parts[i];
        const struct column *c = &f->columns[u->in[i]];
        bool null = c->nulls & row_bit(row);
        n += null ? p->length : p->type == TYPE_VECTOR ? c->vec[row].n : 1;
    }
    return n;
}

/* From sparse to dense within the same place: from the last value on, each goes up to its index. */
static void spread(struct vec *v, uint32_t nnz)
{
    uint32_t end = v->size;

    for (uint32_t k = nnz; k-- > 0;) {
        uint32_t at = v->indices[k];
        double value = v->values[k];
        memset(&v->values[at + 1], 0, (end - at - 1) * sizeof(double));
        v->values[at] = value;
        end = at;
    }
    memset(v->values, 0, end * sizeof(double));
}

/* What was put becomes dense: where it stands, if there is the room. */
static bool make_dense(const struct unit *u, struct frame *f, unsigned row, size_t room)
{
    struct vec *v = &f->columns[u->out].vec[row];

    if (v->size > room) {
        const struct vec put = {
            .size = v->size, .n = v->n, .sparse = true, .values = v->values, .indices = v->indices};
        return vec_densify(u, f, row, &put);
    }
    spread(v, v->n);
    v->n = v->size;
    return true;
}

bool assembler_refuses(const struct unit *u, struct frame *f, unsigned row)
{
    const struct assembler *a = u->params;

    for (unsigned i = 0; i < u->n_in && a->invalid != HANDLE_KEEP; i++) {
        const struct column *c = &f->columns[u->in[i]];
        if (!is_bad(&a->parts[i], c, row))
            continue;
        bool null = c->nulls & row_bit(row);
        frame_fail(f, row, u, u->in[i], null ? PROBLEM_NULL_VALUE : PROBLEM_INVALID_VALUE,
                   "'%s' is %s", f->plan->columns[u->in[i]].name, null ? "null" : "NaN");
        return true;
    }
    return false;
}

void assembler_run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct assembler *a = u->params;

    FOR_ROWS(r, rows)
    {
        if (assembler_refuses(u, f, r))
            continue;
        size_t room = a->most == MOST_UNKNOWN ? count_values(u, f, r) : a->most;
        struct vec *v = frame_vec(f, u->out, r, room);
        if (!v)
            return;
        struct sink s = {.indices = v->indices, .values = v->values};
        put_all(u, f, r, &s);
        if (s.size > INT32_MAX) {
            frame_fail(f, r, u, u->in[0], PROBLEM_SIZE_MISMATCH,
                       "together the vectors have %llu entries, at most %d are allowed",
                       (unsigned long long)s.size, INT32_MAX);
            continue;
        }
        v->size = (uint32_t)s.size;
        v->n = s.nnz;
        v->sparse = compressed_sparse(a->rule, s.nnz, v->size);
        if (!v->sparse && !make_dense(u, f, r, room))
            return;
    }
}

/* Of one input; a scalar has 1 entry. */
static bool load_length(struct load *l, const struct json *length, uint16_t column, struct part *p,
                        struct err *e)
{
    const struct plan_column *c = load_column(l, column);

    p->type = c->shape.type;
    p->unknown = json_is_null(length);
    if (!p->unknown && !json_as_u32(length, BOUND_FEATURES, &p->length, e))
        return false;
    if (p->unknown || p->type == TYPE_VECTOR || p->length == 1)
        return true;
    return json_fail(length, e, "must be 1, column '%.64s' is %s", c->name, type_name(p->type));
}

static bool load_lengths(struct load *l, const struct param *param, void *to, struct err *e)
{
    struct part *parts = load_new(l, struct part, l->n_in);
    struct json list;
    struct json_iter it = {0};

    if (!parts)
        return err_memory(e);
    if (!json_get_array(&l->params, param->name, &list, e))
        return false;
    if (json_size(&list) != l->n_in)
        return json_fail(&list, e, "must have %u elements, one a column", (unsigned)l->n_in);
    while (json_next(&list, &it))
        if (!load_length(l, &it.value, l->in[it.n - 1], &parts[it.n - 1], e))
            return false;
    *(const struct part **)to = parts;
    return true;
}

static const struct param_kind kind_lengths = {.name = "ints or nulls, one a column",
                                               .load = load_lengths};

/* The shape of the sum of the parts. */
static bool sum_shape(struct load *l, const struct part *parts, struct shape *out, struct err *e)
{
    int64_t size = 0;
    uint64_t most = 0;
    bool known = true;

    for (uint16_t i = 0; i < l->n_in; i++) {
        const struct shape *s = &load_column(l, l->in[i])->shape;
        bool vector = s->type == TYPE_VECTOR;
        int64_t width = vector ? s->size : 1;
        uint32_t entries = vector ? s->most : 1;
        if (vector && width != SIZE_UNKNOWN && parts[i].length != (uint64_t)width &&
            parts[i].length)
            width = SIZE_UNKNOWN; /* a null would be of another width */
        size = size == SIZE_UNKNOWN || width == SIZE_UNKNOWN ? SIZE_UNKNOWN : size + width;
        known &= entries != MOST_UNKNOWN;
        most += entries > parts[i].length ? entries : parts[i].length;
    }
    if ((known && most > BOUND_FEATURES) || size > BOUND_FEATURES)
        return err_set(e, ERR_BAD_BUNDLE, "the vector would have more than %d entries",
                       BOUND_FEATURES);
    *out = shape_compressed(size, known ? (uint32_t)most : MOST_UNKNOWN);
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct assembler *a = params;

    for (uint16_t i = 0; i < l->n_in; i++)
        if (a->parts[i].unknown && a->invalid == HANDLE_KEEP)
            return err_set(e, ERR_BAD_BUNDLE,
                           "params.lengths[%u]: must be a number where handleInvalid is keep",
                           (unsigned)i);
    if (!sum_shape(l, a->parts, &m->shape, e))
        return false;
    a->most = m->shape.most;
    a->rule = l->plan->platform->compressed;
    return true;
}

static const struct param params[] = {
    {"handleInvalid", PARAM_INVALID(struct assembler, invalid, error_skip_keep)},
    {"lengths", .kind = &kind_lengths, .at = FIELD(struct assembler, parts, const struct part *)},
};

const struct op op_vector_assembler = {
    .name = "vector_assembler",
    .class_name = SPARK_ML("feature.VectorAssembler"),
    .form = &form_several,
    .in = {PORT("inputCols", IS_REAL | IS_BOOLEAN | IS_VECTOR)},
    .out = {{PORT("outputCol", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct assembler),
    .prepare = prepare,
    .run = assembler_run,
    .filter = run_filter,
    .barrier = true,
};
