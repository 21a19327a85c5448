/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: a thread that accepts connections, watches their sockets, lets libmicrohttpd at those
 * with something to do, and goes some steps with long work in between. It alone decides when to
 * wait, and never waits inside the library.
 */
#ifndef SCORED_HTTP_WORKER_H
#define SCORED_HTTP_WORKER_H

#include "connection.h"
#include "events.h"
#include "library.h"

enum {
    HEAD_BYTES = 16 * 1024, /* of a head at most, and of what is looked at of one */
    GIVE_UP = 256,          /* connections of the ring that are looked at in one go */
};

struct listener {
    enum side side;
    int fd;
    uint16_t port;
    atomic_uint open;    /* threads that accept; the last to stop closes the socket */
    bool tls;            /* relays accept, not workers (tls_relay.h) */
    atomic_uint relayed; /* connections that relays have, and no worker counts */
};

struct worker {
    struct app *app;
    struct listener *listener;
    struct library *library;
    unsigned index;
    struct events events;
    int wake;
    bool accepting;          /* the listener is watched */
    uint64_t accept_at_ns;   /* when to try again, where there was no descriptor */
    uint64_t round_ns;       /* when this round began */
    uint64_t lost_ns;        /* that the worker stood still: no deadline runs meanwhile */
    uint64_t looked_ns;      /* when deadlines were looked at */
    bool hurries;            /* more are over than there was time for */
    struct connection *ring; /* the next to be looked at */
    struct connection *again, *dead;
    struct exchange *job;        /* under way */
    uint64_t turn_ns, worked_ns; /* since it was taken: that passed, and with a processor */
    struct scratch scratch;      /* of workers that score */
    uint64_t answered;           /* requests that the access log may sample */
    uint64_t untraced;           /* requests that may begin a trace */
    atomic_uint connections;
    atomic_bool asleep;
    pthread_mutex_t lock; /* guards the mail */
    struct connection *new_mail;
    struct exchange *done_mail;
    pthread_t thread;
    struct connection **served; /* by descriptor: what the library reads */
    size_t served_room;
    bool judging; /* what was peeked at is the head that is being judged */
    char peeked[HEAD_BYTES + 1];
};

/* NULL on failure. It runs once it is started. */
struct worker *worker_new(struct app *app, struct listener *l, unsigned index, struct err *e);
bool worker_start(struct worker *w, struct err *e);
void worker_join(struct worker *w);
void worker_free(struct worker *w); /* takes NULL */
void worker_wake(struct worker *w);

/* The worker's clock: the machine's, less what was lost. */
uint64_t worker_now(const struct worker *w);

void worker_count(struct worker *w, int change); /* of connections, open or on their way here */
void worker_add(struct worker *w, struct connection *c);    /* into the ring */
void worker_remove(struct worker *w, struct connection *c); /* out of it, to be freed */
void worker_look_again(struct worker *w, struct connection *c);

/* Gives a connection to another worker. */
void worker_hand_over(struct worker *to, struct connection *c);

/* A long request waits for its turn. False: it was refused, and the reply says so. */
bool worker_queue(struct worker *w, struct exchange *x);

/* -- accept.c -- */

bool worker_accept(struct worker *w, bool watch); /* whether it watches its listener */
bool worker_accept_some(struct worker *w);        /* true: there may be more */
void worker_stop_accepting(struct worker *w);     /* for good; the last one closes the listener */

struct worker *worker_choose(struct app *app, struct listener *l); /* with the fewest connections */
/* One that another thread has accepted and handed over. */
void worker_receive(struct worker *w, struct connection *c);

/* Closes the connection that can best be done without. False: none can. */
bool worker_shed(struct worker *w);

#endif
