/* SPDX-License-Identifier: Apache-2.0 */
/* The content coding (RFC 9110, 8.4) in which an answer goes. */
#ifndef SCORED_HTTP_CODING_H
#define SCORED_HTTP_CODING_H

#include "http_priv.h"

/* Begins to compress the reply, where that is worth while and its reader takes it: x->job has
 * steps to do then. Once; where memory is short the reply goes as it is. */
bool coding_begin(struct exchange *x);
uint64_t coding_estimate(const struct exchange *x); /* nanoseconds that it will take */

#endif
