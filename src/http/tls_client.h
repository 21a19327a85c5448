/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_HTTP_TLS_CLIENT_H
#define SCORED_HTTP_TLS_CLIENT_H

#include "scored/err.h"

/* Sends a request over TLS, of a connected socket that waits, and reads until the end or `room`;
 * `reply` is NUL-terminated. The server is this machine's: it need not prove who it is. */
bool tls_client_ask(int fd, const char *request, char *reply, size_t room, struct err *e);

#endif
