/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks, and the kinds of params that stand in them: vectors, matrices, tables of strings. */
#include "load.h"

#include "scored/bounds.h"
#include "scored/utf8.h"

#include <stdio.h>
#include <string.h>

static const char *const block_types[] = {"F64", "I64", "U32", "U8"};

bool load_block(struct load *l, const char *name, enum block_type type, const struct block **out,
                struct err *e)
{
    const struct block *b = bundle_block(l->bundle, l->stage, name);

    if (!b)
        return err_set(e, ERR_BAD_BUNDLE, "blocks: no block %s.%s", l->stage->prefix, name);
    if (b->type != type)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: dtype is %s, not %s", b->name,
                       block_types[b->type], block_types[type]);
    *out = b;
    return true;
}

bool load_array(struct load *l, const char *name, enum block_type type, uint64_t n,
                const struct block **out, struct err *e)
{
    if (!load_block(l, name, type, out, e))
        return false;
    if ((*out)->n_dims != 1 || (*out)->n != n)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: %llu elements, %llu are needed", (*out)->name,
                       (unsigned long long)(*out)->n, (unsigned long long)n);
    return true;
}

enum { PARAM_NAME = 96 };

bool load_block_each(struct load *l, const char *name, enum block_type type,
                     const struct block **out, struct err *e)
{
    char each[PARAM_NAME];
    int n = snprintf(each, sizeof each, "%s.%u", name, (unsigned)l->column);

    return load_block(l, n < 0 ? "" : each, type, out, e);
}

/* name + suffix, as "coefficients" + ".indices" */
static const char *joined(char out[PARAM_NAME], const char *name, const char *suffix)
{
    int n = snprintf(out, PARAM_NAME, "%s%s", name, suffix);

    return n < 0 ? "" : out;
}

/* Indices strictly ascending, below `size`. */
static bool check_indices(const struct block *b, const uint32_t *indices, uint64_t n, uint32_t size,
                          struct err *e)
{
    for (uint64_t i = 0; i < n; i++)
        if (indices[i] >= size || (i && indices[i] <= indices[i - 1]))
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu must ascend and be below %u",
                           b->name, (unsigned long long)i, (unsigned)size);
    return true;
}

/* {"kind":..., "size":n} */
static bool vector_header(struct load *l, const char *key, bool *sparse, uint32_t *size,
                          struct err *e)
{
    static const char *const keys[] = {"kind", "size", NULL};
    struct json v;
    const char *kind;

    if (!json_get_object(&l->params, key, &v, e) || !json_only(&v, keys, e) ||
        !json_get_string(&v, "kind", &kind, e) ||
        !json_get_u32(&v, "size", BOUND_FEATURES, size, e))
        return false;
    *sparse = strcmp(kind, "sparse") == 0;
    return *sparse || strcmp(kind, "dense") == 0 || json_fail(&v, e, "unknown kind '%.16s'", kind);
}

static bool sparse_vector(struct load *l, const char *key, uint32_t size, struct vec *v,
                          struct err *e)
{
    const struct block *indices, *values;
    char name[PARAM_NAME];

    if (!load_block(l, joined(name, key, ".indices"), BLOCK_U32, &indices, e))
        return false;
    if (indices->n > size)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: more than %u elements", indices->name,
                       (unsigned)size);
    if (!load_array(l, joined(name, key, ".values"), BLOCK_F64, indices->n, &values, e) ||
        !check_indices(indices, indices->data, indices->n, size, e))
        return false;
    *v = (struct vec){.size = size,
                      .n = (uint32_t)indices->n,
                      .sparse = true,
                      .values = (double *)(uintptr_t)values->data,
                      .indices = (uint32_t *)(uintptr_t)indices->data};
    return true;
}

static bool load_vec(struct load *l, const struct param *p, void *to, struct err *e)
{
    const struct block *b;
    struct vec *v = to;
    uint32_t size;
    bool sparse;

    if (!vector_header(l, p->name, &sparse, &size, e))
        return false;
    if (sparse)
        return sparse_vector(l, p->name, size, v, e);
    if (!load_array(l, p->name, BLOCK_F64, size, &b, e))
        return false;
    *v = (struct vec){.size = size, .n = size, .values = (double *)(uintptr_t)b->data};
    return true;
}

