/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library is given to read: nothing of a head that was not judged.
 *
 * Left alone it reads what its buffer holds, and so has bytes of heads that nobody has seen: behind
 * a request, or in pieces. Its own reading of them is not to be trusted (it skips lines, folds
 * others, and takes control characters), and it has no hook for them. So the function that it reads
 * by is ours: recv() as defined here goes before the C library's for all that is linked to this
 * program. While a worker runs the library, what recv() brings passes the judge: good heads and
 * their bodies go on, and so does a part of a head in which nothing is wrong yet; of it a copy is
 * kept, to be judged again with what comes next. From the first wrong head on nothing goes on: when
 * all before it is answered, it is refused. All other callers get what they always got.
 *
 * A body in chunks ends where the library finds its end, so all goes on from there; the connection
 * closes behind it, and a request whose head was not judged is never answered.
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

/* Has some of a next head come? An empty line that may stand before one is none of it. */
bool intake_has_begun(const struct connection *c);

/* Refuses what was found wrong behind the requests that are answered now. */
void intake_refuse(struct connection *c);

/* Refuses a head that was not whole in time. */
void intake_overdue(struct connection *c);

bool intake_is_empty(const struct connection *c); /* nothing is unread, and more may come */
bool intake_is_over(const struct connection *c);  /* nothing is unread, and no more will come */

#endif
