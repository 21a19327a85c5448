/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of tests/bundles/versions: in a folder of the test's, or by a source that the test
 * makes fail as it likes. */
#ifndef VERSIONS_H
#define VERSIONS_H

#include "../../src/registry/slot_priv.h"
#include "../../src/store/store_priv.h"
#include "scored/file.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSIONS_DIR TEST_DIR "/bundles/versions"

#define must(call) versions_must((call), #call, __FILE__, __LINE__)

static inline void versions_must(bool ok, const char *what, const char *file, int line)
{
    if (!ok) {
        fprintf(stderr, "%s:%d: %s failed\n", file, line, what);
        abort();
    }
}

/* -- folders -- */

struct folder {
    char path[64];
};

static inline void folder_new(struct folder *f)
{
    /* where a sync costs nothing */
    snprintf(f->path, sizeof f->path, "%s/scored-test-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    must(mkdtemp(f->path) != NULL);
}

static inline const char *folder_file(const struct folder *f, const char *name, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", f->path, name);
    return out;
}

static inline unsigned folder_empty(const struct folder *f)
{
    char path[PATH_MAX];
    unsigned n = 0;
    DIR *d = opendir(f->path);

    for (struct dirent *entry; d && (entry = readdir(d)) != NULL;)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            n += unlink(folder_file(f, entry->d_name, path)) == 0;
    if (d)
        closedir(d);
    return n;
}

static inline void folder_remove(const struct folder *f)
{
    folder_empty(f);
    rmdir(f->path);
}

static inline void folder_copy(const struct folder *f, const char *from, const char *name)
{
    struct source_file file = {0};
    struct err e = {0};

    must(file_read(from, 1 << 20, &file, &e));
    must(file_put(f->path, name, file.bytes, file.n, 0600, &e));
    free(file.bytes);
}

/* All files of a folder. */
static inline void folder_copy_all(const struct folder *f, const char *from)
{
    DIR *d = opendir(from);

    must(d != NULL);
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", from, entry->d_name);
        if (entry->d_name[0] != '.')
            folder_copy(f, path, entry->d_name);
    }
    closedir(d);
}

/* A version takes the place of what was published; the other files are there already. */
static inline void folder_publish(const struct folder *f, const char *version)
{
    char from[PATH_MAX];

    snprintf(from, sizeof from, VERSIONS_DIR "/%s.json", version);
    folder_copy(f, from, "bundle.json");
}

/* -- a source -- */

struct versions {
    _Atomic(const char *) published; /* what bundle.json is; NULL: there is none */
    atomic_int down;                 /* so many manifests cannot be had */
    const char *spoilt;              /* files that begin so come with a bit changed; or NULL */
    const char *missing;             /* files that begin so cannot be had; or NULL */
    unsigned looks;                  /* manifests asked for */
    unsigned fetches;                /* other files */
    bool whole;                      /* the last look was not conditional */
    int look_policy, fetch_policy;   /* how the threads that asked are scheduled */
    bool no_tags;
};

static inline bool versions_starts(const char *name, const char *with)
{
    return with && strncmp(name, with, strlen(with)) == 0;
}

static inline bool versions_manifest(struct versions *v, const struct source_request *r,
                                     struct source_file *f, struct err *e)
{
    const char *published = atomic_load(&v->published);
    char path[PATH_MAX];

    v->looks++;
    v->look_policy = sched_getscheduler(0);
    v->whole = !r->tag;
    if (atomic_fetch_sub(&v->down, 1) > 0)
        return err_set(e, ERR_UPSTREAM, "no answer");
    atomic_store(&v->down, 0);
    snprintf(path, sizeof path, VERSIONS_DIR "/%s.json", published ? published : "none");
    if (!file_read(path, r->max, f, e))
        return false;
    if (v->no_tags)
        return true;
    snprintf(f->tag, sizeof f->tag, "\"%.32s\"", f->sha256);
    if (r->tag && strcmp(r->tag, f->tag) == 0) {
        free(f->bytes);
        f->bytes = NULL;
        f->unchanged = true;
    }
    return true;
}

static inline bool versions_fetch(void *context, const struct source_request *r,
                                  struct source_file *f, struct err *e)
{
    struct versions *v = context;
    char path[PATH_MAX];

