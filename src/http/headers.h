/* SPDX-License-Identifier: Apache-2.0 */
/* What a judged head says that matters here, as the library took it apart. */
#ifndef SCORED_HTTP_HEADERS_H
#define SCORED_HTTP_HEADERS_H

#include "http_priv.h"

struct MHD_Connection;

/* Fills x->head and splits x->target. False: x->head.wrong says why. */
bool headers_read(struct exchange *x, struct MHD_Connection *connection);

#endif
