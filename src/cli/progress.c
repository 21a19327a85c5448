/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "scored/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { EVERY_MS = 200 };

void progress_init(struct progress *p)
{
    *p = (struct progress){.terminal = isatty(STDERR_FILENO)};
}

void progress_start(struct progress *p, uint64_t total)
{
    progress_end(p);
    p->total = total;
    p->start_ns = clock_ns();
}

void progress_done(struct progress *p, uint64_t bytes)
{
    progress_tell(p, "", bytes, bytes);
    p->before += bytes;
}

void progress_end(struct progress *p)
{
    if (p->terminal && p->last_ns)
        fputs("\r\033[K", stderr);
    p->last_ns = 0;
}

void progress_tell(void *context, const char *name, uint64_t done, uint64_t total)
{
    struct progress *p = context;
    uint64_t now = clock_ns();

    (void)name;
    if (p->total)
        total = p->total;
    if (!p->terminal || !total || now - p->last_ns < EVERY_MS * UINT64_C(1000000))
        return;
    p->last_ns = now;
    if (!p->start_ns || done < p->last_done) /* another file, of its own total */
        p->start_ns = now;
    p->last_done = p->total ? 0 : done;
    double bytes = (double)(p->before + done), all = (double)total;
    double seconds = (double)(now - p->start_ns) / 1e9;
    double rate = seconds > 0 ? bytes / seconds : 0;
    fprintf(stderr, "\r\033[K%.1f of %.1f MB (%.0f %%), %.1f MB/s", bytes / 1e6, all / 1e6,
            100 * bytes / all, rate / 1e6);
    if (rate > 0 && bytes <= all)
        fprintf(stderr, ", %.0f s left", (all - bytes) / rate);
    fflush(stderr);
}
