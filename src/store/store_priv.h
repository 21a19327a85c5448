/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_STORE_PRIV_H
#define SCORED_STORE_PRIV_H

#include "scored/source.h"

/* Makes `s` read files of a directory. */
bool file_source(struct source *s, const char *path, struct err *e);

#endif
