/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of one thread that scores, shared by all models: what requests bring, decoded, and
 * what stages make of it. Nothing here is freed one by one: a frame begins with clearing it.
 */
#ifndef SCORED_SCRATCH_H
#define SCORED_SCRATCH_H

#include "scored/err.h"

#include <stddef.h>

struct scratch_chunk;

struct scratch {
    /* what requests bring: as many chunks as they need, for no body needs more than a multiple of
       its own size */
    struct scratch_chunk *brought;
    /* what stages make: so many bytes and no more, pages touched as they are used */
    unsigned char *made;
    size_t size, used;
    size_t peak, touched; /* most that was used since the last look, and that has pages */
    unsigned turns;       /* since then */
};

bool scratch_init(struct scratch *s, size_t size, struct err *e);
void scratch_done(struct scratch *s); /* takes {0} too */

/* Forgets all that is in it. */
void scratch_clear(struct scratch *s);

/* Memory for what a request brings, aligned to 8: `want` bytes that begin with the `had` ones of
 * `old`, which came from here (NULL: none) and is no longer used. NULL: there is none. */
void *scratch_bring(struct scratch *s, void *old, size_t had, size_t want);

/* Memory for what a stage makes of a row, aligned to 8, or NULL where too little is left. All of it
 * comes from here, through frame_take. */
void *scratch_take(struct scratch *s, size_t bytes);

/* Forgets what stages made, and keeps what the request brought. */
void scratch_rewind_used(struct scratch *s);
static inline void scratch_rewind(struct scratch *s)
{
    if (s->used)
        scratch_rewind_used(s);
}

#endif
