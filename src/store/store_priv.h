/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of sources, and the cache of verified files. */
#ifndef SCORED_STORE_PRIV_H
#define SCORED_STORE_PRIV_H

#include "scored/store.h"

/* Makes `s` read objects below s3://bucket/prefix/. `options` is copied, what it points at must
 * stay. */
bool s3_source(struct source *s, const char *uri, const struct source_options *options,
               struct err *e);

/* Makes `s` read the files of models:/NAME@ALIAS or models:/NAME/VERSION, which MLflow's registry
 * knows the place of. */
bool mlflow_source(struct source *s, const char *uri, const struct source_options *options,
                   struct err *e);

/*
 * Verified files by digest, "<folder>/<64 hex>". A file gets its name when it is whole and on disk;
 * what is read is hashed again, and a file that was altered is removed. Safe for several processes
 * on one folder.
 */
struct cache *cache_new(const char *folder, uint64_t max_bytes, struct err *e);
void cache_free(struct cache *c); /* takes NULL */

/* Gives a source a cache, which is its own from then on. */
bool cache_open(struct source *s, const char *folder, uint64_t max_bytes, struct err *e);

/* False: it is not there, or was not what it should be. */
bool cache_get(struct cache *c, const char *sha256, uint64_t max, struct source_file *f);

/* Keeps bytes whose digest this is; failures are told in `e`, and nothing is lost by them. The
 * oldest unused files go where the bound is passed. */
bool cache_put(struct cache *c, const char *sha256, const unsigned char *p, size_t n,
               struct err *e);

/* A file of the cache's folder that is not named by its digest. */
bool cache_note_put(struct cache *c, const char *name, const char *p, size_t n, struct err *e);
bool cache_note_get(struct cache *c, const char *name, uint64_t max, struct source_file *f);

#endif
