/* SPDX-License-Identifier: Apache-2.0 */
/* The forms that secrets, times and answers come in. */
#include "priv.h"

#include "scored/decimal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool secret_copy(char *out, size_t size, const char *value, const char *what, struct err *e)
{
    size_t n = strlen(value);

    if (n == 0)
        return err_set(e, ERR_UPSTREAM, "%s is empty", what);
    if (n >= size)
        return err_set(e, ERR_UPSTREAM, "%s has %zu bytes, at most %zu are allowed", what, n,
                       size - 1);
    for (size_t i = 0; i < n; i++)
        if (value[i] <= ' ' || value[i] > '~')
            return err_set(e, ERR_UPSTREAM,
                           "%s has a line break, a blank or another byte that cannot stand in it",
                           what);
    memcpy(out, value, n + 1);
    return true;
}

static bool read_fd(int fd, char *out, size_t size, struct err *e)
{
    size_t n = 0;

    while (n < size) {
        ssize_t got = read(fd, out + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_errno(e, "read");
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (n == size)
        return err_set(e, ERR_UPSTREAM, "more than %zu bytes", size - 1);
    out[n] = '\0';
    if (strlen(out) != n)
        return err_set(e, ERR_UPSTREAM, "contains a NUL byte");
    return true;
}

static void watch(struct credential_chain *c, const char *path)
{
    size_t n = strlen(path);

    if (n >= sizeof c->token_path)
        return;
    memcpy(c->token_path, path, n + 1);
    stamp_take(&c->token_stamp, path);
}

bool secret_file(struct credential_chain *c, const char *path, char *out, size_t size,
                 struct err *e)
{
    watch(c, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    bool ok = fd >= 0 ? read_fd(fd, out, size, e) : err_errno(e, "open");

    if (fd >= 0)
        close(fd);
    return ok || err_wrap(e, "%.200s", path);
}

/* -- numbers and times -- */

/* Exactly n digits at *p, which moves behind them. */
static bool digits(const char **p, unsigned n, int *out)
{
    int value = 0;

    for (unsigned i = 0; i < n; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        value = 10 * value + (**p - '0');
    }
    *out = value;
    return true;
}

static bool literal(const char **p, char c)
{
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* "Z" or "+hh:mm"; minutes to take away. */
static bool read_offset(const char **p, int *minutes)
{
    int sign = **p == '-' ? -1 : 1, h, m;

    *minutes = 0;
    if (literal(p, 'Z'))
        return true;
    if (!literal(p, '+') && !literal(p, '-'))
        return false;
    if (!digits(p, 2, &h) || !literal(p, ':') || !digits(p, 2, &m) || h > 23 || m > 59)
        return false;
    *minutes = sign * (60 * h + m);
    return true;
}

static bool in_range(const struct tm *t)
{
    return t->tm_year >= 1970 && t->tm_mon >= 1 && t->tm_mon <= 12 && t->tm_mday >= 1 &&
           t->tm_mday <= 31 && t->tm_hour <= 23 && t->tm_min <= 59 && t->tm_sec <= 60;
}

bool time_read(const char *text, uint64_t *ms)
{
    const char *p = text;
    struct tm t = {0};
    int minutes;

    bool ok = digits(&p, 4, &t.tm_year) && literal(&p, '-') && digits(&p, 2, &t.tm_mon) &&
              literal(&p, '-') && digits(&p, 2, &t.tm_mday) && literal(&p, 'T') &&
              digits(&p, 2, &t.tm_hour) && literal(&p, ':') && digits(&p, 2, &t.tm_min) &&
              literal(&p, ':') && digits(&p, 2, &t.tm_sec) && in_range(&t);
    if (ok && literal(&p, '.'))
        p += strspn(p, "0123456789");
    if (!ok || !read_offset(&p, &minutes) || *p)
        return false;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    int64_t seconds = (int64_t)timegm(&t) - 60 * (int64_t)minutes;
    if (seconds <= 0)
        return false;
    *ms = (uint64_t)seconds * 1000;
    return true;
}

bool number_read(const char *text, unsigned low, unsigned high, unsigned *out)
{
    uint64_t value;

    if (!decimal_read(text, strlen(text), low, high, &value))
        return false;
    *out = (unsigned)value;
    return true;
}
