/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks, a safetensors file (FORMAT.md 4): 8 bytes of header length, a JSON header, the
 * tensors without holes. The order of checks: length, cap, inside the file, JSON, then for each
 * tensor dtype, shape, offsets; every sum and product is checked for overflow, and every byte is
 * accounted for.
 */
#include "bundle_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned size;
} dtypes[] = {
    [BLOCK_F64] = {"F64", 8},
    [BLOCK_I64] = {"I64", 8},
    [BLOCK_U32] = {"U32", 4},
    [BLOCK_U8] = {"U8", 1},
};

struct span {
    uint64_t begin, end;
};

static bool read_dtype(const struct json *v, struct block *block, struct err *e)
{
    const char *text;

    if (!json_get_string(v, "dtype", &text, e))
        return false;
    for (unsigned i = 0; i < countof(dtypes); i++) {
        if (strcmp(dtypes[i].name, text) == 0) {
            block->type = (enum block_type)i;
            return true;
        }
    }
    return json_fail(v, e, "dtype '%.16s' is not one of F64, I64, U32, U8", text);
}

static bool read_shape(const struct json *v, struct block *block, struct err *e)
{
    struct json shape;
    struct json_iter it = {0};
    uint64_t n = 1;

    if (!json_get_array(v, "shape", &shape, e))
        return false;
    block->n_dims = json_size(&shape);
    if (block->n_dims < 1 || block->n_dims > 2)
        return json_fail(&shape, e, "must have 1 or 2 dimensions");
    block->shape[1] = 1;
    while (json_next(&shape, &it)) {
        uint32_t size;
        if (!json_as_u32(&it.value, UINT32_MAX, &size, e))
            return false;
        block->shape[it.n - 1] = size;
        if (__builtin_mul_overflow(n, size, &n))
            return json_fail(&shape, e, "the product of the dimensions overflows");
    }
    block->n = n;
    return true;
}

static bool read_offsets(const struct json *v, uint64_t limit, struct span *span, struct err *e)
{
    struct json pair;
    struct json_iter it = {0};
    uint64_t at[2] = {0};

    if (!json_get_array(v, "data_offsets", &pair, e))
        return false;
    if (json_size(&pair) != 2)
        return json_fail(&pair, e, "must be [begin, end]");
    while (json_next(&pair, &it)) {
        double d;
        if (!json_as_double(&it.value, &d, e))
            return false;
        if (!(d >= 0) || d > (double)limit || d != (double)(uint64_t)d)
            return json_fail(&it.value, e, "is not an offset within the file's %llu bytes of data",
                             (unsigned long long)limit);
        at[it.n - 1] = (uint64_t)d;
    }
    *span = (struct span){at[0], at[1]};
    return at[0] <= at[1] || json_fail(&pair, e, "ends before it begins");
}

static bool read_block(const struct json *v, const unsigned char *data, uint64_t limit,
                       struct block *block, struct span *span, struct err *e)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets", NULL};
    uint64_t bytes;

    if (!json_is_object(v))
        return json_fail(v, e, "must be an object");
    if (!json_only(v, keys, e) || !read_dtype(v, block, e) || !read_shape(v, block, e) ||
        !read_offsets(v, limit, span, e))
        return false;
    unsigned size = dtypes[block->type].size;
    if (__builtin_mul_overflow(block->n, size, &bytes) || bytes != span->end - span->begin)
        return json_fail(v, e, "the offsets do not span shape times dtype");
    block->data = data + span->begin;
    if ((uintptr_t)block->data % size)
        return json_fail(v, e, "is not aligned to its element's size");
    return true;
}

/* An object of strings; ignored. */
static bool check_metadata(const struct json *v, struct err *e)
{
    struct json_iter it = {0};
    const char *unused;

    if (!json_is_object(v))
        return json_fail(v, e, "must be an object");
    while (json_next(v, &it))
        if (!json_as_string(&it.value, &unused, e))
            return false;
    return true;
}

