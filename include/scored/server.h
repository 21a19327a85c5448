/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: two listeners over one route table. */
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
uint16_t server_admin_port(const struct server *s); /* 0: there is no admin listener */

/* Answers what is being answered, then closes everything. Takes NULL. */
void server_stop(struct server *s);

/* Threads that score for a config: min(processors this process may use, ceil(cgroup quota)), unless
 * it is set. */
unsigned server_workers(const struct config *config);

#endif
