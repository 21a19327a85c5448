/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bundles come from. Model code gets bytes only through this, so that it never sees files or
 * S3 and tests pass a fake.
 */
#ifndef SCORED_SOURCE_H
#define SCORED_SOURCE_H

#include "scored/err.h"

#include <stdint.h>

struct source {
    /* Reads a whole file of at most `max` bytes into malloc'ed memory, with a NUL behind it.
     * ERR_NOT_FOUND where it does not exist. `name` has no slash. */
    bool (*fetch)(void *context, const char *name, uint64_t max, unsigned char **bytes, size_t *n,
                  struct err *e);
    void (*free)(void *context);
    void *context;
    char *uri;         /* for messages, without the pin */
    char manifest[32]; /* its file name */
    char pin[65];      /* the digest the manifest must have, or "" */
};

/* Opens a path or a file:// URI, of a directory; "#sha256=<64 hex>" behind it pins a manifest. The
 * manifest's file name is then "bundle-<first 16>.json". */
struct source *source_open(const char *uri, struct err *e);
void source_free(struct source *s); /* takes NULL */

#endif
