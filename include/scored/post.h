/* SPDX-License-Identifier: Apache-2.0 */
/* A POST to somebody else's server, by the same client and rules as S3's: proxies by environment,
 * no redirects. One thread at a time uses a poster. */
#ifndef SCORED_POST_H
#define SCORED_POST_H

#include "scored/err.h"

#include <stdatomic.h>
#include <stddef.h>

struct post_header {
    const char *name, *value;
};

struct post {
    const char *url;
    const struct post_header *headers;
    unsigned n_headers;
    const char *body;
    size_t n;
    unsigned total_ms; /* for all of it */
};

struct poster;

/* Once `stop` is set calls fail soon. NULL on failure. */
struct poster *poster_new(const atomic_bool *stop, struct err *e);
void poster_free(struct poster *p); /* takes NULL */

/* True: a reply with a status of 2xx came. */
bool poster_post(struct poster *p, const struct post *what, struct err *e);

#endif
