/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second look at a head, at what libmicrohttpd made of it, by the rules of head.h: the only one
 * at heads that came with the request before them, or in pieces on a kept connection.
 */
#ifndef SCORED_HTTP_GUARD_H
#define SCORED_HTTP_GUARD_H

#include "http_priv.h"

struct MHD_Connection;

/* Fills x->head and splits x->target. False: x->head.wrong says why, and nothing behind this head
 * can be trusted. */
bool guard_head(struct exchange *x, struct MHD_Connection *connection, const char *method,
                const char *version);

#endif
