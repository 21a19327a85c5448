/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands between a proxy and the daemon, hands on every byte, and reads both directions by itself.
 * A proxy marks each request that it believes to send; the daemon repeats the mark in its answer.
 * So three parties say how many requests there are and where they end: all must say the same.
 */
#ifndef SCORED_RELAY_H
#define SCORED_RELAY_H

#include "strict.h"

#define RELAY_MARK "px-zq-"

struct tally {
    const char *name;
    bool marked; /* requests come from a proxy */
    uint64_t streams, connections;
    uint64_t marks;    /* requests by what the proxy wrote */
    uint64_t requests; /* by our reading: whole heads */
    uint64_t answers;  /* of the daemon to these, in their order and with their marks */
    uint64_t refusals; /* with an end of the connection */
    uint64_t
        last_ones;     /* answers to a head that is wrong, each with an end of the connection: what
                          came with the head before it was seen by the daemon's second line alone */
    uint64_t compared; /* bodies whose lines were counted on both sides */
    uint64_t faults;
};

struct pair;

/* Begins with a connection that was accepted; the other goes to the daemon. NULL: it cannot. */
struct pair *pair_new(int epoll, int accepted, uint16_t daemon_port, struct tally *t);
/* An event of one of its two descriptors. */
void pair_event(struct pair *p, int which, uint32_t events);
void pairs_free_dead(void); /* behind the events of a round */

/* What epoll hands back: whose event it is. */
struct source {
    enum { SOURCE_LISTENER, SOURCE_CLIENT, SOURCE_PAIR } kind;
    int which; /* of a pair: 0 is the client's side */
    void *owner;
};

#endif
