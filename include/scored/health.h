/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a daemon whether it is ready, as its container's health check does. */
#ifndef SCORED_HEALTH_H
#define SCORED_HEALTH_H

#include "scored/err.h"

/* GET /readyz of the listener at "ADDRESS:PORT", plain or over TLS as it speaks itself; whose
 * certificate it shows is not asked. True: 200. Each step may take `timeout_ms`. */
bool health_ask(const char *address, unsigned timeout_ms, struct err *e);

#endif
