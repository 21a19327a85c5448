/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_HTTP_LISTEN_H
#define SCORED_HTTP_LISTEN_H

#include "scored/err.h"

#include <stdint.h>
#include <sys/time.h>

/* A listening socket on "ADDRESS:PORT", "[IPV6]:PORT" or ":PORT"; *port is the one it got. -1 on
 * failure. */
int listen_open(const char *address, uint16_t *port, struct err *e);

/* A socket that is connected to one; each step on it may take that long. -1 on failure. */
int listen_dial(const char *address, const struct timeval *most, struct err *e);

#endif
