/* SPDX-License-Identifier: Apache-2.0 */
/* A plan made of a bundle that a test writes as text, and rows scored on it as JSON. */
#ifndef SCORED_OPS_FIXTURE_H
#define SCORED_OPS_FIXTURE_H

#include "cmocka_all.h"

#include "scored/scoring.h"

#include <stdio.h>
#include <string.h>

struct tensor {
    const char *name, *dtype, *shape; /* shape as in JSON: "2" or "3,2" */
    const void *data;
    size_t size; /* bytes */
};

enum { MAX_TENSORS = 16, SCRATCH = 1 << 20 };

struct bundle_text {
    const char *input;      /* elements of the array */
    const char *output;     /* the same */
    const char *stage;      /* members, without uid and blocks */
    const char *before;     /* NULL, or one before it, whole */
    const char *more;       /* NULL, or further stages, whole */
    const char *exactness;  /* members */
    const char *spark;      /* NULL: 3.5.9 */
    const char *compressed; /* NULL: old */
    const char *cpu_vendor; /* NULL: GenuineIntel */
    bool ansi;
    bool no_fuse;
    enum plan_kernel kernel;
    struct tensor tensors[MAX_TENSORS]; /* of larger elements first, then by name */
};

struct loaded {
    struct bundle *bundle;
    struct arena arena;
    struct plan plan;
    struct schema *schema;
    struct frame *frame;
    struct scratch scratch;
};

static inline const char *or_else(const char *text, const char *other)
{
    return text ? text : other;
}

static inline int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The blocks file, and the stage's list of blocks; models that it holds list theirs themselves. */
static inline void put_blocks(const struct bundle_text *t, struct buf *file, struct buf *list)
{
    struct buf header = {0};
    const char *names[MAX_TENSORS];
    size_t at = 0, n_names = 0;

    buf_text(&header, "{");
    for (const struct tensor *x = t->tensors; x->name; x++) {
        const char *comma = x == t->tensors ? "" : ",";
        buf_printf(&header, "%s\"s00%d.%s\":{\"dtype\":\"%s\",\"shape\":[%s],", comma,
                   t->before != NULL, x->name, x->dtype, x->shape);
        buf_printf(&header, "\"data_offsets\":[%zu,%zu]}", at, at + x->size);
        if (strncmp(x->name, "models.", 7) != 0)
            names[n_names++] = x->name;
        at += x->size;
    }
    qsort(names, n_names, sizeof *names, by_name);
    for (size_t i = 0; i < n_names; i++)
        buf_printf(list, "%s\"s00%d.%s\"", i ? "," : "", t->before != NULL, names[i]);
    buf_text(&header, "}");
    while ((header.len + 8) % 64)
        buf_text(&header, " ");
    uint64_t n = header.len;
    buf_put(file, (const char *)&n, sizeof n);
    buf_put(file, header.data, header.len);
    for (const struct tensor *x = t->tensors; x->name; x++)
        buf_put(file, x->data, x->size);
    buf_done(&header);
}

static inline void put_manifest(const struct bundle_text *t, const struct buf *file,
                                const struct buf *list, struct buf *out)
{
    char sha[SHA256_HEX + 1];

    struct err ignored;

    assert_true(sha256_hex(file->data, file->len, sha, &ignored));
    buf_text(out,
             "{\"format\":\"scored-bundle\",\"format_version\":1,\"name\":\"t\",\"version\":\"1\","
             "\"created\":\"2026-01-01T00:00:00.000Z\",\"lineage\":{},");
    buf_printf(
        out,
        "\"platform\":{\"spark\":\"%s\",\"scala\":\"2.12\",\"jdk\":\"17\",\"locale\":\"en\","
        "\"arch\":\"x86_64\",\"cpu_vendor\":\"%s\",\"blas\":\"java11\",\"reduce\":\"sequential\","
        "\"libm\":\"hotspot-x86\",\"ansi\":%s,\"case_sensitive\":false,\"compressed\":\"%s\","
        "\"double_to_string\":\"jdk17\"},",
        or_else(t->spark, "3.5.9"), or_else(t->cpu_vendor, "GenuineIntel"),
        t->ansi ? "true" : "false", or_else(t->compressed, "old"));
    buf_printf(out, "\"input\":[%s],\"output\":[%s],\"example\":{\"in\":{},\"out\":{}},", t->input,
               t->output);
    buf_printf(out, "\"stages\":[%s%s{%s,\"uid\":\"u\",\"blocks\":[%.*s]}%s%s],",
               or_else(t->before, ""), t->before ? "," : "", t->stage, (int)list->len,
               list->len ? list->data : "", t->more ? "," : "", or_else(t->more, ""));
    buf_printf(out, "\"exactness\":{%s},", t->exactness);
    buf_text(out,
             "\"golden\":{\"rows\":1,\"made\":0,\"leaves\":[0,0],\"labels\":[0,0]},\"files\":[");
    static const struct {
        const char *role, *end;
    } files[] = {{"blocks", "safetensors"}, {"golden", "jsonl"}, {"profile", "json"}};
    for (size_t i = 0; i < countof(files); i++)
        buf_printf(out,
                   "%s{\"role\":\"%s\",\"name\":\"%s-%.16s.%s\",\"size\":%zu,\"sha256\":\"%s\"}",
                   i ? "," : "", files[i].role, files[i].role, sha, files[i].end, file->len, sha);
    buf_text(out, "]}");
}

