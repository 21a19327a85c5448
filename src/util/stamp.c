/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/stamp.h"

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

bool stamp_same(const struct stamp *a, const struct stamp *b)
{
    return a->there == b->there && a->regular == b->regular && a->device == b->device &&
           a->inode == b->inode && a->size == b->size && same_time(a->written, b->written) &&
           same_time(a->changed, b->changed);
}

bool stamp_moved(struct stamp *s, const char *path)
{
    struct stamp was = *s;

    stamp_take(s, path);
    return !stamp_same(&was, s);
}
