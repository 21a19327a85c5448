/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a bundle whose digests are right, so that what lies behind them is reached. The
 * input is five parts between lines of "%%": the manifest without `files`, the header of the
 * blocks, their data, the golden rows, a row. What loads must score any row in bounded time and
 * memory, whatever its numbers are.
 */
#include "scored/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum part { MANIFEST, HEADER, DATA, GOLDEN, ROW, PARTS };

static const char separator[] = "\n%%\n";

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

/* -- the input as files -- */

struct files {
    struct buf manifest, role[ROLE_COUNT];
    char names[ROLE_COUNT][48];
};

static void split(const uint8_t *data, size_t size, struct text parts[PARTS])
{
    const char *at = (const char *)data, *end = at + size;

    for (unsigned i = 0; i < PARTS; i++) {
        const char *stop = i + 1 < PARTS && at < end
                               ? memmem(at, (size_t)(end - at), separator, sizeof separator - 1)
                               : NULL;
        parts[i] = (struct text){at, (uint32_t)((stop ? stop : end) - at)};
        at = stop ? stop + sizeof separator - 1 : end;
    }
}

static void put_blocks(struct buf *out, struct text header, struct text data)
{
    uint64_t padding = -(8 + (uint64_t)header.len) % 64, length = header.len + padding;

    buf_put(out, (const char *)&length, sizeof length);
    buf_put(out, header.p, header.len);
    for (uint64_t i = 0; i < padding; i++)
        buf_char(out, ' ');
    buf_put(out, data.p, data.len);
}

/* The manifest ends in '}': the files' entries are put in front of it. */
static void put_manifest(struct files *f, struct text manifest)
{
    static const char *const suffixes[ROLE_COUNT] = {"safetensors", "jsonl", "json"};
    struct err e;
    size_t n = manifest.len;

    while (n && manifest.p[n - 1] != '}')
        n--;
    buf_put(&f->manifest, manifest.p, n ? n - 1 : 0);
    buf_text(&f->manifest, ",\"files\":[");
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        const char *what = bundle_role_name((enum bundle_role)role);
        char digest[SHA256_HEX + 1];
        const char *bytes = f->role[role].data ? f->role[role].data : "";
        require(sha256_hex(bytes, f->role[role].len, digest, &e), "a digest");
        snprintf(f->names[role], sizeof f->names[role], "%s-%.16s.%s", what, digest,
                 suffixes[role]);
        buf_printf(&f->manifest,
                   "%s{\"role\":\"%s\",\"name\":\"%s\",\"size\":%zu,\"sha256\":\"%s\"}",
                   role ? "," : "", what, f->names[role], f->role[role].len, digest);
    }
    buf_text(&f->manifest, "]}");
}

static bool fetch(void *context, const struct source_request *r, struct source_file *file,
                  struct err *e)
{
    const struct files *f = context;
    const struct buf *from = &f->manifest;

    for (unsigned role = 0; role < ROLE_COUNT; role++)
        if (strcmp(r->name, f->names[role]) == 0)
            from = &f->role[role];
    if (from->len > r->max)
        return err_set(e, ERR_BAD_BUNDLE, "too large");
    unsigned char *p = aligned_alloc(64, (from->len + 64) & ~(size_t)63);
    if (!p)
        return err_memory(e);
    if (from->len)
        memcpy(p, from->data, from->len);
    p[from->len] = '\0';
    file->bytes = p;
    file->n = from->len;
    return sha256_hex(p, from->len, file->sha256, e);
}

/* -- what loads must score -- */

static void score(struct model *m, const struct question *q, const char *row, size_t n)
{
    static struct scratch scratch; /* kept, and smaller than what rows may need */
    struct scoring s = {.plan = &m->plan,
                        .schema = m->schema,
                        .question = q,
                        .frame = m->frames[0],
                        .scratch = &scratch};
    struct buf out = {0};
    struct err e;
    char *text = malloc(n + 1);

    if (!text || (!scratch.made && !scratch_init(&scratch, 64 << 10, &e))) {
        free(text);
        return;
    }
    memcpy(text, row, n);
    text[n] = '\0';
    score_line(&s, text, n, &out);
    require(out.len && out.data[out.len - 1] == '\n', "a line for a line");
    buf_done(&out);
    scoring_done(&s);
    free(text);
}

static void score_rows(struct model *m, const struct text parts[PARTS])
{
    struct question all = m->defaults;
    uint16_t *columns = calloc(m->plan.n_columns + 1U, sizeof *columns);

    if (!columns)
        return;
    all.program = m->plan.program_all;
    all.columns = columns;
    all.n_columns = 0;
    all.spark_vectors = true;
    for (unsigned c = 0; c < m->plan.n_columns; c++)
        if (column_in(&m->plan.all, c))
            columns[all.n_columns++] = (uint16_t)c;
    score(m, &m->defaults, "{}", 2);
    score(m, &all, "{}", 2);
    score(m, &m->defaults, parts[ROW].p, parts[ROW].len);
    score(m, &all, parts[ROW].p, parts[ROW].len);
    free(columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct model_options options = {.workers = 1, .scratch = 1 << 20, .frame_rows = 3};
    struct text parts[PARTS];
    struct files f = {0};
    struct err e = {0};

    split(data, size, parts);
    put_blocks(&f.role[ROLE_BLOCKS], parts[HEADER], parts[DATA]);
    buf_put(&f.role[ROLE_GOLDEN], parts[GOLDEN].p, parts[GOLDEN].len);
    put_manifest(&f, parts[MANIFEST]);
    char uri[] = "memory:";
    struct source source = {.fetch = fetch, .context = &f, .uri = uri, .manifest = "bundle.json"};
    struct model *m = model_load(&source, &options, &e);
    require(m || (e.code != ERR_NONE && e.msg[0] && !strchr(e.msg, '\n')),
            "a refusal has a reason");
    if (m) {
        bool proved = golden_replay(m, options.scratch, &e);
        require(proved || (e.msg[0] && !strchr(e.msg, '\n')), "a refusal has a reason");
        score_rows(m, parts);
        model_release(m);
    }
    buf_done(&f.manifest);
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        buf_done(&f.role[role]);
    return 0;
}
