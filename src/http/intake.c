/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MS UINT64_C(1000000)

static ssize_t peek(const struct connection *c, size_t n)
{
    return recv(c->fd, c->worker->peeked, n, MSG_PEEK | MSG_DONTWAIT);
}

bool intake_is_empty(const struct connection *c)
{
    return peek(c, 1) < 0 && (errno == EAGAIN || errno == EINTR);
}

bool intake_is_over(const struct connection *c)
{
    return peek(c, 1) <= 0;
}

/* Setting the low-water mark makes the kernel tell again what it has told. */
void intake_nudge(const struct connection *c)
{
    int one = 1;

    setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
}

/* -- heads -- */

/* `n` bytes were looked at. Those that came with them were told with them. */
static void grant(struct connection *c, const struct head_verdict *v, size_t n)
{
    uint64_t whole = v->size + v->length;

    c->head = *v;
    c->partial = false;
    c->granted = v->chunked ? UINT64_MAX : whole;
    c->behind = !v->chunked && n != whole;
}

static void wait_for_rest(struct connection *c)
{
    if (c->state == CONNECTION_HEAD || c->partial)
        return;
    if (c->state == CONNECTION_NEW)
        c->state = CONNECTION_HEAD;
    else
        c->partial = true;
    connection_deadline(c, c->worker->app->config->head_timeout * MS);
}

/* True: it is good. */
static bool judge(struct connection *c, size_t n)
{
    const struct head_limits limits = HEAD_LIMITS;
    struct head_verdict v;

    switch (head_judge(c->worker->peeked, n, !c->half_closed, &limits, &v)) {
    case HEAD_WHOLE: grant(c, &v, n); return true;
    case HEAD_WRONG: connection_refuse(c, v.problem, v.status, v.wrong); return false;
    case HEAD_PARTIAL: wait_for_rest(c); return false;
    }
    return false;
}

/* Under a load of long requests, those that would be refused are refused here, for a fraction of
 * what the library's connection alone would cost. */
static bool turn_away(struct connection *c, size_t n)
{
    struct worker *w = c->worker;
    const struct head_verdict *v = &c->head;

    if (w->listener->side != SIDE_PUBLIC ||
        !predict_is_hopeless(w->app, (struct text){w->peeked, (uint32_t)n}, v->size, v->length))
        return false;
    metrics_event(w->app->metrics, w->index, EVENT_QUEUE_WAIT);
    connection_tell(c, PROBLEM_OVERLOADED, 503, "the requests before this one take too long");
    if (n == v->size + v->length && !v->chunked && recv(c->fd, w->peeked, n, MSG_DONTWAIT) > 0)
        connection_close(c); /* nothing is on its way that could make the refusal get lost */
    else
        connection_linger(c);
    return true;
}

static ssize_t look(struct connection *c)
{
    struct worker *w = c->worker;
    ssize_t n = peek(c, HEAD_BYTES);

    w->peeked[n > 0 ? n : 0] = '\0';
    return n;
}

void intake_look(struct connection *c)
{
    ssize_t n = look(c);

    c->worker->judging = true;
    if (n > 0 && judge(c, (size_t)n) && !turn_away(c, (size_t)n))
        connection_serve(c);
    c->worker->judging = false;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        connection_close(c);
}

void intake_next(struct connection *c)
{
    c->head = (struct head_verdict){0};
    c->granted = 0;
    if (c->behind)
        intake_nudge(c);
}

/* -- what the library reads -- */

static _Thread_local struct worker *reading;

void intake_open(struct worker *w)
{
    reading = w;
}

void intake_close(void)
{
    reading = NULL;
}

bool intake_watch(struct connection *c)
{
    struct worker *w = c->worker;
    size_t at = (size_t)c->fd;

    if (at >= w->served_room) {
        size_t room = at + at / 2 + 64;
        struct connection **more = realloc(w->served, room * sizeof *more);
        if (!more)
            return false;
        memset(more + w->served_room, 0, (room - w->served_room) * sizeof *more);
        w->served = more;
        w->served_room = room;
    }
    w->served[at] = c;
    return true;
}

void intake_forget(struct connection *c)
{
    struct worker *w = c->worker;

    if ((size_t)c->fd < w->served_room && w->served[c->fd] == c)
        w->served[c->fd] = NULL;
}

/* As recv() says it: the bytes that are there, 0 for no more, or -1 and errno. */
static ssize_t next_head(struct connection *c)
{
    ssize_t n = look(c);

    if (n <= 0)
        return n;
    c->worker->judging = true;
    bool good = judge(c, (size_t)n);
    c->worker->judging = false;
    errno = c->refused ? ECONNRESET : EAGAIN;
    return good ? n : -1;
}

static ssize_t read_granted(struct connection *c, void *to, size_t n)
{
    if (c->refused) {
        errno = ECONNRESET;
        return -1;
    }
    if (!c->granted && c->exchange->phase != PHASE_IDLE) {
        c->behind = true; /* not before this request is over */
        errno = EAGAIN;
        return -1;
    }
    ssize_t got = c->granted ? 1 : next_head(c);
    if (got <= 0)
        return got;
    got = recvfrom(c->fd, to, n < c->granted ? n : c->granted, MSG_DONTWAIT, NULL, NULL);
    if (got > 0 && !c->head.chunked)
        c->granted -= (uint64_t)got;
    return got;
}

ssize_t recv(int fd, void *to, size_t n, int flags)
{
    struct worker *w = reading;
    struct connection *c = w && !flags && (size_t)fd < w->served_room ? w->served[fd] : NULL;

    return c ? read_granted(c, to, n) : recvfrom(fd, to, n, flags, NULL, NULL);
}
