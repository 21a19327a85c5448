/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles in a directory. A file is read once into memory of our own, and hashed there: a mapping
 * could change, or vanish, under the digest that was computed over it.
 */
#include "scored/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE = 256 << 10, /* read, then hashed while the processor has it in its cache */
    HUGE_PAGE = 2 << 20,
};

unsigned char *file_memory(size_t n, struct err *e)
{
    bool huge = n >= 2 * (size_t)HUGE_PAGE;
    size_t align = huge ? HUGE_PAGE : 64;
    unsigned char *p = aligned_alloc(align, (n + align) & ~(align - 1));

    if (!p) {
        err_memory(e);
        return NULL;
    }
    if (huge)
        madvise(p, n, MADV_HUGEPAGE); /* fewer page faults; no loss where it is refused */
    p[n] = '\0';
    return p;
}

bool file_of_bytes(struct source_file *f, const char *p, size_t n, struct err *e)
{
    f->bytes = file_memory(n, e);
    if (!f->bytes)
        return false;
    if (n)
        memcpy(f->bytes, p, n);
    f->n = n;
    if (sha256_hex(f->bytes, n, f->sha256, e))
        return true;
    free(f->bytes);
    f->bytes = NULL;
    return false;
}

static bool read_all(int fd, unsigned char *bytes, size_t n, struct sha256 *digest, struct err *e)
{
    size_t at = 0;

    while (at < n) {
        ssize_t got = read(fd, bytes + at, n - at < PIECE ? n - at : PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, "read");
        if (got == 0)
            return err_set(e, ERR_BAD_BUNDLE, "the file became shorter while it was read");
        if (!sha256_add(digest, bytes + at, (size_t)got))
            return err_memory(e);
        at += (size_t)got;
    }
    return true;
}

static bool read_fd(int fd, uint64_t max, struct source_file *f, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_errno(e, "stat");
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_BAD_BUNDLE, "not a regular file");
    if ((uint64_t)st.st_size > max)
        return err_set(e, ERR_BAD_BUNDLE, "%llu bytes, at most %llu are allowed",
                       (unsigned long long)st.st_size, (unsigned long long)max);
    struct sha256 *digest = sha256_new(e);
    size_t size = (size_t)st.st_size;
    unsigned char *p = digest ? file_memory(size, e) : NULL;
    bool ok = p && read_all(fd, p, size, digest, e) && sha256_end(digest, f->sha256, e);
    sha256_free(digest);
    if (!ok) {
        free(p);
        return false;
    }
    f->bytes = p;
    f->n = size;
    return true;
}

bool file_read(const char *path, uint64_t max, struct source_file *f, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return err_set(e, ERR_NOT_FOUND, "does not exist");
    if (fd < 0)
        return err_errno(e, "open");
    *f = (struct source_file){0};
    bool ok = read_fd(fd, max, f, e);
    close(fd);
    return ok;
}

static bool fetch(void *context, const struct source_request *r, struct source_file *f,
                  struct err *e)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", (const char *)context, r->name) >= (int)sizeof path)
        return err_set(e, ERR_USAGE, "%s: the path is too long", r->name);
    if (!file_read(path, r->max, f, e))
        return err_wrap(e, "%s", r->name);
    /* of a file the digest itself names its state */
    if (r->tag && strcmp(r->tag, f->sha256) == 0) {
        free(f->bytes);
        *f = (struct source_file){.unchanged = true};
        memcpy(f->tag, r->tag, SHA256_HEX + 1);
        return true;
    }
    memcpy(f->tag, f->sha256, SHA256_HEX + 1);
    return true;
}

bool source_of_folder(struct source *s, const char *path, struct err *e)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return err_errno(e, path);
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_BAD_BUNDLE,
                       "%s: not a directory; give the one that holds bundle.json", path);
    s->context = strdup(path);
    if (!s->context)
        return err_memory(e);
    s->fetch = fetch;
    s->free = free;
    return true;
}

struct source *source_open_folder(const char *uri, struct err *e)
{
    static const char scheme[] = "file://";
    struct source *s = source_new(uri, e);

    if (!s)
        return NULL;
    bool named = strncmp(s->uri, scheme, sizeof scheme - 1) == 0;
    if (source_of_folder(s, named ? s->uri + sizeof scheme - 1 : s->uri, e))
        return s;
    source_free(s);
    return NULL;
}