static int by_begin(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The spans cover [0, limit) without holes or overlap. */
static bool check_cover(struct span *spans, uint32_t n, uint64_t limit, struct err *e)
{
    uint64_t at = 0;

    qsort(spans, n, sizeof *spans, by_begin);
    for (uint32_t i = 0; i < n; i++) {
        if (spans[i].begin != at)
            return err_set(e, ERR_BAD_BUNDLE, "%s at offset %llu of the data",
                           spans[i].begin < at ? "tensors overlap" : "there is a hole",
                           (unsigned long long)at);
        at = spans[i].end;
    }
    return at == limit || err_set(e, ERR_BAD_BUNDLE, "the tensors end at %llu, the data at %llu",
                                  (unsigned long long)at, (unsigned long long)limit);
}

static bool read_tensors(struct bundle *b, const struct json *root, const unsigned char *data,
                         uint64_t limit, struct err *e)
{
    uint32_t n = json_size(root) - json_has(root, "__metadata__");
    struct json_iter it = {0};
    uint32_t at = 0;

    if (n > BOUND_BLOCKS)
        return err_set(e, ERR_BAD_BUNDLE, "%u tensors, at most %d are allowed", (unsigned)n,
                       BOUND_BLOCKS);
    b->blocks = arena_new(&b->arena, struct block, n);
    b->block_keys = arena_new(&b->arena, struct text, n);
    struct span *spans = arena_new(&b->arena, struct span, n);
    if (!b->blocks || !b->block_keys || !spans)
        return err_memory(e);
    while (json_next(root, &it)) {
        if (strcmp(it.value.key, "__metadata__") == 0) {
            if (!check_metadata(&it.value, e))
                return false;
            continue;
        }
        struct block *block = &b->blocks[at];
        uint32_t length = (uint32_t)strlen(it.value.key);
        block->name = arena_copy(&b->arena, it.value.key, length);
        if (!block->name)
            return err_memory(e);
        b->block_keys[at] = (struct text){block->name, length};
        if (!read_block(&it.value, data, limit, block, &spans[at], e))
            return false;
        at++;
    }
    b->n_blocks = n;
    if (!dict_build(&b->block_names, b->block_keys, n, &b->arena))
        return err_memory(e);
    return check_cover(spans, n, limit, e);
}

void block_release(const struct block *b, uint64_t from, uint64_t to)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), data = (uintptr_t)b->data;
    uint64_t rows = b->shape[0], size = b->shape[1] * dtypes[b->type].size;
    uintptr_t begin = data + from * size, end = data + (to < rows ? to : rows) * size;

    begin = (begin + page - 1) & ~(page - 1);
    end &= ~(page - 1);
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

bool blocks_read(struct bundle *b, const unsigned char *bytes, size_t n, struct err *e)
{
    const struct json_limits limits = {.bytes = BOUND_HEADER, .depth = 4, .number = BOUND_NUMBER};
    uint64_t length;

    if (n < 8)
        return err_set(e, ERR_BAD_BUNDLE, "%zu bytes are too few for a header", n);
    memcpy(&length, bytes, sizeof length); /* little-endian, as this machine */
    if (length > BOUND_HEADER)
        return err_set(e, ERR_BAD_BUNDLE, "a header of %llu bytes, at most %d are allowed",
                       (unsigned long long)length, BOUND_HEADER);
    if (length > n - 8)
        return err_set(e, ERR_BAD_BUNDLE, "a header of %llu bytes in a file of %zu",
                       (unsigned long long)length, n);
    struct json_doc *doc = json_parse((const char *)bytes + 8, length, &limits, e);
    if (!doc)
        return err_wrap(e, "header");
    struct json root = json_root(doc);
    bool ok = json_is_object(&root) ? read_tensors(b, &root, bytes + 8 + length, n - 8 - length, e)
                                    : err_set(e, ERR_BAD_BUNDLE, "the header must be an object");
    json_free(doc);
    return ok;
}
