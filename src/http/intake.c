/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include "head.h"
#include "worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static ssize_t peek(const struct connection *c)
{
    return recv(c->fd, c->worker->peeked, 1, MSG_PEEK | MSG_DONTWAIT);
}

bool intake_is_empty(const struct connection *c)
{
    return peek(c) < 0 && (errno == EAGAIN || errno == EINTR);
}

bool intake_is_over(const struct connection *c)
{
    return peek(c) <= 0;
}

/* -- the first head -- */

/* A relay's socket holds few pieces, however short they are, and a head may come in many: what is
 * not whole is read, so that more can come. The last piece stays in the socket, whose readiness the
 * library sees. */
static bool keep_early(struct connection *c, size_t n)
{
    struct worker *w = c->worker;
    struct buf *early = &c->early;
    size_t had = early->len, room = early->cap;

    buf_put(early, w->peeked + had, n - had);
    if (early->failed || !connection_hold_more(c, early->cap - room))
        return false;
    recvfrom(c->fd, w->peeked, n - had, MSG_DONTWAIT, NULL, NULL);
    return true;
}

/* What has come of it, into `peeked`; as recv() says it. */
static ssize_t peek_head(const struct connection *c)
{
    char *to = c->worker->peeked;
    size_t had = c->early.len;

    if (had)
        memcpy(to, c->early.data, had);
    ssize_t n = recv(c->fd, to + had, HEAD_BYTES - had, MSG_PEEK | MSG_DONTWAIT);
    return had ? (ssize_t)had + (n > 0 ? n : 0) : n;
}

/* What was read of it goes to the library before the rest. */
static size_t take_early(struct connection *c, char *to, size_t n)
{
    struct buf *early = &c->early;

    n = n < early->len ? n : early->len;
    memcpy(to, early->data, n);
    memmove(early->data, early->data + n, early->len - n);
    early->len -= n;
    if (!early->len)
        buf_done(early);
    return n;
}

static void wait_for_rest(struct connection *c)
{
    connection_deadline(c, c->worker->app->config->head_timeout * MS);
}

/* Under a load of long requests, those that would be refused are refused here, for a fraction of
 * what the library's connection alone would cost. */