    if (versions_starts(r->name, "bundle"))
        return versions_manifest(v, r, f, e);
    v->fetches++;
    v->fetch_policy = sched_getscheduler(0);
    if (versions_starts(r->name, v->missing))
        return err_set(e, ERR_NOT_FOUND, "%s: does not exist", r->name);
    snprintf(path, sizeof path, VERSIONS_DIR "/%s", r->name);
    if (!file_read(path, r->max, f, e))
        return err_wrap(e, "%s", r->name);
    if (versions_starts(r->name, v->spoilt)) {
        f->bytes[f->n / 2] ^= 1;
        must(sha256_hex(f->bytes, f->n, f->sha256, e));
    }
    return true;
}

/* As the source behind an s3:// URI. `cache`: a folder, or NULL. */
static inline struct source *versions_source(struct versions *v, const char *cache)
{
    struct source *s = calloc(1, sizeof *s);
    struct err e = {0};

    must(s != NULL);
    s->uri = strdup("s3://models/cars");
    must(s->uri != NULL);
    memcpy(s->manifest, "bundle.json", sizeof "bundle.json");
    s->remote = true;
    s->fetch = versions_fetch;
    s->context = v;
    if (cache)
        must(cache_open(s, cache, 1 << 20, &e));
    return s;
}

/* A registry of one slot without a model, as it is before the loader runs. */
static inline void versions_open(struct registry *r, struct versions *v, const char *cache,
                                 const struct registry_options *options)
{
    *r = (struct registry){.options = *options, .n_slots = 1, .slots = calloc(1, sizeof *r->slots)};
    must(r->slots != NULL);
    pthread_mutex_init(&r->slots->lock, NULL);
    r->slots->source = versions_source(v, cache);
    memo_read(r->slots);
}

/* A turn, and what fell out freed. */
static inline struct turn versions_turn(struct registry *r, bool whole)
{
    struct turn t;

    slot_turn(r, r->slots, whole, &t);
    model_release(t.next);
    model_release(t.out);
    t.next = t.out = NULL;
    return t;
}

static const struct registry_options versions_options = {
    .model = {.workers = 1, .scratch = 256 << 10, .frame_rows = 64, .verify = true},
    .poll_ms = 1000,
    .keep = 1,
};

/* -- answers -- */

/* What a version answers to {"km":2,"year":3}, bit for bit. */
static inline const char *versions_answer(const char *version)
{
    static const char *const known[][2] = {
        {"v1", "{\"prediction\":4.25,\"features\":[2.0,3.0]}"},
        {"v2", "{\"prediction\":7.25,\"features\":[2.0,3.0]}"},
        {"v3", "{\"prediction\":10.25,\"features\":[2.0,3.0]}"},
        {"output_dropped", "{\"prediction\":7.25}"},
        {"output_resized", "{\"prediction\":9.25,\"features\":[2.0,3.0,2.0]}"},
    };

    for (size_t i = 0; i < countof(known); i++)
        if (strcmp(known[i][0], version) == 0)
            return known[i][1];
    return known[1][1];
}

/* Whether the model answers as the version that it says it is. */
static inline bool versions_scores(const struct model *m, unsigned worker)
{
    char body[] = "{\"km\":2,\"year\":3}";
    struct body_problem why;
    struct buf out = {0};
    struct scratch scratch;
    struct scoring s = {.plan = &m->plan,
                        .schema = m->schema,
                        .question = &m->defaults,
                        .frame = m->frames[worker],
                        .scratch = &scratch};
    struct err e;
    bool ok = scratch_init(&scratch, 0, &e) &&
              score_body(&s, body, sizeof body - 1, &out, &why) == 200 &&
              strcmp(out.data, versions_answer(m->bundle->version)) == 0;

    buf_done(&out);
    scoring_done(&s);
    scratch_done(&scratch);
    return ok;
}

/* Whether this version is current, and answers as it should. */
static inline bool versions_serves(struct registry *r, const char *version)
{
    struct model *m = slot_acquire(r->slots);
    bool ok = m && strcmp(m->bundle->version, version) == 0 && versions_scores(m, 0);

    model_release(m);
    return ok;
}

#endif
