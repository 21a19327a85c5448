/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker waits for, in one call.
 *
 * The library watches its sockets by an epoll descriptor of its own. A worker that watched that
 * one by another would be woken through both, and ask both, for every request. So it waits in the
 * library's, among whose sockets its own few stand, and keeps what comes for the library until
 * that asks: epoll_wait() as defined here goes before the C library's for all that is linked to
 * this program, as recv() does (intake.h). All other callers get what they always got.
 *
 * Connections are watched for what the library does not tell, such as that a client leaves. A
 * socket stands in a descriptor once, so they have one of their own, which stands in the library's.
 */
#ifndef SCORED_HTTP_EVENTS_H
#define SCORED_HTTP_EVENTS_H

#include "scored/err.h"

#include <sys/epoll.h>

enum {
    EVENTS_KEPT = 128, /* as many as the library asks for at once */
    EVENTS_OWN = 8,    /* of the worker's in one wait; more come with the next */
};

struct events {
    int all;         /* the library's descriptor, which is waited in */
    int connections; /* by which the worker watches its connections; it stands in `all` */
    const void *worker, *listener; /* what events of the worker's own name */
    int n_kept;                    /* for the library, until it asks */
    struct epoll_event kept[EVENTS_KEPT], own[EVENTS_OWN];
};

/* `all` is the library's descriptor, which outlives this. `worker` and `listener` are told from its
 * connections by their addresses, and are not followed. */
bool events_open(struct events *v, int all, const void *worker, const void *listener,
                 struct err *e);
void events_close(struct events *v);

/* Waits until something comes, for so many milliseconds. Returns how many events of `own` are the
 * worker's. */
int events_wait(struct events *v, int ms);

/* Around each run of the library: what was kept goes to it. */
void events_give(struct events *v);
void events_given(struct events *v);

#endif
