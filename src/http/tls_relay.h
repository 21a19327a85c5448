/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relay: a thread that accepts connections of a listener with TLS, does their handshakes, and
 * joins each to a worker by a pair of sockets. What the client sends is decrypted and written to
 * the one end; the worker has the other, which is to it as a connection that it has accepted: the
 * judge of heads, the library, deadlines and the end of the server see plain bytes, and this is the
 * only place that knows of TLS.
 *
 * Nothing is kept here on the way. What came from the client stays in its session until the
 * worker's socket has taken it, and what the worker wrote stays in the socket until the session has
 * sent it: who does not read stops who writes, by the sockets' own buffers, whose sizes are set.
 * What they hold is charged to the budget.
 *
 * Ends go through both ways. The client's close_notify becomes the end of what the worker reads,
 * and the worker's end becomes ours, behind the last of its bytes. A client whose bytes end without
 * a close_notify has been cut off, by whomever: the worker finds its connection gone at once.
 *
 * A connection is in one of four stages, each a list in the order in which they came to it, so that
 * the first is the one whose time is over first:
 *     SHAKES   until the handshake is done: the time for a head, and no longer
 *     FLOWS    joined to a worker, who knows what it may take how long
 *     ENDS     the worker has ended, and what it wrote is on its way: the time for a reply
 *     LINGERS  all is sent; what the client still sends is dropped, so that the end arrives
 *
 * Handshakes wait for each other, not the others for them: in a round, which moves some of what
 * flows on each connection, one of them makes one step. Those that have sent nothing cost a
 * descriptor.
 */
#ifndef SCORED_HTTP_TLS_RELAY_H
#define SCORED_HTTP_TLS_RELAY_H

#include "tls_session.h"
#include "worker.h"

enum {
    RELAY_INNER = 1,          /* tag of an event's pointer: it is of the worker's socket */
    RELAY_BYTES = 16 * 1024,  /* at once: a record's most */
    SOCKET_BYTES = 16 * 1024, /* of each way between relay and worker; the system takes twice it */

    /* what a connection holds, beside the worker's part of it */
    SHAKING_BYTES = 48 * 1024, /* while keys are agreed on, with a record each way */
    FLOWING_BYTES = 24 * 1024,
    STALLED_BYTES = FLOWING_BYTES + 4 * SOCKET_BYTES, /* where one end does not read */
};

enum relay_stage { RELAY_SHAKES, RELAY_FLOWS, RELAY_ENDS, RELAY_LINGERS, RELAY_STAGES };

/* A client's connection. */
struct relayed {
    struct relay *relay;
    struct relayed *next, *prev; /* of its stage */
    struct relayed *link;        /* of those to be gone on with, or of the dead */
    struct session session;
    uint64_t deadline_ns;
    size_t charged;
    int client, inner; /* sockets; inner is -1 until it flows, and when the worker has ended */
    uint8_t stage;     /* enum relay_stage */
    bool queued, dead;
    bool is_tls;                      /* its first byte is one of a handshake */
    bool client_reads, client_writes; /* may be tried: the last try did not find it exhausted */
    bool inner_reads, inner_writes;
    bool client_ended; /* it has said that it sends no more */
    bool inner_ended;  /* the worker writes no more than what is there */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
};

struct relay_queue {
    struct relayed *first, *last;
};

struct relay {
    struct app *app;
    struct listener *listener;
    unsigned index; /* of its counters, behind those of the workers */
    int epoll, wake;
    bool started, accepting;
    uint64_t now_ns, accept_at_ns;
    struct relay_queue stages[RELAY_STAGES]; /* by `next` */
    struct relay_queue shaking, flowing;     /* by `link`: there may be something to do */
    struct relayed *dead;
    atomic_uint connections;
    pthread_t thread;
    char bytes[RELAY_BYTES];
};

/* NULL on failure. It runs once it is started, and until the server's life is over. */
struct relay *relay_new(struct app *app, struct listener *l, unsigned index, struct err *e);
bool relay_start(struct relay *r, struct err *e);
void relay_join(struct relay *r); /* of one that was started */
void relay_free(struct relay *r); /* takes NULL */
void relay_wake(struct relay *r);

/* -- tls_relays.c -- */

struct relays {
    struct relay **relays;
    unsigned n;
};

unsigned relays_needed(const struct config *config, unsigned workers); /* at most */
/* Of the public listener and the admin's; `index` is the first one's. False: some may be there. */
bool relays_make(struct relays *all, struct app *app, struct listener *const *listeners,
                 unsigned index, struct err *e);
bool relays_start(struct relays *all, struct err *e);
void relays_wake(struct relays *all);
bool relays_are_quiet(const struct relays *all);
void relays_join(struct relays *all);
void relays_free(struct relays *all);

/* -- tls_relayed.c: a connection's life -- */

/* Takes the descriptor. */
void relayed_welcome(struct relay *r, int fd, const void *peer, socklen_t n);
void relayed_enter(struct relayed *c, enum relay_stage stage); /* with its deadline */
void relayed_charge(struct relayed *c, size_t bytes);
bool relayed_watch(struct relayed *c, int change, uint32_t events); /* its inner socket */
void relayed_join(struct relayed *c); /* to a worker; the handshake is done */
void relayed_overdue(struct relayed *c);
void relayed_close(struct relayed *c);   /* both ends */
void relayed_make_room(struct relay *r); /* where few places are left */

void relayed_shake(struct relayed *c); /* a step of the handshake */

/* -- tls_flow.c -- */

/* Moves what can be moved, but not for long. True: there may be more. */
bool relayed_flow(struct relayed *c);

#endif
