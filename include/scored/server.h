/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: listeners for the public, operators and probes over one route table. */
#ifndef SCORED_SERVER_H
#define SCORED_SERVER_H

#include "scored/config.h"
#include "scored/registry.h"

struct server;

/* Starts listening; threads of its own answer from then on. The registry and config must outlive
 * it. NULL on failure. */
struct server *server_start(struct registry *r, const struct config *config, struct err *e);
uint16_t
server_port(const struct server *s); /* of the public listener, also where 0 was asked for */
uint16_t server_admin_port(const struct server *s); /* 0: there is none */
uint16_t server_probe_port(const struct server *s); /* 0: there is none */

/* Once a second: looks after the memory of requests, and the files that may change. */
void server_look(struct server *s);

/* At SIGHUP: reads certificates again. */
void server_reload(struct server *s);

/* Ends in order: unready but answering (`lame_duck`), then nothing new and what is under way
 * finished (`drain`), then the rest cut off. Returns when no thread of it runs any more, but
 * `hurry`, set meanwhile, cuts both times short; it may be called often. Takes NULL. */
void server_stop(struct server *s, bool (*hurry)(void *context), void *context);

/* Threads that score for a config: min(processors this process may use, ceil(cgroup quota)), unless
 * it is set. */
unsigned server_workers(const struct config *config);

#endif
