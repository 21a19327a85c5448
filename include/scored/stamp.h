/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file was replaced or written since it was last looked at. */
#ifndef SCORED_STAMP_H
#define SCORED_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

/* {0}: no file. All that is not a regular file counts as never changing: a pipe says what it has to
 * say once. */
struct stamp {
    bool there, regular;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written, changed;
};

/* To be taken before the file is read: what is written meanwhile is then a change. */
void stamp_take(struct stamp *s, const char *path);

bool stamp_same(const struct stamp *a, const struct stamp *b);

/* Whether the file differs from what `s` says, which then says what it is now. */
bool stamp_moved(struct stamp *s, const char *path);

#endif
