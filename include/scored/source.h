/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bundles come from. Model code gets bytes only through this, so that it never sees S3 or the
 * cache (store.h), and tests pass a fake. Folders are read here. One thread at a time uses a
 * source.
 */
#ifndef SCORED_SOURCE_H
#define SCORED_SOURCE_H

#include "scored/crypto.h"
#include "scored/err.h"

#include <stdatomic.h>
#include <stdint.h>

enum { SOURCE_TAG = 256 };

/* What to read. */
struct source_request {
    const char *name; /* of a file of the bundle; no slash */
    uint64_t max;     /* bytes at most */
    const char
        *sha256;     /* the digest it must have, where it is known: lets a cache answer; or NULL */
    const char *tag; /* of an earlier answer: only a changed file is wanted; or NULL */
};

/* What came. `bytes` is the caller's to free(): 64-aligned, with a NUL behind them. The digest was
 * computed over these very bytes, and equals the request's where it named one. */
struct source_file {
    unsigned char *bytes; /* NULL where it is unchanged */
    size_t n;
    char sha256[SHA256_HEX + 1];
    char tag[SOURCE_TAG]; /* names this state of the file (an ETag); "" where there is none */
    bool unchanged;
};

/* Where verified files are kept by digest, and notes by name: store/cache.c. */
struct cache;
struct cache_calls {
    /* False: it is not there, or was not what it should be. */
    bool (*get)(struct cache *c, const char *sha256, uint64_t max, struct source_file *f);
    bool (*note_get)(struct cache *c, const char *name, uint64_t max, struct source_file *f);
    /* Failures are told in `e`, and nothing is lost by them. */
    bool (*put)(struct cache *c, const char *sha256, const unsigned char *p, size_t n,
                struct err *e);
    bool (*note_put)(struct cache *c, const char *name, const char *p, size_t n, struct err *e);
    void (*free)(struct cache *c);
};

struct source {
    /* ERR_NOT_FOUND where the file does not exist, ERR_UPSTREAM where it could not be had now,
     * ERR_BAD_BUNDLE where what came is not what was asked for. */
    bool (*fetch)(void *context, const struct source_request *r, struct source_file *f,
                  struct err *e);
    void (*free)(void *context);
    void *context;
    char *uri;                              /* for messages, without the pin */
    char manifest[32];                      /* its file name */
    char pin[65];                           /* the digest the manifest must have, or "" */
    bool remote;                            /* may be out of reach for a while */
    bool cache_only;                        /* what is not in the cache is not found */
    struct cache *cache;                    /* or NULL */
    const struct cache_calls *calls;        /* of the cache */
    _Atomic uint64_t credentials_expire_ms; /* of those last used, since 1970; 0: never, or none */
    struct err cache_error; /* why a file could not be kept, if so; whoever tells it clears it */
};

/* A source without a kind: a copy of the URI with the pin split off, "#sha256=<64 hex>", which
 * names a manifest whose file name is then "bundle-<first 16>.json". */
struct source *source_new(const char *uri, struct err *e);
/* Opens a path or a file:// URI of a directory, maybe pinned. Nothing is read yet. */
struct source *source_open_folder(const char *uri, struct err *e);
/* Makes `s` read files of a directory. `path` is copied. */
bool source_of_folder(struct source *s, const char *path, struct err *e);
void source_free(struct source *s); /* takes NULL */

/* Reads a file: from the cache where the digest is known and there, else from where it is, and then
 * keeps it in the cache. */
bool source_fetch(struct source *s, const struct source_request *r, struct source_file *f,
                  struct err *e);

/* With a cache: keeps a verified file that source_fetch did not keep, as a manifest; and a memo, a
 * small text about the source, one a URI, that outlives the process. Without one nothing is kept
 * and nothing read; failures are in cache_error. */
void source_keep(struct source *s, const struct source_file *f);
void source_memo_write(struct source *s, const char *text, size_t n);
bool source_memo_read(struct source *s, struct source_file *f); /* bytes: the caller's */

/* Reads and hashes a regular file of at most `max` bytes. ERR_NOT_FOUND where there is none. */
bool file_read(const char *path, uint64_t max, struct source_file *f, struct err *e);

/* Memory for n bytes and a NUL behind them, 64-aligned, freed by free(). */
unsigned char *file_memory(size_t n, struct err *e);
/* Makes `f` hold a copy of n bytes that came, and their digest. */
bool file_of_bytes(struct source_file *f, const char *p, size_t n, struct err *e);

#endif
