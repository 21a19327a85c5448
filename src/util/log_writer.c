/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever reads the log may stop reading: a full pipe then holds the thread that writes, and no
 * other. What no longer fits into the ring is dropped, counted, and told where it is missing.
 */
#include "log_writer.h"

#include "scored/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    RING = 64 * 1024,
    WRITE_MAX = 4096, /* what a pipe takes whole: lines of several processes do not mix */
    LAST_MS = 200,    /* for what is left to write when the process ends */
    DROPS_LINE = 160,
};
_Static_assert(LOG_LINE_MAX + DROPS_LINE <= WRITE_MAX, "a line goes out by one write");

static struct {
    pthread_mutex_t lock; /* guards all below, but for what is atomic */
    pthread_cond_t wake;
    pthread_t thread;
    bool started, stopping;
    uint64_t untold;               /* of `dropped` */
    _Atomic uint64_t dropped;      /* lines */
    _Atomic uint64_t written, put; /* bytes; a byte's place is its number modulo RING */
    atomic_bool ended;
    char bytes[RING];
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* -- the ring, under its lock -- */

static bool fits(size_t n)
{
    return ring.put - ring.written + n <= RING;
}

static void append(const char *p, size_t n)
{
    size_t at = ring.put % RING, first = n < RING - at ? n : RING - at;

    memcpy(ring.bytes + at, p, first);
    memcpy(ring.bytes, p + first, n - first);
    ring.put += n;
}

/* Before the line that comes next, as those that were dropped would have stood before it. */
static bool tell_drops(size_t and_room_for)
{
    char line[DROPS_LINE];

    if (!ring.untold)
        return fits(and_room_for);
    unsigned n = log_drops(line, sizeof line, ring.untold);
    if (!fits(n + and_room_for))
        return false;
    append(line, n);
    ring.untold = 0;
    return true;
}

/* Whole lines from where writing has come to. */
static size_t take(char out[WRITE_MAX])
{
    size_t at = ring.written % RING, n = ring.put - ring.written;

    n = n < WRITE_MAX ? n : WRITE_MAX;
    size_t first = n < RING - at ? n : RING - at;
    memcpy(out, ring.bytes + at, first);
    memcpy(out + first, ring.bytes, n - first);
    while (n && out[n - 1] != '\n')
        n--;
    return n;
}

/* -- writing -- */

static void wait_until_writable(void)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

    poll(&p, 1, -1);
}

/* What cannot be written is lost: there is nowhere to say that stderr is gone. */
static void write_all(const char *p, size_t n)
{
    while (n) {
        ssize_t written = write(STDERR_FILENO, p, n);
        if (written > 0) {
            p += written;
            n -= (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            wait_until_writable();
        } else if (written == 0 || errno != EINTR) {
            return;
        }
    }
}

static void *write_lines(void *unused)
{
    char chunk[WRITE_MAX];

    (void)unused;
    pthread_mutex_lock(&ring.lock);
    for (;;) {
        tell_drops(0);
        size_t n = take(chunk);
        if (!n && ring.stopping)
            break;
        if (!n) {
            pthread_cond_wait(&ring.wake, &ring.lock);
            continue;
        }
        pthread_mutex_unlock(&ring.lock);
        write_all(chunk, n);
        pthread_mutex_lock(&ring.lock);
        ring.written += n;
    }
    pthread_mutex_unlock(&ring.lock);
    atomic_store(&ring.ended, true);
    return NULL;
}

void log_put(const char *line, unsigned n)
{
    pthread_mutex_lock(&ring.lock);
    bool direct = !ring.started;
    if (!direct && !ring.stopping && tell_drops(n)) {
        append(line, n);
        pthread_cond_signal(&ring.wake);
    } else if (!direct) {
        ring.untold++;
        ring.dropped++;
    }
    pthread_mutex_unlock(&ring.lock);
    if (direct)
        write_all(line, n);
}

uint64_t log_dropped(void)
{
    return atomic_load_explicit(&ring.dropped, memory_order_relaxed);
}

/* -- the beginning and the end -- */

static void pause_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    nanosleep(&moment, NULL);
}

/* The process dies of this signal: the other threads still run, so the writer may finish. Only what
 * is safe in a handler. */
static void on_fatal(int number)
{
    for (int ms = 0; ms < LAST_MS && atomic_load(&ring.written) != atomic_load(&ring.put); ms++)
        pause_a_moment();
    raise(number); /* the handler is gone; it comes when this returns */
}

/* A sanitizer's or a debugger's handlers stay. */
static void catch_fatal(void)
{
    static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
    const struct sigaction ours = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction old;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!sigaction(numbers[i], NULL, &old) && old.sa_handler == SIG_DFL)
            sigaction(numbers[i], &ours, NULL);
}

bool log_start(struct err *e)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    errno = pthread_create(&ring.thread, NULL, write_lines, NULL);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    if (failed)
        return err_errno(e, "cannot start the thread of the log");
    pthread_mutex_lock(&ring.lock);
    ring.started = true;
    pthread_mutex_unlock(&ring.lock);
    catch_fatal();
    return true;
}

void log_stop(void)
{
    if (!ring.started)
        return;
    pthread_mutex_lock(&ring.lock);
    ring.stopping = true;
    pthread_cond_signal(&ring.wake);
    pthread_mutex_unlock(&ring.lock);
    for (int ms = 0; ms < LAST_MS && !atomic_load(&ring.ended); ms++)
        pause_a_moment();
    if (!atomic_load(&ring.ended)) {
        pthread_detach(ring.thread); /* nobody reads: it ends with the process */
        return;
    }
    pthread_join(ring.thread, NULL);
    ring.started = ring.stopping = false;
    atomic_store(&ring.ended, false);
}
