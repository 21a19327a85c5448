/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, WAITING = 256, KEPT = 16 * 1024, SHOWN_BYTES = 1500, SHOWN_FAULTS = 5 };

/* One direction: what was read from a side and not yet written to the other. */
struct side {
    int fd;
    char buf[BUFFER];
    size_t len;
    bool ended, told; /* has said its last; was passed on */
    uint32_t watched;
    struct source source;
};

struct pair {
    int epoll;
    struct tally *tally;
    struct side sides[2];
    struct stream requests, replies;
    struct message waiting[WAITING]; /* requests that have no answer yet */
    unsigned first, n;
    bool whole[WAITING];
    uint64_t marks;
    unsigned marked; /* bytes of a mark that have come */
    struct message answering;
    bool answering_known, over; /* a reply that ends the connection came */
    char kept[2][KEPT];
    size_t kept_len[2];
    bool dead;
    struct pair *next_dead;
};

static struct pair *dead;

/* -- faults -- */

static void show(const char *what, const char *p, size_t n)
{
    fprintf(stderr, "  %s: \"", what);
    for (size_t i = n > SHOWN_BYTES ? n - SHOWN_BYTES : 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '\r')
            fputs("\\r", stderr);
        else if (c == '\n')
            fputs("\\n", stderr);
        else if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
            fprintf(stderr, "\\x%02x", c);
        else
            fputc(c, stderr);
    }
    fputs("\"\n", stderr);
}

static void fault(struct pair *p, const char *what)
{
    if (++p->tally->faults > SHOWN_FAULTS)
        return;
    fprintf(stderr, "%s: %s\n", p->tally->name, what);
    show("to the daemon", p->kept[0], p->kept_len[0]);
    show("from the daemon", p->kept[1], p->kept_len[1]);
}

static void keep(struct pair *p, int which, const char *bytes, size_t n)
{
    if (n > KEPT) {
        bytes += n - KEPT;
        n = KEPT;
    }
    if (p->kept_len[which] + n > KEPT) {
        size_t drop = p->kept_len[which] + n - KEPT;
        memmove(p->kept[which], p->kept[which] + drop, p->kept_len[which] - drop);
        p->kept_len[which] -= drop;
    }
    memcpy(p->kept[which] + p->kept_len[which], bytes, n);
    p->kept_len[which] += n;
}

/* -- what is said -- */

static void request_began(void *context, const struct message *m)
{
    struct pair *p = context;

    p->tally->requests++;
    if (p->tally->marked && strncmp(m->id, RELAY_MARK, strlen(RELAY_MARK)) != 0)
        fault(p, "a request that the proxy did not send");
    if (p->n == WAITING) {
        fault(p, "too many requests wait");
        return;
    }
    p->waiting[(p->first + p->n) % WAITING] = *m;
    p->whole[(p->first + p->n++) % WAITING] = false;
}

/* The last one begun; where its answer came first it is no longer there. */
static void request_ended(void *context, const struct message *m)
{
    struct pair *p = context;

    if (!p->n)
        return;
    unsigned last = (p->first + p->n - 1) % WAITING;
    p->waiting[last] = *m;
    p->whole[last] = true;
}

static bool reply_to_head(void *context)
{
    struct pair *p = context;

    return p->n && p->waiting[p->first].head;
}

static bool may_be_refused(const struct pair *p)
{
    const struct stream *s = &p->requests;

    return s->at == AT_WRONG || s->line_len || s->now.size || p->n;
}

static void reply_began(void *context, const struct message *m)
{
    struct pair *p = context;
    bool refusal = m->status >= 400 && m->close;

    if (p->over)
        fault(p, "an answer behind the last");
    p->over |= m->close;
    p->answering_known = false;
    p->tally->refusals += refusal;
    if (!p->n && p->requests.at == AT_WRONG && !refusal && m->close &&
        (!p->tally->marked || !strncmp(m->id, RELAY_MARK, strlen(RELAY_MARK)))) {
        p->tally->last_ones++;
        return;
    }
    if (!p->n) {
        if (!refusal || !may_be_refused(p))
            fault(p, "an answer to no request");
        return;
    }
    struct message *request = &p->waiting[p->first];
    bool same = !*request->id || !strcmp(request->id, m->id);
    if (!same && !refusal)
        fault(p, "an answer to another request");
    p->tally->answers++;
    p->answering = *request;
    p->answering_known = p->whole[p->first];
    p->first = (p->first + 1) % WAITING;
    p->n--;
}

static void reply_ended(void *context, const struct message *m)
{
    struct pair *p = context;

    if (!p->answering_known || m->status != 200 || !m->lines || m->head)
        return;
    p->tally->compared++;
    if (m->rows != p->answering.rows)
        fault(p, "a body of another number of lines");
}

