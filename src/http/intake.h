/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library is given to read: one request at a time, and none whose head was not judged.
 *
 * Left alone it reads what its buffer holds, and so has bytes of heads that nobody has seen: behind
 * a request, or in pieces. Its own reading of them is not to be trusted (it skips lines, folds
 * others, and takes control characters), and it has no hook for them. So the function that it reads
 * by is ours: recv() as defined here goes before the C library's for all that is linked to this
 * program. While a worker runs the library, recv() looks at what has come, judges a head where one
 * is due, and hands out its bytes and those of its body, not one more; what lies behind waits in
 * the kernel. All other callers get what they always got.
 *
 * A body in chunks ends where the library finds its end, so it may read on there; the connection
 * closes behind it.
 */
#ifndef SCORED_HTTP_INTAKE_H
#define SCORED_HTTP_INTAKE_H

#include "connection.h"

/* From now on the library's reads of this connection are ours. False: no memory. */
bool intake_watch(struct connection *c);
void intake_forget(struct connection *c);

/* Around each call of the library that reads. */
void intake_open(struct worker *w);
void intake_close(void);

/* Judges the first head, as far as it has come, and has the connection served, refused or closed.
 */
void intake_look(struct connection *c);

/* The request is over, another may come. */
void intake_next(struct connection *c);

/* The library hears of bytes once, when they come. This makes it look at those that are there. */
void intake_nudge(const struct connection *c);

bool intake_is_empty(const struct connection *c); /* nothing is unread, and more may come */
bool intake_is_over(const struct connection *c);  /* nothing is unread, and no more will come */

#endif
