/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_FILE_H
#define SCORED_FILE_H

#include "scored/err.h"

/* In the name of a file that is not whole yet. */
#define FILE_PART ".part-"

/* Writes a file so that its name stands for the old bytes or the new ones, whatever happens: under
 * a name that nobody looks for, forced to disk, renamed. `mode` is less the umask. */
bool file_put(const char *folder, const char *name, const void *p, size_t n, unsigned mode,
              struct err *e);

#endif
