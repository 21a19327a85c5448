/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache: one file a digest, in one folder. A file is written under a name that no reader looks
 * for, forced to disk, and then renamed: a name that is a digest has always been whole once. What
 * is read is hashed again all the same, for disks and people change files.
 *
 * Several processes may share a folder: names are unique to a process and a moment, a rename
 * replaces equal bytes by equal bytes, and a file that another process removed is just a miss.
 */
#include "store_priv.h"

#include "scored/clock.h"
#include "scored/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WRITE_PIECE = 256 * 1024, /* bytes of one write(2) */
    CACHE_FILES = 4096,       /* looked at when space is made */
    LEFTOVER_SECONDS = 3600,  /* after which an unfinished file is nobody's */
};

static const char part_mark[] = ".part-";

struct cache {
    uint64_t max_bytes;
    char folder[]; /* with no slash behind it */
};

static bool make_folder(const char *path, struct err *e)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    return err_errno(e, path);
}

struct cache *cache_new(const char *folder, uint64_t max_bytes, struct err *e)
{
    size_t n = strlen(folder);
    struct cache *c = calloc(1, sizeof *c + n + 1);

    if (!c) {
        err_memory(e);
        return NULL;
    }
    c->max_bytes = max_bytes;
    memcpy(c->folder, folder, n + 1);
    while (n > 1 && c->folder[n - 1] == '/')
        c->folder[--n] = '\0';
    if (make_folder(c->folder, e) && access(c->folder, R_OK | W_OK | X_OK) == 0)
        return c;
    if (!e->code)
        err_errno(e, c->folder);
    err_wrap(e, "--cache");
    free(c);
    return NULL;
}

void cache_free(struct cache *c)
{
    free(c);
}

static bool is_digest(const char *name)
{
    return strlen(name) == SHA256_HEX && strspn(name, "0123456789abcdef") == SHA256_HEX;
}

static bool path_of(const struct cache *c, const char *name, char out[PATH_MAX])
{
    return snprintf(out, PATH_MAX, "%s/%s", c->folder, name) < PATH_MAX;
}

bool cache_get(struct cache *c, const char *sha256, uint64_t max, struct source_file *f)
{
    char path[PATH_MAX];
    struct err ignored = {0};

    if (!is_digest(sha256) || !path_of(c, sha256, path))
        return false;
    if (!file_read(path, max, f, &ignored))
        return false;
    if (strcmp(f->sha256, sha256) == 0) {
        utimensat(AT_FDCWD, path, NULL, 0); /* used now: the oldest go first */
        return true;
    }
    free(f->bytes);
    *f = (struct source_file){0};
    unlink(path);
    return false;
}

static bool write_all(int fd, const unsigned char *p, size_t n)
{
    while (n) {
        fault_point("cache.write");
        ssize_t put = write(fd, p, n < WRITE_PIECE ? n : WRITE_PIECE);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool file_replace(const char *folder, const char *name, const void *p, size_t n, struct err *e)
{
    char path[PATH_MAX], part[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        snprintf(part, sizeof part, "%s/%.32s%s%ld-%llx", folder, name, part_mark, (long)getpid(),
                 (unsigned long long)clock_ns()) >= (int)sizeof part)
        return err_set(e, ERR_USAGE, "%s: the path is too long", folder);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(e, part);
    bool ok = write_all(fd, p, n);
    fault_point("cache.sync");
    ok = ok && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    fault_point("cache.rename");
    if (ok && rename(part, path) == 0 && sync_folder(folder)) {
        fault_point("cache.renamed");
        return true;
    }
    err_errno(e, path);
    unlink(part);
    return false;
}

/* -- the bound -- */

struct entry {
    char name[SHA256_HEX + 1];
    uint64_t bytes;
    struct timespec used;
};

static int by_age(const void *a, const void *b)
{
    const struct timespec *x = &((const struct entry *)a)->used;
    const struct timespec *y = &((const struct entry *)b)->used;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* An unfinished file that was not touched for long: its writer is gone. */
static void remove_leftover(int folder, const char *name, const struct stat *st)
{
    if (strstr(name, part_mark) && (uint64_t)st->st_mtime + LEFTOVER_SECONDS < clock_ms() / 1000)
        unlinkat(folder, name, 0);
}

static unsigned list_files(DIR *d, struct entry *entries, uint64_t *total)
{
    unsigned n = 0;
    struct dirent *entry;

    /* the stream is this thread's own */
    while ((entry = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        struct stat st;
        if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
            continue;
        remove_leftover(dirfd(d), entry->d_name, &st);
        if (!is_digest(entry->d_name) || n == CACHE_FILES)
            continue;
        memcpy(entries[n].name, entry->d_name, sizeof entries[n].name);
        entries[n].bytes = (uint64_t)st.st_size;
        entries[n].used = st.st_mtim;
        *total += entries[n++].bytes;
    }
    return n;
}

/* Removes the files that were used longest ago until `more` bytes fit. */
static void make_room(const struct cache *c, uint64_t more)
{
    struct entry *entries = malloc(CACHE_FILES * sizeof *entries);
    DIR *d = entries ? opendir(c->folder) : NULL;
    uint64_t total = 0;

    if (d) {
        unsigned n = list_files(d, entries, &total);
        qsort(entries, n, sizeof *entries, by_age);
        for (unsigned i = 0; i < n && total + more > c->max_bytes; i++)
            if (unlinkat(dirfd(d), entries[i].name, 0) == 0)
                total -= entries[i].bytes;
        closedir(d);
    }
    free(entries);
}

bool cache_put(struct cache *c, const char *sha256, const unsigned char *p, size_t n, struct err *e)
{
    if (n > c->max_bytes)
        return err_set(e, ERR_USAGE,
                       "%zu bytes are more than the cache may hold (--cache-bytes %llu)", n,
                       (unsigned long long)c->max_bytes);
    make_room(c, n);
    return file_replace(c->folder, sha256, p, n, e);
}

bool cache_note_put(struct cache *c, const char *name, const char *p, size_t n, struct err *e)
{
    return file_replace(c->folder, name, p, n, e);
}

bool cache_note_get(struct cache *c, const char *name, uint64_t max, struct source_file *f)
{
    char path[PATH_MAX];
    struct err ignored = {0};

    return path_of(c, name, path) && file_read(path, max, f, &ignored);
}
