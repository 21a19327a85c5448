/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this server speaks, and what it shows. TLS 1.2 and 1.3 with ciphers that authenticate what
 * they encrypt and keys that are made for one session (RFC 9325); no compression, no renegotiation,
 * no early data, which could be played again. Tickets are made by each process for itself; where
 * clients need a certificate there are none, so that each connection shows it.
 */
#include "tls.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CERT "--tls-cert (SCORED_TLS_CERT)"
#define KEY  "--tls-key (SCORED_TLS_KEY)"
#define CA   "--tls-client-ca (SCORED_TLS_CLIENT_CA)"

/* What OpenSSL has to say about the file, which is nothing where it had no memory for it. */
static bool wrong(const char *flag, const char *path, const char *cure, struct err *e)
{
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    bool memory = !why;

    for (unsigned long error; (error = ERR_get_error());)
        memory |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    return memory ? err_memory(e)
                  : err_set(e, ERR_USAGE, "%s: %.200s: %s (%s)", flag, path, cure, why);
}

/* Says why a file cannot be read, which OpenSSL says less well. */
static bool is_readable(const char *flag, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd >= 0) {
        close(fd);
        return true;
    }
    bool denied = errno == EACCES;
    err_errno(e, "cannot be read");
    e->code = ERR_USAGE;
    err_wrap(e, "%s: %.200s", flag, path);
    if (denied)
        err_wrap(e, "let the user that this runs as read it, as by chown or a volume's fsGroup");
    return false;
}

static int no_password(char *out, int size, int writes, void *context)
{
    (void)out;
    (void)size;
    (void)writes;
    (void)context;
    return -1;
}

/* Others on this machine, that is, not the group, by which volumes are shared. */
static void warn_of_readers(const char *path)
{
    struct stat s;

    if (!stat(path, &s) && s.st_mode & (S_IROTH | S_IWOTH))
        log_with(LOG_WARN, "everybody on this machine may read the key: chmod 640, or defaultMode",
                 log_text("tls_key", path));
}

static bool read_expiry(SSL_CTX *c, const char *path, int64_t *expires, struct err *e)
{
    const ASN1_TIME *until = X509_get0_notAfter(SSL_CTX_get0_certificate(c));
    char text[CLOCK_TEXT];
    struct tm tm;

    if (!ASN1_TIME_to_tm(until, &tm))
        return wrong(CERT, path, "is no certificate that says until when it is valid", e);
    *expires = (int64_t)timegm(&tm);
    if (*expires > (int64_t)(clock_ms() / 1000))
        return true;
    clock_text((uint64_t)(*expires > 0 ? *expires : 0) * 1000, text);
    return err_set(e, ERR_USAGE, "%s: %.200s: the certificate has expired on %s: renew it", CERT,
                   path, text);
}

static bool use_certificate(SSL_CTX *c, const char *path, int64_t *expires, struct err *e)
{
    if (!is_readable(CERT, path, e))
        return false;
    if (SSL_CTX_use_certificate_chain_file(c, path) != 1)
        return wrong(CERT, path,
                     "holds no certificate that can be used: PEM is wanted, the server's own "
                     "first, behind it those that lead to the root",
                     e);
    return read_expiry(c, path, expires, e);
}

static bool is_mismatch(void)
{
    int why = ERR_GET_REASON(ERR_peek_last_error());

    return why == X509_R_KEY_VALUES_MISMATCH || why == X509_R_KEY_TYPE_MISMATCH;
}

static bool use_key(SSL_CTX *c, const char *path, const char *certificate, struct err *e)
{
    if (!is_readable(KEY, path, e))
        return false;
    bool read = SSL_CTX_use_PrivateKey_file(c, path, SSL_FILETYPE_PEM) == 1;
    if (!read && !is_mismatch())
        return wrong(KEY, path,
                     "holds no private key that can be used: PEM is wanted, without a password, "
                     "as openssl pkey -in FILE writes it",
                     e);
    if (read && SSL_CTX_check_private_key(c) == 1)
        return true;
    ERR_clear_error();
    return err_set(e, ERR_USAGE,
                   "%s: %.150s: is not the key of the certificate in %.150s: give the two that "
                   "were made together",
                   KEY, path, certificate);
}

/* Clients must show a certificate that one of these has signed, for use by clients. */
static bool want_clients(SSL_CTX *c, const char *path, struct err *e)
{
    static const char cure[] = "holds no certificate of an authority: PEM is wanted";

    if (!is_readable(CA, path, e))
        return false;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (!names || SSL_CTX_load_verify_file(c, path) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return wrong(CA, path, cure, e);
    }
    SSL_CTX_set_client_CA_list(c, names);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(c, 0);
    return true;
}

/* A client that names protocols, and not ours, would not understand us. */
static int choose_protocol(SSL *s, const unsigned char **out, unsigned char *n_out,
                           const unsigned char *in, unsigned n, void *context)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *found;

    (void)s;
    (void)context;
    if (SSL_select_next_proto(&found, n_out, ours, sizeof ours - 1, in, n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = found;
    return SSL_TLSEXT_ERR_OK;
}

static bool set_rules(SSL_CTX *c)
{
    static const unsigned char id[] = "scored";
    char groups[] = "X25519:P-256:P-384";

    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* Without AUTO_RETRY a message that is no data ends a read: who sends them gets no more of this
     * thread than others. */
    SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_security_level(c, 2);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c, 1);
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(c, no_password);
    return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK") &&
           SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                       "TLS_CHACHA20_POLY1305_SHA256") &&
           SSL_CTX_set1_groups_list(c, groups) &&
           SSL_CTX_set_session_id_context(c, id, sizeof id - 1);
}

struct ssl_ctx_st *tls_context_new(const struct config *config, int64_t *expires, struct err *e)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());

    ERR_clear_error();
    if (!c || !set_rules(c)) {
        ERR_clear_error();
        SSL_CTX_free(c);
        err_memory(e);
        return NULL;
    }
    if (use_certificate(c, config->tls_cert, expires, e) &&
        use_key(c, config->tls_key, config->tls_cert, e) &&
        (!*config->tls_client_ca || want_clients(c, config->tls_client_ca, e))) {
        warn_of_readers(config->tls_key);
        return c;
    }
    SSL_CTX_free(c);
    return NULL;
}

void tls_context_free(struct ssl_ctx_st *c)
{
    SSL_CTX_free(c);
}
