/* SPDX-License-Identifier: Apache-2.0 */
/* Sources by their URI: folders, S3 and MLflow's registry, these two with a cache of verified files
 * in front of them. */
#ifndef SCORED_STORE_H
#define SCORED_STORE_H

#include "scored/source.h"

struct source_options {
    const char *cache;    /* folder of verified files; NULL or "": none */
    uint64_t cache_bytes; /* its bound */
    /* URL of the tracking server that knows models:/; NULL or "": MLFLOW_TRACKING_URI says it. */
    const char *mlflow;
    /* Told how far a fetch is, on the thread that fetches, a few times a second; may be NULL. */
    void (*progress)(void *context, const char *name, uint64_t done, uint64_t total);
    void *context;
    const atomic_bool *stop; /* once set, fetches fail soon; may be NULL */
};

/* Opens what source_open_folder opens, s3://bucket/prefix/, models:/NAME@ALIAS or
 * models:/NAME/VERSION of MLflow's registry; each may be pinned. Nothing is
 * read yet. `options` may be NULL: no cache, no progress. */
struct source *source_open(const char *uri, const struct source_options *options, struct err *e);

const char *store_library(void); /* the version of libcurl */

#endif