/* Memory by the declared size: bounded, since no bytes of the bundle stand behind it. */
bool load_dense(struct load *l, const char *key, const struct vec *v, const double **values,
                struct err *e)
{
    if (!v->sparse) {
        *values = v->values;
        return true;
    }
    if (v->size > BOUND_EXPANDED)
        return err_set(e, ERR_BAD_BUNDLE, "params.%s.size: at most %d where it is expanded", key,
                       BOUND_EXPANDED);
    double *dense = load_new(l, double, v->size);
    if (!dense)
        return err_memory(e);
    for (uint32_t k = 0; k < v->n; k++)
        dense[v->indices[k]] = v->values[k];
    *values = dense;
    return true;
}

static bool load_vector(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct doubles *x = to;
    struct vec v;

    if (!load_vec(l, p, &v, e) || !load_dense(l, p->name, &v, &x->values, e))
        return false;
    x->size = v.size;
    return true;
}

static const struct kind_block vector_blocks[] = {
    {"", BLOCK_F64, 1, "dense"},
    {".indices", BLOCK_U32, 1, "sparse"},
    {".values", BLOCK_F64, 1, "sparse"},
};
const struct param_kind kind_vec = {
    .name = "vector",
    .load = load_vec,
    .blocks = vector_blocks,
    .n_blocks = countof(vector_blocks),
};
const struct param_kind kind_vector = {
    .name = "vector",
    .load = load_vector,
    .blocks = vector_blocks,
    .n_blocks = countof(vector_blocks),
};

/* -- matrices -- */

static bool sparse_matrix(struct load *l, const char *key, struct matrix *m, struct err *e)
{
    const struct block *indptr, *indices, *values;
    char name[PARAM_NAME];
    uint32_t major = m->transposed ? m->rows : m->cols, minor = m->transposed ? m->cols : m->rows;

    if (!load_array(l, joined(name, key, ".indptr"), BLOCK_U32, (uint64_t)major + 1, &indptr, e) ||
        !load_block(l, joined(name, key, ".indices"), BLOCK_U32, &indices, e) ||
        !load_array(l, joined(name, key, ".values"), BLOCK_F64, indices->n, &values, e))
        return false;
    m->indptr = indptr->data;
    m->indices = indices->data;
    m->values = values->data;
    if (m->indptr[0] != 0 || m->indptr[major] != indices->n)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go from 0 to %llu", indptr->name,
                       (unsigned long long)indices->n);
    for (uint32_t i = 0; i < major; i++) {
        if (m->indptr[i] > m->indptr[i + 1] || m->indptr[i + 1] > indices->n)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u falls", indptr->name,
                           (unsigned)i + 1);
        if (!check_indices(indices, m->indices + m->indptr[i], m->indptr[i + 1] - m->indptr[i],
                           minor, e))
            return false;
    }
    return true;
}

static bool dense_matrix(struct load *l, const char *key, struct matrix *m, struct err *e)
{
    const struct block *b;

    if (!load_block(l, key, BLOCK_F64, &b, e))
        return false;
    m->values = b->data;
    return (b->n_dims == 2 && b->shape[0] == m->rows && b->shape[1] == m->cols) ||
           err_set(e, ERR_BAD_BUNDLE, "block %s: the shape must be [%u, %u]", b->name,
                   (unsigned)m->rows, (unsigned)m->cols);
}

