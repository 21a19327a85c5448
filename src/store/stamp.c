/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

void stamp_take(struct stamp *s, const char *path)
{
    struct stat st;

    *s = (struct stamp){0};
    if (stat(path, &st) < 0)
        return;
    s->there = true;
    s->regular = S_ISREG(st.st_mode);
    if (!s->regular)
        return;
    s->device = st.st_dev;
    s->inode = st.st_ino;
    s->size = st.st_size;
    s->written = st.st_mtim;
    s->changed = st.st_ctim;
}

bool stamp_moved(struct stamp *s, const char *path)
{
    struct stamp was = *s;

    stamp_take(s, path);
    return was.there != s->there || was.regular != s->regular || was.device != s->device ||
           was.inode != s->inode || was.size != s->size || !same_time(was.written, s->written) ||
           !same_time(was.changed, s->changed);
}
