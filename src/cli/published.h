/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle as it was published, for the commands that look at its files and not at its model. */
#ifndef SCORED_CLI_PUBLISHED_H
#define SCORED_CLI_PUBLISHED_H

#include "scored/bundle.h"
#include "scored/signature.h"
#include "scored/store.h"

struct published {
    struct source_file manifest, envelope; /* envelope.bytes is NULL where there is no signature */
    struct bundle *bundle;
    struct err no_envelope; /* why it could not be had, though it may be there */
    char envelope_name[32];
    char signer[KEY_ID]; /* "" where no signature was asked for */
};

/* Reads the manifest and its signature, verifies the signature where `trust` is not NULL, and only
 * then parses the manifest. published_done also after a failure. */
bool published_read(struct published *p, struct source *s, const struct trust *trust,
                    struct err *e);
void published_done(struct published *p);

/* Bytes of all files that the manifest lists. */
uint64_t published_size(const struct published *p);

/* Reads a file that the manifest lists; its size and digest are as listed. */
bool published_file(struct source *s, const struct bundle_file *listed, struct source_file *f,
                    struct err *e);

#endif
