/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>

const char *peer_text(const struct sockaddr *peer, char out[PEER_TEXT])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;
    bool is_v6 = peer->sa_family == AF_INET6;
    char host[INET6_ADDRSTRLEN] = "";

    inet_ntop(peer->sa_family, is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
              host, sizeof host);
    snprintf(out, PEER_TEXT, is_v6 ? "[%s]:%u" : "%s:%u", host,
             ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
    return out;
}
