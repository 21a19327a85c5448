/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd as we use it: a daemon a worker, without threads, listener or timers of its own. It
 * parses requests and writes replies when it is told to; what they mean stands elsewhere. All calls
 * come from the worker's thread.
 */
#ifndef SCORED_HTTP_LIBRARY_H
#define SCORED_HTTP_LIBRARY_H

#include "http_priv.h"

struct library;

enum { POOL_BYTES = 24 * 1024 }; /* of a connection: its head, and that of its reply */

void library_init(void); /* once */
const char *library_version(void);
const char *library_reason(unsigned status); /* the phrase of a status line */

struct library *library_new(struct worker *w, struct err *e);
void library_free(struct library *l); /* takes NULL; no request may be suspended */

/* Takes the connection's descriptor. False: it did not want it, and has closed it. */
bool library_add(struct library *l, struct connection *c);

/* The descriptor by which the library watches its connections: events.h. */
int library_events(const struct library *l);

/* Reads and writes all that is ready, once a connection. */
void library_run(struct library *l);
bool library_has_more(const struct library *l); /* without waiting */

/* For many runs it has said that it has more to do, and nothing came of it: some connection's
 * buffer is full with what is no body, such as an endless line between chunks. True twice. */
bool library_is_stuck(const struct library *l);

/* Drops a connection within two seconds, also where the library hears of nothing more: it does not
 * watch one whose buffer was full from the first read on. Not from within the library. */
void library_drop(struct exchange *x);

/* Goes on with an exchange whose work is done. */
void library_resume(struct exchange *x);

#endif
