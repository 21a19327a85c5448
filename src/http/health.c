/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/health.h"

#include "listen.h"
#include "tls_client.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { REPLY = 4096 }; /* more than any readiness that a person would read */

static const char request[] =
    "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

static bool send_all(int fd, const char *p, size_t n)
{
    for (ssize_t sent; n; p += sent, n -= (size_t)sent)
        if ((sent = send(fd, p, n, MSG_NOSIGNAL)) < 0)
            return false;
    return true;
}

static bool ask_plain(int fd, char reply[REPLY], struct err *e)
{
    size_t n = 0;
    ssize_t got = 0;

    if (!send_all(fd, request, sizeof request - 1))
        return err_errno(e, "it does not take a request");
    while (n < REPLY - 1 && (got = recv(fd, reply + n, REPLY - 1 - n, 0)) > 0)
        n += (size_t)got;
    reply[n] = '\0';
    return n || err_set(e, ERR_UPSTREAM, "it does not answer");
}

static bool ask(const char *address, unsigned timeout_ms, bool tls, char reply[REPLY],
                struct err *e)
{
    const struct timeval most = {.tv_sec = timeout_ms / 1000,
                                 .tv_usec = (long)(timeout_ms % 1000) * 1000};
    int fd = listen_dial(address, &most, e);

    if (fd < 0)
        return false;
    bool ok = tls ? tls_client_ask(fd, request, reply, REPLY, e) : ask_plain(fd, reply, e);
    close(fd);
    return ok || err_wrap(e, "%.200s", address);
}

static bool is_status(const char *reply, const char *status)
{
    return !strncmp(reply, "HTTP/1.1 ", 9) && !strncmp(reply + 9, status, 3);
}

/* The body, which says why it is not ready. */
static bool refuse(const char *address, const char *reply, struct err *e)
{
    const char *body = strstr(reply, "\r\n\r\n");

    return err_set(e, ERR_UPSTREAM, "%.200s: not ready: %.250s", address,
                   body && body[4] ? body + 4 : "no answer of a daemon");
}

bool health_ask(const char *address, unsigned timeout_ms, struct err *e)
{
    char reply[REPLY];

    if (!ask(address, timeout_ms, false, reply, e))
        return false;
    bool tls = is_status(reply, "400") && strstr(reply, "this port speaks TLS");
    if (tls && !ask(address, timeout_ms, true, reply, e))
        return false;
    return is_status(reply, "200") || refuse(address, reply, e);
}
