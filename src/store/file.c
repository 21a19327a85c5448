/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles in a directory. A file is read once into memory of our own: a mapping could change, or
 * vanish, under the digest that was computed over it.
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(int fd, unsigned char *bytes, size_t n, struct err *e)
{
    size_t at = 0;

    while (at < n) {
        ssize_t got = read(fd, bytes + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, "read");
        if (got == 0)
            return err_set(e, ERR_BAD_BUNDLE, "the file became shorter while it was read");
        at += (size_t)got;
    }
    return true;
}

static bool read_fd(int fd, uint64_t max, unsigned char **bytes, size_t *n, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_errno(e, "stat");
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_BAD_BUNDLE, "not a regular file");
    if ((uint64_t)st.st_size > max)
        return err_set(e, ERR_BAD_BUNDLE, "%llu bytes, at most %llu are allowed",
                       (unsigned long long)st.st_size, (unsigned long long)max);
    size_t size = (size_t)st.st_size;
    /* 64-aligned, so that blocks behind a padded header are */
    unsigned char *p = aligned_alloc(64, (size + 64) & ~(size_t)63);
    if (!p)
        return err_memory(e);
    if (!read_all(fd, p, size, e)) {
        free(p);
        return false;
    }
    p[size] = '\0';
    *bytes = p;
    *n = size;
    return true;
}

static bool fetch(void *context, const char *name, uint64_t max, unsigned char **bytes, size_t *n,
                  struct err *e)
{
    const int *directory = context;
    int fd = openat(*directory, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return err_set(e, ERR_NOT_FOUND, "%s: does not exist", name);
    if (fd < 0)
        return err_errno(e, name);
    bool ok = read_fd(fd, max, bytes, n, e) || err_wrap(e, "%s", name);
    close(fd);
    return ok;
}

static void free_context(void *context)
{
    int *directory = context;

    close(*directory);
    free(directory);
}

bool file_source(struct source *s, const char *path, struct err *e)
{
    int *directory = malloc(sizeof *directory);

    if (!directory)
        return err_memory(e);
    *directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*directory < 0) {
        err_errno(e, path);
        free(directory);
        return false;
    }
    s->fetch = fetch;
    s->free = free_context;
    s->context = directory;
    return true;
}
