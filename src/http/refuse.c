/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of our own making: to what the library shall not see, or need not. */
#include "worker.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { LINGER_SECONDS = 2 };

#define SECOND UINT64_C(1000000000)

static void put_date(struct buf *out)
{
    struct tm tm;
    time_t now = time(NULL);
    char text[64];

    if (gmtime_r(&now, &tm) && strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        buf_printf(out, "Date: %s\r\n", text);
}

size_t put_refusal(struct buf *out, const char *id, enum problem problem, unsigned status,
                   const char *detail)
{
    struct buf body = {0};

    problem_body(&body, problem, detail, NULL);
    buf_printf(out, "HTTP/1.1 %u %s\r\n", status, library_reason(status));
    put_date(out);
    buf_printf(out,
               "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n"
               "X-Request-Id: %s\r\nX-Content-Type-Options: nosniff\r\n%sConnection: close\r\n\r\n",
               body.len, id, status == 503 ? "Retry-After: 1\r\n" : "");
    buf_put(out, body.data ? body.data : "", body.len);
    out->failed |= body.failed;
    size_t n = body.len;
    buf_done(&body);
    return n;
}

/* A reply to HEAD has no body. */
static bool is_head(const struct worker *w)
{
    return w->judging && !strncmp(w->peeked, "HEAD ", 5);
}

void connection_tell(struct connection *c, enum problem problem, unsigned status,
                     const char *detail)
{
    struct worker *w = c->worker;
    struct buf out = {0};
    char id[REQUEST_ID];

    request_name(w->app, w->index, id);
    size_t body = put_refusal(&out, id, problem, status, detail);
    if (!out.failed) {
        size_t n = is_head(w) ? out.len - body : out.len;
        /* the end comes right behind, and with MSG_MORE in the same packet */
        ssize_t sent = send(c->fd, out.data, n, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
        (void)sent; /* its client may have gone */
    }
    buf_done(&out);
    metrics_request(w->app->metrics, w->index,
                    &(struct answered){.route = ROUTE_NONE, .status = status});
    struct failure f = {.client = c, .id = id, .status = status, .problem = problem, .why = detail};
    if (w->judging) {
        f.method = (struct text){w->peeked, (uint32_t)strcspn(w->peeked, " \r\n")};
        const char *target = f.method.p + f.method.len + (f.method.p[f.method.len] == ' ');
        f.path = (struct text){target, (uint32_t)strcspn(target, " ?\r\n")};
    }
    log_failure(w->app, &f);
    tell_refusal(c, &f);
}

void connection_linger(struct connection *c)
{
    c->state = CONNECTION_LINGER;
    shutdown(c->fd, SHUT_WR);
    connection_deadline(c, LINGER_SECONDS * SECOND);
    connection_event(c, EPOLLIN);
}

/* The library closes its descriptor as soon as it sees what is wrong; the refusal arrives only if
 * another one stays open until the client has read it. */
static void refuse_served(struct connection *c, enum problem problem, unsigned status,
                          const char *detail)
{
    struct worker *w = c->worker;
    int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
    struct connection *other = fd < 0 ? NULL : connection_new(w, fd);

    c->refused = true;
    c->deadline_ns = UINT64_MAX;
    library_drop(c->exchange);
    epoll_ctl(w->events.connections, EPOLL_CTL_DEL, c->fd, NULL);
    if (other) {
        other->twin = true;
        worker_count(w, 1);
    }
    if (!other || !connection_join(other, false)) {
        shutdown(c->fd, SHUT_RDWR);
        return;
    }
    connection_tell(other, problem, status, detail);
    connection_linger(other);
}

void connection_refuse(struct connection *c, enum problem problem, unsigned status,
                       const char *detail)
{
    if (c->state == CONNECTION_SERVED) {
        refuse_served(c, problem, status, detail);
        return;
    }
    connection_tell(c, problem, status, detail);
    connection_linger(c);
}

void connection_refuse_over(struct connection *c, bool brusquely)
{
    if (brusquely)
        connection_close(c);
    else
        connection_refuse(c, PROBLEM_OVERLOADED, 503, "too many connections are open");
}
