/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_client.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

static bool failed(struct err *e)
{
    const char *why = ERR_reason_error_string(ERR_peek_error());

    err_set(e, ERR_UPSTREAM, "TLS: %s", why ? why : "it does not answer in time");
    ERR_clear_error();
    return false;
}

static bool ask(SSL *s, const char *request, char *reply, size_t room, struct err *e)
{
    size_t n = 0, got;

    if (SSL_connect(s) != 1 || SSL_write_ex(s, request, strlen(request), &got) != 1)
        return failed(e);
    while (n < room - 1 && SSL_read_ex(s, reply + n, room - 1 - n, &got) == 1)
        n += got;
    reply[n] = '\0';
    return n || failed(e); /* where it wants a certificate of us, it says so here */
}

bool tls_client_ask(int fd, const char *request, char *reply, size_t room, struct err *e)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());
    SSL *s = c ? SSL_new(c) : NULL;
    bool ok = s && SSL_set_fd(s, fd) == 1 ? ask(s, request, reply, room, e) : err_memory(e);

    SSL_free(s);
    SSL_CTX_free(c);
    ERR_clear_error();
    return ok;
}
