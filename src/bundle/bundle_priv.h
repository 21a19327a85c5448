/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef SCORED_BUNDLE_PRIV_H
#define SCORED_BUNDLE_PRIV_H

#include "scored/bounds.h"
#include "scored/bundle.h"

/* Fills the bundle from its parsed manifest. */
bool manifest_read(struct bundle *b, struct err *e);

/* The same of its member "labels", which may be missing. */
bool labels_read(struct bundle *b, struct err *e);

/* Parses a blocks file; `n` bytes, 8 more than which are not read. */
bool blocks_read(struct bundle *b, const unsigned char *bytes, size_t n, struct err *e);

#endif
