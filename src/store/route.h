/* SPDX-License-Identifier: Apache-2.0 */
/* Which host a call really connects to: its own, or a proxy's. For telling people; the calls
 * themselves leave it to libcurl. */
#ifndef SCORED_STORE_ROUTE_H
#define SCORED_STORE_ROUTE_H

#include "scored/err.h"

#include <netdb.h>

struct route {
    char host[256], port[8];
    const char *variable;  /* that names a proxy; NULL: there is none on the way */
    const char *exception; /* that excepts this host from a proxy; or NULL */
};

/* `host` is "name", "name:port", "[v6]:port"; `plain`: http. ERR_USAGE where it is none. */
bool route_find(struct route *r, const char *host, bool plain, struct err *e);

/* The addresses of its host, freed by freeaddrinfo; NULL where there are none. */
struct addrinfo *route_addresses(const struct route *r, struct err *e);

/* Connects to one of them; tells which, "1.2.3.4". */
bool route_connect(const struct addrinfo *list, unsigned timeout_ms, char *address, size_t size,
                   struct err *e);

/* An address as text. */
void route_text(const struct addrinfo *a, char *out, size_t size);

#endif
