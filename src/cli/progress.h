/* SPDX-License-Identifier: Apache-2.0 */
/* How far a download is: one line on a terminal, rewritten; nothing elsewhere. */
#ifndef SCORED_CLI_PROGRESS_H
#define SCORED_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool terminal;
    uint64_t total, before; /* bytes of all files, and of those that are done */
    uint64_t last_done;     /* bytes shown of one file, where the total is not known */
    uint64_t start_ns, last_ns;
};

/* Before a source is opened with progress_tell. Until the total is known each file is shown on its
 * own. */
void progress_init(struct progress *p);
void progress_start(struct progress *p, uint64_t total);
void progress_done(struct progress *p, uint64_t bytes); /* of one file */
void progress_end(struct progress *p);                  /* clears the line */

/* For struct source_options; `context` is the struct progress. */
void progress_tell(void *context, const char *name, uint64_t done, uint64_t total);

#endif
