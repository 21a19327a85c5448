/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_HTTP_PEER_H
#define SCORED_HTTP_PEER_H

#include <netinet/in.h>

enum { PEER_TEXT = INET6_ADDRSTRLEN + 16 };

/* "1.2.3.4:567", "[::1]:567": `out`. */
const char *peer_text(const struct sockaddr *peer, char out[PEER_TEXT]);

#endif