static bool turn_away(struct connection *c, size_t n, const struct head_verdict *v)
{
    struct worker *w = c->worker;

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

/* The library will read what was judged here. */
static void serve(struct connection *c, const struct head_verdict *v)
{
    c->judged = 1;
    c->body_left = v->size + v->length;
    c->chunked = v->chunked;
    connection_serve(c);
}

static void judge_first(struct connection *c, size_t n)
{
    struct head_verdict v;

    switch (head_judge(c->worker->peeked, n, !c->half_closed, &HEAD_LIMITS, &v)) {
    case HEAD_WHOLE:
        if (!turn_away(c, n, &v))
            serve(c, &v);
        break;
    case HEAD_WRONG: connection_refuse(c, v.problem, v.status, v.wrong); break;
    case HEAD_PARTIAL:
        if (c->state == CONNECTION_NEW)
            wait_for_rest(c);
        c->state = CONNECTION_HEAD;
        if (c->relayed && !keep_early(c, n))
            connection_refuse(c, PROBLEM_OVERLOADED, 503,
                              "there is no memory for this request now");
        break;
    }
}

void intake_look(struct connection *c)
{
    struct worker *w = c->worker;
    ssize_t n = peek_head(c);

    w->peeked[n > 0 ? n : 0] = '\0';
    w->judging = true;
    if (n > 0)
        judge_first(c, (size_t)n);
    w->judging = false;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        connection_close(c);
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
        struct connection **more = realloc(w->served, room * sizeof(void *));
        if (!more)
            return false;
        memset(more + w->served_room, 0, (room - w->served_room) * sizeof(void *));
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

bool intake_has_begun(const struct connection *c)
{
    const struct buf *b = &c->partial;

    return b->len > 2 || (b->len && b->data[0] != '\r');
}

/* Of bytes that begin with some of a head, how many go on; those behind it may. */
static size_t pass_head(struct connection *c, const char *p, size_t n)
{
    struct head_verdict v;
    struct buf *partial = &c->partial;
    size_t had = partial->len, room = partial->cap;
    bool had_begun = intake_has_begun(c);

    if (had)
        buf_put(partial, p, n < HEAD_BYTES - had ? n : HEAD_BYTES - had);
    enum head_state state = had ? head_judge(partial->data, partial->len, true, &HEAD_LIMITS, &v)
                                : head_judge(p, n, true, &HEAD_LIMITS, &v);
    if (state == HEAD_WHOLE) {
        buf_done(partial);
        c->judged++;
        c->body_left = v.length;
        c->chunked = v.chunked;
        return v.size - had;
    }
    if (!had)
        buf_put(partial, p, n < HEAD_BYTES ? n : HEAD_BYTES);
    if (!had_begun && intake_has_begun(c) && connection_idles(c))
        wait_for_rest(c);
    c->wrong =
        state == HEAD_WRONG || partial->failed || !connection_hold_more(c, partial->cap - room);
    return c->wrong ? 0 : n;
}

/* How many of the bytes go on to the library. */
static size_t pass(struct connection *c, const char *p, size_t n)
{
    size_t at = 0;

    while (at < n && !c->chunked && !c->wrong) {
        size_t body = n - at < c->body_left ? n - at : c->body_left;
        c->body_left -= body;
        at += body;
        if (at < n)
            at += pass_head(c, p + at, n - at);
    }
    return c->chunked ? n : at;
}

/* Puts where refusals look what has come of a head. */
static size_t show(struct connection *c)
{
    struct worker *w = c->worker;
    ssize_t n = (ssize_t)c->partial.len;

    if (c->state != CONNECTION_SERVED)
        n = peek_head(c);
    else if (n)
        memcpy(w->peeked, c->partial.data, c->partial.len);
    w->peeked[n > 0 ? n : 0] = '\0';
    w->judging = true;
    return n > 0 ? (size_t)n : 0;
}

/* Not from within the library, which has not noticed yet that it is to let go. */
void intake_refuse(struct connection *c)
{
    struct head_verdict v = {.problem = PROBLEM_OUT_OF_MEMORY, .status = 503, .wrong = "try again"};
    size_t n = show(c);

    if (c->partial.failed ||
        head_judge(c->worker->peeked, n, false, &HEAD_LIMITS, &v) == HEAD_WRONG)
        connection_refuse(c, v.problem, v.status, v.wrong);
    else
        connection_refuse(c, PROBLEM_OVERLOADED, 503, "there is no memory for this request now");
    c->worker->judging = false;
}

void intake_overdue(struct connection *c)
{
    show(c);
    connection_refuse(c, PROBLEM_TIMEOUT, 408, "the head of the request did not come in time");
    c->worker->judging = false;
}

/* As recv() says it. */
static ssize_t fail(int why)
{
    errno = why;
    return -1;
}

static ssize_t read_judged(struct connection *c, void *to, size_t n)
{
    if (c->refused)
        return fail(ECONNRESET);
    if (c->wrong)
        return fail(EAGAIN);
    size_t had = c->early.len ? take_early(c, to, n) : 0;
    ssize_t got =
        had < n ? recvfrom(c->fd, (char *)to + had, n - had, MSG_DONTWAIT, NULL, NULL) : 0;
    if (had)
        got = (ssize_t)had + (got > 0 ? got : 0);
    if (got < 0 || (got == 0 && !intake_has_begun(c)))
        return got;
    size_t good = got ? pass(c, to, (size_t)got) : 0;
    c->wrong |= !got; /* its sender has ended within a head */
    if (c->wrong)
        worker_look_again(c->worker, c);
    return good ? (ssize_t)good : fail(EAGAIN);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs begin with "__" */
ssize_t recv(int fd, void *to, size_t n, int flags)
{
    struct worker *w = reading;
    struct connection *c = w && !flags && (size_t)fd < w->served_room ? w->served[fd] : NULL;

    return c ? read_judged(c, to, n) : recvfrom(fd, to, n, flags, NULL, NULL);
}

/* What the library may set of TCP it finds out by trying: EINVAL tells it that this is none, once;
 * what a relay's socket says it takes for a failure, each time. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs begin with "__" */
int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    long done = syscall(SYS_setsockopt, fd, level, name, value, n);

    if (done < 0 && errno == EOPNOTSUPP && reading && level == IPPROTO_TCP)
        errno = EINVAL;
    return (int)done;
}
