/* SPDX-License-Identifier: Apache-2.0 */
/* What a judged head says that matters here, as the library took it apart. */
#ifndef SCORED_HTTP_HEADERS_H
#define SCORED_HTTP_HEADERS_H

#include "head.h"
#include "http_priv.h"

struct MHD_Connection;

/* Fills x->head and splits x->target; `v` is the verdict on the head, which is whole. False:
 * x->head.wrong says why. */
bool headers_read(struct exchange *x, struct MHD_Connection *connection,
                  const struct head_verdict *v);

#endif
