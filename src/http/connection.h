/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection from accept to close. It is the library's only from its first whole head on: until
 * then it costs little. What is wrong with a head is answered here; the library reads none that was
 * not judged (intake.h). All of a connection happens on its worker's thread.
 */
#ifndef SCORED_HTTP_CONNECTION_H
#define SCORED_HTTP_CONNECTION_H

#include "http_priv.h"

#include <netinet/in.h>

enum connection_state {
    CONNECTION_NEW,    /* nothing was sent yet */
    CONNECTION_HEAD,   /* some of a head */
    CONNECTION_SERVED, /* the library's */
    CONNECTION_LINGER, /* refused: what is still sent is dropped, so that the refusal arrives */
    CONNECTION_DEAD,   /* freed at the end of the round */
};

struct connection {
    struct worker *worker;
    struct connection *next, *prev; /* of the worker's ring */
    struct connection *link;        /* of a mailbox, the graveyard, or those to look at again */
    struct connection *given;       /* to the library, beside this one */
    struct exchange *exchange;      /* while it is served */
    int fd;
    uint8_t state;      /* enum connection_state */
    bool half_closed;   /* its client sends no more */
    bool looked_for;    /* it is among those to look at again */
    bool chunked;       /* so is the body under way: where it ends the library knows */
    bool wrong;         /* `partial` is: to be refused once what came before is answered */
    bool watched;       /* by its worker */
    bool refused;       /* the library is to drop it */
    bool relayed;       /* its socket is one end of a relay's pair (tls_relay.h) */
    bool twin;          /* of one that the library is to drop: another descriptor of its socket */
    struct buf early;   /* of its first head, where it is relayed: what has been read already */
    struct buf partial; /* of its next head: what has come of it, where that is not all */
    uint64_t body_left; /* bytes of the body under way that have not come yet */
    unsigned judged, begun; /* heads that were good, and request lines that the library has read */
    uint64_t accepted_ns, deadline_ns; /* in the worker's time */
    uint64_t quiet_ns;                 /* when something moved last */
    uint64_t since_ns, paused_ns;      /* its request began, less what it waited for turns */
    size_t charged;                    /* bytes of the budget */
    uint64_t stuck_at; /* bytes of the body that had come, and one, when it seemed to be stuck */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
};

/* Takes the descriptor. NULL: no memory, and it is closed. */
struct connection *connection_new(struct worker *w, int fd);

/* On its worker's thread: is looked at, with `look`, and watched from now on. False: it is gone. */
bool connection_join(struct connection *c, bool look);

/* Something happened to its socket. */
void connection_event(struct connection *c, uint32_t events);

/* The client sends no more: is there something left to do? Called until it is not looked for. */
void connection_look_again(struct connection *c);

/* Time is over. */
void connection_overdue(struct connection *c);

/* The server ends: goes where nothing is under way. With `now` it goes anyway. */
void connection_leave(struct connection *c, bool now);

/* Has nothing moved on it for a while? */
bool connection_is_stuck(const struct connection *c);

/* Of two that are stuck, which makes room for others first: who holds most, then who never asked,
 * then who has been quiet longest. */
bool connection_goes_first(const struct connection *a, const struct connection *b);

void connection_close(struct connection *c); /* of one that is not the library's */

/* Is between two requests, some of the next head aside. */
bool connection_idles(const struct connection *c);

/* Its first head was judged: gives it to the library. */
void connection_serve(struct connection *c);

/* -- refuse.c -- */

/* A problem as the whole reply; returns how many of its bytes are the body. */
size_t put_refusal(struct buf *out, const char *id, enum problem problem, unsigned status,
                   const char *detail);

/* Sends a problem, and counts and logs it. */
void connection_tell(struct connection *c, enum problem problem, unsigned status,
                     const char *detail);

/* Closes when the client has read what it was told: what it still sends is dropped meanwhile. */
void connection_linger(struct connection *c);

/* Both, also where the connection is the library's, which is made to drop it. */
void connection_refuse(struct connection *c, enum problem problem, unsigned status,
                       const char *detail);

/* Tells a newcomer that there is no place for it; `brusquely`: does not even tell. */
void connection_refuse_over(struct connection *c, bool brusquely);

/* Refuses what fills the library's buffer and is no body: where bytes are unread, and nothing has
 * come of them since the last call. */
void connection_unstick(struct connection *c);

/* The library has let go of it. */
void connection_released(struct connection *c);

/* Charges the budget with that many bytes of its request and reply. False: there is no room. */
bool connection_hold(struct connection *c, size_t bytes);

/* Charges it with that many more, until the next of the above. */
bool connection_hold_more(struct connection *c, size_t bytes);

void connection_deadline(struct connection *c, uint64_t ns_from_now);

#endif