/* Marks are counted in the bytes as they come, whatever they mean. No part of a mark begins one. */
static void count_marks(struct pair *p, const char *bytes, size_t n)
{
    static const char mark[] = RELAY_MARK;

    for (size_t i = 0; i < n; i++) {
        p->marked = bytes[i] == mark[p->marked] ? p->marked + 1 : bytes[i] == mark[0];
        if (mark[p->marked])
            continue;
        p->marked = 0;
        p->marks++;
        p->tally->marks++;
    }
}

static void read_bytes(struct pair *p, int which, const char *bytes, size_t n)
{
    keep(p, which, bytes, n);
    if (which == 0) {
        if (p->tally->marked)
            count_marks(p, bytes, n);
        stream_read(&p->requests, bytes, n);
    } else if (p->replies.at != AT_WRONG && !stream_read(&p->replies, bytes, n)) {
        if (!p->over)
            fault(p, "an answer that is not HTTP");
    }
}

static void judge_end(struct pair *p)
{
    bool lost = p->n && p->whole[p->first] && !p->over && !p->sides[0].ended;

    if (lost && p->requests.at != AT_WRONG)
        fault(p, "no answer to a whole request");
    if (p->tally->marked && p->requests.at != AT_WRONG && p->marks != p->requests.began &&
        p->requests.at == AT_START && !p->requests.line_len)
        fault(p, "another number of requests than the proxy sent");
}

/* -- bytes -- */

static void watch(struct pair *p, int which)
{
    struct side *s = &p->sides[which], *other = &p->sides[!which];
    uint32_t want = (s->len < BUFFER && !s->ended ? EPOLLIN : 0) | (other->len ? EPOLLOUT : 0);
    struct epoll_event e = {.events = want, .data.ptr = &s->source};

    if (want != s->watched)
        epoll_ctl(p->epoll, EPOLL_CTL_MOD, s->fd, &e);
    s->watched = want;
}

static void take(struct pair *p, int which)
{
    struct side *s = &p->sides[which];
    ssize_t n = recv(s->fd, s->buf + s->len, BUFFER - s->len, MSG_DONTWAIT);

    if (n > 0) {
        read_bytes(p, which, s->buf + s->len, (size_t)n);
        s->len += (size_t)n;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        s->ended = true;
    }
}

static void give(struct pair *p, int from)
{
    struct side *s = &p->sides[from], *to = &p->sides[!from];
    ssize_t n = s->len ? send(to->fd, s->buf, s->len, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

    if (n < 0 && errno != EAGAIN)
        s->len = 0; /* nobody reads it */
    if (n > 0) {
        memmove(s->buf, s->buf + n, s->len - (size_t)n);
        s->len -= (size_t)n;
    }
    if (s->ended && !s->len && !s->told) {
        s->told = true;
        shutdown(to->fd, SHUT_WR);
    }
}

/* Events that were fetched may still name it. */
static void pair_end(struct pair *p)
{
    judge_end(p);
    close(p->sides[0].fd);
    close(p->sides[1].fd);
    p->dead = true;
    p->next_dead = dead;
    dead = p;
}

void pairs_free_dead(void)
{
    for (struct pair *next; dead; dead = next) {
        next = dead->next_dead;
        free(dead);
    }
}

void pair_event(struct pair *p, int which, uint32_t events)
{
    if (p->dead)
        return;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !p->sides[which].ended &&
        p->sides[which].len < BUFFER)
        take(p, which);
    give(p, 0);
    give(p, 1);
    /* the daemon's last word ends both; the other's only its own direction */
    if ((p->sides[1].ended && !p->sides[1].len) ||
        (p->sides[0].ended && (events & EPOLLHUP) && which == 0)) {
        pair_end(p);
        return;
    }
    watch(p, 0);
    watch(p, 1);
}

static bool side_open(struct pair *p, int which, int fd)
{
    struct side *s = &p->sides[which];
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &s->source};

    s->fd = fd;
    s->watched = EPOLLIN;
    s->source = (struct source){SOURCE_PAIR, which, p};
    return fd >= 0 && !epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e);
}

static int connect_daemon(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a)) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

struct pair *pair_new(int epoll, int accepted, uint16_t daemon_port, struct tally *t)
{
    struct pair *p = calloc(1, sizeof *p);

    if (!p) {
        close(accepted);
        return NULL;
    }
    p->epoll = epoll;
    p->tally = t;
    p->requests =
        (struct stream){.began_one = request_began, .ended_one = request_ended, .context = p};
    p->replies = (struct stream){.replies = true,
                                 .began_one = reply_began,
                                 .ended_one = reply_ended,
                                 .reply_to_head = reply_to_head,
                                 .context = p};
    t->connections++;
    int fd = connect_daemon(daemon_port);
    if (side_open(p, 0, accepted) && side_open(p, 1, fd))
        return p;
    fault(p, "no connection to the daemon");
    close(accepted);
    if (fd >= 0)
        close(fd);
    free(p);
    return NULL;
}
