/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Messages that are no data, such as new keys: a client needs one in many GiB. */
enum { OTHERS = 64 };

static enum session_result result_of(const SSL *ssl, int got)
{
    switch (SSL_get_error(ssl, got)) {
    case SSL_ERROR_NONE: return SESSION_DONE;
    case SSL_ERROR_WANT_READ: return SESSION_WANTS_READ;
    case SSL_ERROR_WANT_WRITE: return SESSION_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN: return SESSION_END;
    default: return SESSION_BROKEN;
    }
}

/* NOLINTNEXTLINE(readability-function-size): OpenSSL's signature */
static void message_seen(int writes, int version, int type, const void *p, size_t n, SSL *ssl,
                         void *context)
{
    struct session *s = context;

    (void)version;
    (void)p;
    (void)n;
    (void)ssl;
    if (!writes && type == SSL3_RT_HANDSHAKE) {
        s->turned = true;
        s->others++;
    }
}

bool session_begin(struct session *s, struct tls *t, int fd)
{
    SSL_CTX *c = tls_context(t);

    s->ssl = c ? SSL_new(c) : NULL;
    tls_context_free(c);
    if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1) {
        ERR_clear_error();
        return false;
    }
    SSL_set_accept_state(s->ssl);
    SSL_set_msg_callback(s->ssl, message_seen);
    SSL_set_msg_callback_arg(s->ssl, s);
    return true;
}

void session_over(struct session *s)
{
    SSL_free(s->ssl);
    s->ssl = NULL;
    ERR_clear_error();
}

enum session_result session_handshake(struct session *s)
{
    ERR_clear_error();
    enum session_result r = result_of(s->ssl, SSL_do_handshake(s->ssl));
    s->others = 0;
    return r == SESSION_END ? SESSION_BROKEN : r;
}

enum session_result session_peek(struct session *s, void *to, size_t room, size_t *n)
{
    enum session_result r;

    do {
        s->turned = false;
        ERR_clear_error();
        r = result_of(s->ssl, SSL_peek_ex(s->ssl, to, room, n));
        if (s->others > OTHERS)
            return SESSION_BROKEN;
    } while (r == SESSION_WANTS_READ && s->turned);
    return r;
}

/* They are of one record, as peek has found them: none is left behind. */
void session_take(struct session *s, void *away, size_t n)
{
    size_t got;

    ERR_clear_error();
    SSL_read_ex(s->ssl, away, n, &got);
}

enum session_result session_put(struct session *s, const void *p, size_t n, size_t *sent)
{
    ERR_clear_error();
    return result_of(s->ssl, SSL_write_ex(s->ssl, p, n, sent));
}

/* 0: ours is sent, and theirs has not come, which nobody waits for. */
enum session_result session_end(struct session *s)
{
    ERR_clear_error();
    int got = SSL_shutdown(s->ssl);
    return got >= 0 ? SESSION_DONE : result_of(s->ssl, got);
}

const char *session_why(struct session *s, bool *certificate)
{
    long verified = SSL_get_verify_result(s->ssl);
    unsigned long error = ERR_peek_error();
    const char *why = ERR_reason_error_string(error);

    *certificate =
        verified != X509_V_OK || ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
    return verified != X509_V_OK ? X509_verify_cert_error_string(verified)
           : why                 ? why
                                 : "the connection has ended";
}
