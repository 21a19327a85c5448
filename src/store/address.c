/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include "scored/err.h"

#include <arpa/inet.h>
#include <string.h>

bool address_is_metadata(const struct sockaddr *a)
{
    static const char *const v4[] = {"169.254.170.2", "169.254.170.23", "169.254.169.254"};
    static const char *const v6[] = {"::1", "fd00:ec2::23", "fd00:ec2::254"};
    struct in_addr in;
    struct in6_addr in6;

    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *s = (const struct sockaddr_in *)(const void *)a;
        if (ntohl(s->sin_addr.s_addr) >> 24 == 127)
            return true;
        for (size_t i = 0; i < countof(v4); i++)
            if (inet_pton(AF_INET, v4[i], &in) == 1 && in.s_addr == s->sin_addr.s_addr)
                return true;
    }
    if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *s = (const struct sockaddr_in6 *)(const void *)a;
        for (size_t i = 0; i < countof(v6); i++)
            if (inet_pton(AF_INET6, v6[i], &in6) == 1 &&
                memcmp(&in6, &s->sin6_addr, sizeof in6) == 0)
                return true;
    }
    return false;
}
