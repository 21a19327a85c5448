/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/file.h"

#include "scored/clock.h"
#include "scored/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 }; /* bytes of one write(2) */

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        fault_point("file.write");
        ssize_t put = write(fd, p, n < PIECE ? n : PIECE);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

/* The folder holds the name: without this a rename may be forgotten when power fails. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool file_put(const char *folder, const char *name, const void *p, size_t n, unsigned mode,
              struct err *e)
{
    char path[PATH_MAX], part[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        snprintf(part, sizeof part, "%s/%.32s" FILE_PART "%ld-%llx", folder, name, (long)getpid(),
                 (unsigned long long)clock_ns()) >= (int)sizeof part)
        return err_set(e, ERR_USAGE, "%s: the path is too long", folder);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_errno(e, part);
    bool ok = write_all(fd, p, n);
    fault_point("file.sync");
    ok = (ok && fsync(fd) == 0) || err_errno(e, path);
    if (close(fd) < 0 && ok)
        ok = err_errno(e, path);
    fault_point("file.rename");
    if (ok && (rename(part, path) < 0 || !sync_folder(folder)))
        ok = err_errno(e, path);
    fault_point("file.renamed");
    if (!ok)
        unlink(part);
    return ok;
}
