/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from a client to its worker and back, and their ends. */
#include "tls_relay.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECORDS = 4 }; /* each way, before others have their turn */

static bool is_exhausted(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* -- from the client -- */

static void client_ends(struct relayed *c)
{
    c->client_ended = true;
    shutdown(c->inner, SHUT_WR);
}

static bool read_client(struct relayed *c, size_t *n)
{
    switch (session_peek(&c->session, c->relay->bytes, RELAY_BYTES, n)) {
    case SESSION_DONE: return true;
    case SESSION_WANTS_READ: c->client_reads = false; break;
    case SESSION_WANTS_WRITE: c->client_writes = false; break;
    case SESSION_END: client_ends(c); break;
    case SESSION_BROKEN: relayed_close(c); break;
    }
    return false;
}

/* A worker that has closed reads no more; its last words are told by the other direction. */
static bool write_worker(struct relayed *c, size_t n)
{
    ssize_t sent = send(c->inner, c->relay->bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent > 0) {
        session_take(&c->session, c->relay->bytes, (size_t)sent);
        return true;
    }
    c->inner_writes = false;
    if (is_exhausted()) {
        relayed_charge(c, STALLED_BYTES);
        relayed_watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    } else {
        c->client_ended = c->inner_reads = c->inner_ended = true;
    }
    return false;
}

static bool goes_up(const struct relayed *c)
{
    return c->stage == RELAY_FLOWS && !c->client_ended && c->client_reads && c->inner_writes;
}

static void flow_up(struct relayed *c)
{
    size_t n = 0;

    for (unsigned i = 0; i < RECORDS && goes_up(c); i++)
        if (!read_client(c, &n) || !write_worker(c, n))
            return;
}

/* -- from the worker -- */

/* All that it wrote is sent. */
static void worker_ends(struct relayed *c)
{
    if (c->stage == RELAY_FLOWS)
        relayed_enter(c, RELAY_ENDS);
    if (session_end(&c->session) == SESSION_WANTS_WRITE) {
        c->client_writes = false;
        return;
    }
    shutdown(c->client, SHUT_WR);
    close(c->inner);
    c->inner = -1;
    session_over(&c->session);
    relayed_charge(c, 0);
    relayed_enter(c, RELAY_LINGERS);
}

static ssize_t read_worker(struct relayed *c)
{
    ssize_t n = recv(c->inner, c->relay->bytes, RELAY_BYTES, MSG_PEEK | MSG_DONTWAIT);

    if (n > 0)
        return n;
    if (n < 0 && is_exhausted()) {
        c->inner_reads = false;
        relayed_charge(c, FLOWING_BYTES);
    } else {
        worker_ends(c);
    }
    return 0;
}

static void write_client(struct relayed *c, size_t n)
{
    size_t sent = 0;

    switch (session_put(&c->session, c->relay->bytes, n, &sent)) {
    case SESSION_DONE:
        recv(c->inner, c->relay->bytes, sent, MSG_DONTWAIT);
        if (sent == n && n < RELAY_BYTES && !c->inner_ended)
            c->inner_reads = false; /* there was no more */
        break;
    case SESSION_WANTS_READ:
    case SESSION_WANTS_WRITE:
        c->client_writes = false;
        relayed_charge(c, STALLED_BYTES);
        break;
    case SESSION_END:
    case SESSION_BROKEN: relayed_close(c); break;
    }
}

static bool goes_down(const struct relayed *c)
{
    return (c->stage == RELAY_FLOWS || c->stage == RELAY_ENDS) && !c->dead && c->inner_reads &&
           c->client_writes;
}

static void flow_down(struct relayed *c)
{
    for (unsigned i = 0; i < RECORDS && goes_down(c); i++) {
        ssize_t n = read_worker(c);
        if (n)
            write_client(c, (size_t)n);
    }
}

/* -- the end -- */

static void drop_input(struct relayed *c)
{
    for (unsigned i = 0; i < RECORDS && c->client_reads; i++) {
        ssize_t n = recv(c->client, c->relay->bytes, RELAY_BYTES, MSG_DONTWAIT);
        if (n < 0 && is_exhausted())
            c->client_reads = false;
        else if (n <= 0) {
            relayed_close(c);
            return;
        }
    }
}

bool relayed_flow(struct relayed *c)
{
    if (c->stage == RELAY_FLOWS)
        flow_up(c);
    if (!c->dead)
        flow_down(c);
    if (!c->dead && c->stage == RELAY_LINGERS)
        drop_input(c);
    if (c->dead)
        return false;
    return c->stage == RELAY_LINGERS ? c->client_reads : goes_up(c) || goes_down(c);
}
