/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bundles come from. Model code gets bytes only through this, so that it never sees files,
 * S3 or the cache, and tests pass a fake. One thread at a time uses a source.
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

struct source_options {
    const char *cache;    /* folder of verified files; NULL or "": none */
    uint64_t cache_bytes; /* its bound */
    /* Told how far a fetch is, on the thread that fetches, a few times a second; may be NULL. */
    void (*progress)(void *context, const char *name, uint64_t done, uint64_t total);
    void *context;
    const atomic_bool *stop; /* once set, fetches fail soon; may be NULL */
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
    _Atomic uint64_t credentials_expire_ms; /* of those last used, since 1970; 0: never, or none */
    struct err cache_error; /* why a file could not be kept, if so; whoever tells it clears it */
};

/* Opens a path or a file:// URI of a directory, or s3://bucket/prefix/; "#sha256=<64 hex>" behind
 * it pins a manifest, whose file name is then "bundle-<first 16>.json". Nothing is read yet.
 * `options` may be NULL: no cache, no progress. */
struct source *source_open(const char *uri, const struct source_options *options, struct err *e);
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

const char *source_library(void); /* the version of libcurl */

#endif