/* False with the error where the bundle is refused. */
static inline bool load_text(struct loaded *l, const struct bundle_text *t, struct err *e)
{
    const struct plan_options options = {
        .most = 64 << 20, .frame_rows = 4, .no_fuse = t->no_fuse, .kernel = t->kernel};
    struct buf file = {0}, list = {0}, manifest = {0};

    memset(l, 0, sizeof *l);
    put_blocks(t, &file, &list);
    put_manifest(t, &file, &list, &manifest);
    l->bundle = bundle_new(manifest.data, manifest.len, e);
    buf_done(&list);
    buf_done(&manifest);
    if (!l->bundle) {
        buf_done(&file);
        return false;
    }
    unsigned char *bytes = malloc(file.len);
    assert_non_null(bytes);
    memcpy(bytes, file.data, file.len);
    char digest[SHA256_HEX + 1];
    assert_true(sha256_hex(bytes, file.len, digest, e));
    bool good = bundle_attach(l->bundle, ROLE_BLOCKS, bytes, file.len, digest, e) &&
                plan_build(&l->plan, l->bundle, &l->arena, &options, e);
    buf_done(&file);
    if (!good)
        return false;
    l->schema = schema_new(&l->plan, &l->arena);
    l->frame = frame_init(&l->plan, arena_alloc(&l->arena, l->plan.frame_size, 1, 64));
    return scratch_init(&l->scratch, SCRATCH, e);
}

static inline void unload(struct loaded *l)
{
    scratch_done(&l->scratch);
    arena_done(&l->arena);
    bundle_free(l->bundle);
}

/* A bundle that must not load, and some of what is said of it. */
struct refusal {
    const char *what;
    struct bundle_text text;
};

static inline void check_refusal(const struct refusal *r, const char *exactness)
{
    struct bundle_text t = r->text;
    struct loaded l;
    struct err e = {0};

    t.exactness = exactness;
    if (load_text(&l, &t, &e))
        fail_msg("not refused: %s", r->what);
    if (!strstr(e.msg, r->what))
        fail_msg("expected '%s', got '%s'", r->what, e.msg);
    unload(&l);
}

/* The answer to a row, of the default outputs or of one named column; the caller frees. */
static inline char *answer(struct loaded *l, const char *column, const char *row)
{
    struct buf out = {0};
    uint16_t columns[1] = {0};
    struct column_set asked = {0};
    struct program *program =
        arena_alloc(&l->arena, 1, plan_program_size(&l->plan), alignof(struct program));
    struct question q = {.program = l->plan.program,
                         .columns = l->plan.outputs,
                         .n_columns = l->plan.n_outputs,
                         .spark_vectors = true,
                         .max_rows = 1,
                         .max_reply = SIZE_MAX};

    if (column) {
        columns[0] = plan_find(&l->plan, column, strlen(column));
        assert_int_not_equal(columns[0], COLUMN_NONE);
        column_add(&asked, columns[0]);
        plan_program(&l->plan, &asked, program);
        q.program = program;
        q.columns = columns;
        q.n_columns = 1;
    }
    struct scoring s = {.plan = &l->plan,
                        .schema = l->schema,
                        .question = &q,
                        .frame = l->frame,
                        .scratch = &l->scratch};
    char *text = strdup(row);
    assert_non_null(text);
    score_line(&s, text, strlen(text), &out);
    free(text);
    scoring_done(&s);
    while (out.len && out.data[out.len - 1] == '\n')
        out.len--;
    char *copy = strndup(out.data, out.len);
    buf_done(&out);
    return copy;
}

/* The row's answer is this JSON, or, where `want` begins with "!", an error of this type. */
static inline void expect(struct loaded *l, const char *column, const char *row, const char *want)
{
    char *got = answer(l, column, row);

    if (*want == '!') {
        char type[64];
        snprintf(type, sizeof type, "\"urn:scored:%s\"", want + 1);
        if (!strstr(got, type))
            fail_msg("%s: expected %s, got %s", row, type, got);
    } else {
        assert_string_equal(got, want);
    }
    free(got);
}

static inline void load_good(struct loaded *l, const struct bundle_text *t)
{
    struct err e = {0};

    if (!load_text(l, t, &e))
        fail_msg("refused: %s", e.msg);
}

#endif
