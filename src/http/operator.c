/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks on the admin listener: an operator, or a page in the operator's browser whose host's
 * name was made to mean this listener's address (DNS rebinding). The page cannot hide its name: it
 * stands in Host; nor its origin, where it sends from another.
 */
#include "http_priv.h"

#include <arpa/inet.h>
#include <strings.h>

enum { HOST_MAX = 255 };

/* The host without its port and brackets. */
static struct text host_of(const char *value)
{
    bool bracket = value[0] == '[';
    size_t n = bracket ? strcspn(++value, "]") : strcspn(value, ":");

    return (struct text){value, (uint32_t)n};
}

static bool is_address(struct text host)
{
    char text[HOST_MAX + 1];
    struct in6_addr address;

    if (host.len > HOST_MAX)
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* `names` are separated by commas; case does not matter, nor a dot at the end of the host. */
static bool is_listed(const char *names, struct text host)
{
    size_t n;

    if (host.len && host.p[host.len - 1] == '.')
        host.len--;
    for (const char *p = names; *p; p += n + (p[n] == ',')) {
        n = strcspn(p, ",");
        if (n && n == host.len && !strncasecmp(p, host.p, n))
            return true;
    }
    return false;
}

bool is_operator(const struct exchange *x)
{
    if (x->side != SIDE_ADMIN || x->head.origin)
        return false;
    if (!x->head.host)
        return true; /* HTTP/1.0: no browser */
    struct text host = host_of(x->head.host);
    return is_address(host) || is_listed("localhost", host) ||
           is_listed(x->app->config->admin_hosts, host);
}
