/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_HTTP_LISTEN_H
#define SCORED_HTTP_LISTEN_H

#include "scored/err.h"

#include <stdint.h>

/* A listening socket on "ADDRESS:PORT", "[IPV6]:PORT" or ":PORT"; *port is the one it got. -1 on
 * failure. */
int listen_open(const char *address, uint16_t *port, struct err *e);

#endif
