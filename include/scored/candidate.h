/* SPDX-License-Identifier: Apache-2.0 */
/* A version on its way from a source to a model. */
#ifndef SCORED_CANDIDATE_H
#define SCORED_CANDIDATE_H

#include "scored/model.h"

/* Set source, options and rules; fetch the manifest; candidate_load; candidate_done in any case. */
struct candidate {
    struct source *source;
    const struct model_options *options;
    /* Rules beside those of the format, asked once the manifest is read; NULL: there are none. They
     * tell what they look at by candidate_at. */
    bool (*rules)(struct candidate *c, const struct model *next, struct err *e);
    struct source_file manifest, envelope; /* envelope: only where a signature is asked for */
    char signer[KEY_ID];                   /* whose signature was verified; "": none yet */
    atomic_uint phase; /* where it stands, and so where it failed; others may read it */
};

/* Signature, form, rules, memory, files, plan, golden rows. NULL on failure. The first reference is
 * the caller's. */
struct model *candidate_load(struct candidate *c, struct err *e);

/* The manifest by the envelope that is there and the keys of the options; sets the signer. */
bool candidate_verify(struct candidate *c, struct err *e);

void candidate_at(struct candidate *c, enum load_phase p);
void candidate_done(struct candidate *c);

#endif
