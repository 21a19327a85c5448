/* SPDX-License-Identifier: Apache-2.0 */
/* Handshakes, and what comes in their place. */
#include "tls_relay.h"

#include "peer.h"

#include "scored/log.h"

#include <errno.h>
#include <sys/socket.h>

enum { HANDSHAKE_RECORD = 0x16 };

static struct limiter failures = LIMITER_INIT;

static void log_handshake(const struct relayed *c, const char *why)
{
    char from[PEER_TEXT];
    unsigned unlogged;

    if (limiter_pass(&failures, &unlogged))
        log_with(LOG_INFO, "a TLS handshake has failed", log_text("why", why),
                 log_text("client", peer_text(&c->peer.any, from)),
                 log_count("unlogged", unlogged));
}

/* The client shall read what it was told, an alert or a refusal, before it finds us gone. */
static void leave(struct relayed *c)
{
    session_over(&c->session);
    relayed_charge(c, 0);
    shutdown(c->client, SHUT_WR);
    c->client_reads = true;
    relayed_enter(c, RELAY_LINGERS);
}

static void fail(struct relayed *c)
{
    bool certificate;
    const char *why = session_why(&c->session, &certificate);

    tls_count(c->relay->app->tls, certificate ? HANDSHAKE_REFUSED : HANDSHAKE_FAILED);
    log_handshake(c, why);
    leave(c);
}

/* A request that was not encrypted is told so, in the only way that its sender understands. */
static void refuse_plain(struct relayed *c, char first)
{
    struct relay *r = c->relay;
    struct buf out = {0};
    char id[REQUEST_ID];

    tls_count(r->app->tls, HANDSHAKE_PLAIN);
    log_handshake(c, "plain bytes came where TLS is spoken");
    if (first >= 'A' && first <= 'Z') {
        request_name(r->app, r->index, id);
        put_refusal(&out, id, PROBLEM_BAD_REQUEST, 400, "this port speaks TLS: ask with https://");
        ssize_t sent =
            out.failed ? 0 : send(c->client, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent; /* its client may have gone */
        metrics_request(r->app->metrics, r->index,
                        &(struct answered){.route = ROUTE_NONE, .status = 400});
        buf_done(&out);
    }
    leave(c);
}

/* True: what comes is TLS, and a session has begun. */
static bool begin(struct relayed *c)
{
    char first;
    ssize_t n = recv(c->client, &first, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        tls_count(c->relay->app->tls, HANDSHAKE_GONE);
        relayed_close(c);
        return false;
    }
    if (first != HANDSHAKE_RECORD) {
        refuse_plain(c, first);
        return false;
    }
    c->is_tls = session_begin(&c->session, c->relay->app->tls, c->client);
    if (!c->is_tls)
        relayed_close(c);
    return c->is_tls;
}

void relayed_shake(struct relayed *c)
{
    if (!c->is_tls && !begin(c))
        return;
    switch (session_handshake(&c->session)) {
    case SESSION_DONE: relayed_join(c); break;
    case SESSION_WANTS_READ:
    case SESSION_WANTS_WRITE: break;
    case SESSION_END:
    case SESSION_BROKEN: fail(c); break;
    }
}
