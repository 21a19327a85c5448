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
#include "scored/file.h"
#include "scored/hex.h"

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
    PRIVATE = 0600,          /* golden rows are customers' data */
    CACHE_FILES = 4096,      /* looked at when space is made */
    LEFTOVER_SECONDS = 3600, /* after which an unfinished file is nobody's */
};

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

static bool path_of(const struct cache *c, const char *name, char out[PATH_MAX])
{
    return snprintf(out, PATH_MAX, "%s/%s", c->folder, name) < PATH_MAX;
}

bool cache_get(struct cache *c, const char *sha256, uint64_t max, struct source_file *f)
{
    char path[PATH_MAX];
    struct err ignored = {0};

    if (!hex_is(sha256, SHA256_HEX) || !path_of(c, sha256, path))
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
    if (strstr(name, FILE_PART) && (uint64_t)st->st_mtime + LEFTOVER_SECONDS < clock_ms() / 1000)
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
        if (!hex_is(entry->d_name, SHA256_HEX) || n == CACHE_FILES)
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
    return file_put(c->folder, sha256, p, n, PRIVATE, e);
}

bool cache_note_put(struct cache *c, const char *name, const char *p, size_t n, struct err *e)
{
    return file_put(c->folder, name, p, n, PRIVATE, e);
}

bool cache_note_get(struct cache *c, const char *name, uint64_t max, struct source_file *f)
{
    char path[PATH_MAX];
    struct err ignored = {0};

    return path_of(c, name, path) && file_read(path, max, f, &ignored);
}
