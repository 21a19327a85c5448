/* SPDX-License-Identifier: Apache-2.0 */
/* What ops load with: params and blocks, each checked once, each error naming its place. */
#include "engine_priv.h"

#include "scored/bounds.h"
#include "scored/utf8.h"

#include <stdio.h>
#include <string.h>

bool load_handle_invalid(struct load *l, bool skip_allowed, enum handle_invalid *out, struct err *e)
{
    static const char *const names[] = {"error", "skip", "keep"};
    struct json v;
    const char *text;

    if (!json_get(&l->params, "handleInvalid", &v, e) || !json_as_string(&v, &text, e))
        return false;
    for (unsigned i = 0; i < countof(names); i++) {
        if (strcmp(names[i], text) == 0 && (i != HANDLE_SKIP || skip_allowed)) {
            *out = (enum handle_invalid)i;
            return true;
        }
    }
    return json_fail(&v, e, "unknown value '%.64s'", text);
}

static const char *const block_types[] = {"F64", "I64", "U32", "U8"};

bool load_block(struct load *l, const char *name, enum block_type type, const struct block **out,
                struct err *e)
{
    const struct block *b = bundle_block(l->bundle, l->index, name);

    if (!b)
        return err_set(e, ERR_BAD_BUNDLE, "blocks: no block s%03u.%s", (unsigned)l->index, name);
    if (b->type != type)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: dtype is %s, not %s", b->name,
                       block_types[b->type], block_types[type]);
    *out = b;
    return true;
}

/* A block of one dimension and n elements. */
static bool load_array(struct load *l, const char *name, enum block_type type, uint64_t n,
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

/* Memory by the declared size: bounded, since no bytes of the bundle stand behind it. */
static bool expand(struct load *l, const char *key, const struct vec *v, const double **values,
                   struct err *e)
{
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

bool load_vector(struct load *l, const char *key, const double **values, uint32_t *size,
                 struct vec *kept, struct err *e)
{
    const struct block *b;
    struct vec v;
    bool sparse;

    if (!vector_header(l, key, &sparse, size, e))
        return false;
    if (sparse) {
        if (!sparse_vector(l, key, *size, &v, e) || (values && !expand(l, key, &v, values, e)))
            return false;
    } else {
        if (!load_array(l, key, BLOCK_F64, *size, &b, e))
            return false;
        v = (struct vec){.size = *size, .n = *size, .values = (double *)(uintptr_t)b->data};
        if (values)
            *values = b->data;
    }
    if (kept)
        *kept = v;
    return true;
}

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

bool load_matrix(struct load *l, const char *key, struct matrix *out, struct err *e)
{
    static const char *const keys[] = {"kind", "rows", "cols", "transposed", NULL};
    struct matrix m = {0};
    struct json v;
    const char *kind;

    if (!json_get_object(&l->params, key, &v, e) || !json_only(&v, keys, e) ||
        !json_get_string(&v, "kind", &kind, e) ||
        !json_get_u32(&v, "rows", BOUND_CLASSES, &m.rows, e) ||
        !json_get_u32(&v, "cols", BOUND_FEATURES, &m.cols, e) ||
        !json_get_bool(&v, "transposed", &m.transposed, e))
        return false;
    m.sparse = strcmp(kind, "sparse") == 0;
    if (!m.sparse && strcmp(kind, "dense") != 0)
        return json_fail(&v, e, "unknown kind '%.16s'", kind);
    if (!(m.sparse ? sparse_matrix : dense_matrix)(l, key, &m, e))
        return false;
    *out = m;
    return true;
}

/* -- strings -- */

static bool inline_labels(struct load *l, const struct json *list, const struct text **labels,
                          uint32_t *n, struct err *e)
{
    struct json_iter it = {0};

    *n = json_size(list);
    struct text *out = load_new(l, struct text, *n);
    if (!out)
        return err_memory(e);
    while (json_next(list, &it)) {
        const char *text;
        if (!json_as_string(&it.value, &text, e))
            return false;
        out[it.n - 1] = (struct text){text, (uint32_t)strlen(text)};
    }
    *labels = out;
    return true;
}

static bool table_labels(struct load *l, uint16_t i, const struct text **labels, uint32_t *n,
                         struct err *e)
{
    const struct block *bytes, *offsets;
    char name[PARAM_NAME];

    snprintf(name, sizeof name, "labels.%u.bytes", (unsigned)i);
    if (!load_block(l, name, BLOCK_U8, &bytes, e))
        return false;
    snprintf(name, sizeof name, "labels.%u.offsets", (unsigned)i);
    if (!load_block(l, name, BLOCK_U32, &offsets, e))
        return false;
    const uint32_t *at = offsets->data;
    if (offsets->n < 1 || offsets->n > UINT32_MAX || at[0] != 0 || at[offsets->n - 1] != bytes->n)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go from 0 to the table's %llu bytes",
                       offsets->name, (unsigned long long)bytes->n);
    *n = (uint32_t)offsets->n - 1;
    struct text *out = load_new(l, struct text, *n);
    if (!out)
        return err_memory(e);
    for (uint32_t k = 0; k < *n; k++) {
        if (at[k] > at[k + 1] || at[k + 1] > bytes->n)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u falls", offsets->name,
                           (unsigned)k + 1);
        out[k] = (struct text){(const char *)bytes->data + at[k], at[k + 1] - at[k]};
        if (utf8_valid(out[k].p, out[k].len) != out[k].len)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: entry %u is not UTF-8", bytes->name,
                           (unsigned)k);
    }
    *labels = out;
    return true;
}

bool load_labels(struct load *l, uint16_t i, const struct text **labels, uint32_t *n, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->params, "labels", &list, e))
        return false;
    while (it.n <= i)
        if (!json_next(&list, &it))
            return json_fail(&list, e, "must have one element a column");
    if (json_is_null(&it.value))
        return table_labels(l, i, labels, n, e);
    if (!json_is_array(&it.value))
        return json_fail(&it.value, e, "must be an array of strings or null");
    return inline_labels(l, &it.value, labels, n, e);
}

bool load_thresholds(struct load *l, uint32_t n, const double **out, struct err *e)
{
    struct json v;
    uint32_t size, zeros = 0;

    *out = NULL;
    if (!json_get(&l->params, "thresholds", &v, e))
        return false;
    if (json_is_null(&v))
        return true;
    if (!load_vector(l, "thresholds", out, &size, NULL, e))
        return false;
    if (size != n)
        return json_fail(&v, e, "must have %u elements, one a class", (unsigned)n);
    for (uint32_t i = 0; i < n; i++) {
        zeros += (*out)[i] == 0;
        if (!((*out)[i] >= 0) || zeros > 1)
            return json_fail(&v, e, "must be at least 0, and at most one of them 0");
    }
    return true;
}