static bool load_matrix(struct load *l, const struct param *p, void *to, struct err *e)
{
    static const char *const keys[] = {"kind", "rows", "cols", "transposed", NULL};
    struct matrix m = {0};
    struct json v;
    const char *kind;

    if (!json_get_object(&l->params, p->name, &v, e) || !json_only(&v, keys, e) ||
        !json_get_string(&v, "kind", &kind, e) ||
        !json_get_u32(&v, "rows", BOUND_CLASSES, &m.rows, e) ||
        !json_get_u32(&v, "cols", BOUND_FEATURES, &m.cols, e) ||
        !json_get_bool(&v, "transposed", &m.transposed, e))
        return false;
    m.sparse = strcmp(kind, "sparse") == 0;
    if (!m.sparse && strcmp(kind, "dense") != 0)
        return json_fail(&v, e, "unknown kind '%.16s'", kind);
    if (!(m.sparse ? sparse_matrix : dense_matrix)(l, p->name, &m, e))
        return false;
    *(struct matrix *)to = m;
    return true;
}

const struct param_kind kind_matrix = {
    .name = "matrix",
    .load = load_matrix,
    .blocks = (const struct kind_block[]){{"", BLOCK_F64, 2, "dense"},
                                          {".indptr", BLOCK_U32, 1, "sparse"},
                                          {".indices", BLOCK_U32, 1, "sparse"},
                                          {".values", BLOCK_F64, 1, "sparse"}},
    .n_blocks = 4,
};

/* -- strings -- */

static bool inline_strings(struct load *l, const struct json *list, struct texts *x, struct err *e)
{
    struct json_iter it = {0};
    struct text *out = load_new(l, struct text, json_size(list));

    if (!out)
        return err_memory(e);
    while (json_next(list, &it)) {
        const char *text;
        if (!json_as_string(&it.value, &text, e))
            return false;
        out[it.n - 1] = (struct text){text, (uint32_t)strlen(text)};
    }
    *x = (struct texts){json_size(list), out};
    return true;
}

static bool check_table(const struct block *bytes, const struct block *offsets, struct err *e)
{
    const uint32_t *at = offsets->data;

    if (offsets->n < 1 || offsets->n > UINT32_MAX || at[0] != 0 || at[offsets->n - 1] != bytes->n)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go from 0 to the table's %llu bytes",
                       offsets->name, (unsigned long long)bytes->n);
    return true;
}

static bool string_table(struct load *l, const char *key, struct texts *x, struct err *e)
{
    const struct block *bytes, *offsets;
    char name[PARAM_NAME];

    if (!load_block(l, joined(name, key, ".bytes"), BLOCK_U8, &bytes, e) ||
        !load_block(l, joined(name, key, ".offsets"), BLOCK_U32, &offsets, e) ||
        !check_table(bytes, offsets, e))
        return false;
    const uint32_t *at = offsets->data, n = (uint32_t)offsets->n - 1;
    struct text *out = load_new(l, struct text, n);
    if (!out)
        return err_memory(e);
    for (uint32_t k = 0; k < n; k++) {
        if (at[k] > at[k + 1] || at[k + 1] > bytes->n)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u falls", offsets->name,
                           (unsigned)k + 1);
        out[k] = (struct text){(const char *)bytes->data + at[k], at[k + 1] - at[k]};
        if (utf8_valid(out[k].p, out[k].len) != out[k].len)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: entry %u is not UTF-8", bytes->name,
                           (unsigned)k);
    }
    *x = (struct texts){n, out};
    return true;
}

/* A list in the params, or null and a table of blocks. */
static bool load_strings(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct json list, v;
    char name[PARAM_NAME];
    int n = p->each ? snprintf(name, sizeof name, "%s.%u", p->name, (unsigned)l->column)
                    : snprintf(name, sizeof name, "%s", p->name);

    if (!load_value(l, p, &list, &v, e))
        return false;
    if (json_is_null(&v))
        return string_table(l, n < 0 ? "" : name, to, e);
    if (!json_is_array(&v))
        return json_fail(&v, e, "must be an array of strings or null");
    return inline_strings(l, &v, to, e);
}

const struct param_kind kind_strings = {
    .name = "strings",
    .load = load_strings,
    .blocks = (const struct kind_block[]){{".bytes", BLOCK_U8, 1, "table"},
                                          {".offsets", BLOCK_U32, 1, "table"}},
    .n_blocks = 2,
};
