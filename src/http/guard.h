/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of HTTP's framing that libmicrohttpd 0.9.75 leaves out; without them two parties can
 * disagree where a request ends.
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
