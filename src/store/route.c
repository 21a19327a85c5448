/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include "aws_config.h"
#include "scored/decimal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* -- names -- */

/* Splits "name:port" or "[v6]:port". */
static bool split_host(struct route *r, const char *text, size_t n, const char *port, struct err *e)
{
    const char *end = text + n, *close = *text == '[' ? memchr(text, ']', n) : NULL;
    const char *colon = memchr(close ? close : text, ':', (size_t)(end - (close ? close : text)));
    const char *host = close ? text + 1 : text, *host_end = close ? close : colon ? colon : end;
    uint64_t number;

    if (colon) {
        port = colon + 1;
        n = (size_t)(end - port);
    } else {
        n = strlen(port);
    }
    if (host == host_end || (size_t)(host_end - host) >= sizeof r->host || n == 0 ||
        n >= sizeof r->port || !decimal_read(port, n, 1, UINT16_MAX, &number))
        return err_set(e, ERR_USAGE, "'%.100s' is no host, or host:port", text);
    memcpy(r->host, host, (size_t)(host_end - host));
    r->host[host_end - host] = '\0';
    memcpy(r->port, port, n);
    r->port[n] = '\0';
    return true;
}

/* The first variable of the list that is set. */
static const char *first_set(const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (aws_env(names[i]))
            return names[i];
    return NULL;
}

/* Whether an item of the list is the host or a domain it is in. */
static bool is_listed(const char *list, const char *host)
{
    size_t n_host = strlen(host);

    while (*list) {
        list += strspn(list, ", ");
        size_t n = strcspn(list, ", ");
        const char *item = list;
        list += n;
        if (n == 1 && *item == '*')
            return true;
        if (n && *item == '.') {
            item++;
            n--;
        }
        if (n == 0 || n > n_host || strncasecmp(host + n_host - n, item, n) != 0)
            continue;
        if (n == n_host || host[n_host - n - 1] == '.')
            return true;
    }
    return false;
}

static bool take_proxy(struct route *r, const char *variable, struct err *e)
{
    const char *url = aws_env(variable), *scheme = strstr(url, "://");
    const char *host = scheme ? scheme + 3 : url;
    const char *user = strrchr(host, '@'); /* behind a password, which is never shown */
    size_t n;

    if (user)
        host = user + 1;
    n = strcspn(host, "/");
    r->variable = variable;
    return split_host(r, host, n, "1080", e) || err_set(e, ERR_USAGE, "%s names no host", variable);
}

bool route_find(struct route *r, const char *host, bool plain, struct err *e)
{
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const http[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY"};

    *r = (struct route){0};
    if (!split_host(r, host, strlen(host), plain ? "80" : "443", e))
        return false;
    const char *variable = first_set(plain ? http : https, countof(http));
    const char *exception = first_set(exceptions, countof(exceptions));
    if (!variable)
        return true;
    if (exception && is_listed(aws_env(exception), r->host)) {
        r->exception = exception;
        return true;
    }
    return take_proxy(r, variable, e);
}

/* -- addresses -- */

struct addrinfo *route_addresses(const struct route *r, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;

    int status = getaddrinfo(r->host, r->port, &hints, &list);
    if (status == 0)
        return list;
    err_set(e, ERR_UPSTREAM, "%s: %s", r->host, gai_strerror(status));
    return NULL;
}

void route_text(const struct addrinfo *a, char *out, size_t size)
{
    if (getnameinfo(a->ai_addr, a->ai_addrlen, out, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        *out = '\0';
}

/* True: connected. Sets errno else. */
static bool connect_fd(int fd, const struct addrinfo *a, unsigned timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int status = 0;
    socklen_t n = sizeof status;

    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return true;
    if (errno != EINPROGRESS)
        return false;
    if (poll(&p, 1, (int)timeout_ms) <= 0) {
        errno = ETIMEDOUT;
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &status, &n) < 0)
        return false;
    errno = status;
    return status == 0;
}

bool route_connect(const struct addrinfo *list, unsigned timeout_ms, char *address, size_t size,
                   struct err *e)
{
    bool ok = false;

    for (const struct addrinfo *a = list; a && !ok; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        route_text(a, address, size);
        ok = fd >= 0 && connect_fd(fd, a, timeout_ms);
        if (!ok)
            err_errno(e, address);
        if (fd >= 0)
            close(fd);
    }
    return ok;
}
