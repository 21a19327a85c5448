/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

#include "scored/clock.h"
#include "scored/log.h"
#include "scored/stamp.h"

#include <openssl/ssl.h>
#include <stdlib.h>

enum { FILES = 3 };

struct tls {
    const struct config *config;
    pthread_mutex_t lock; /* guards the context and when it ends */
    SSL_CTX *context;
    int64_t expires;
    struct stamp seen[FILES]; /* of tls_look alone */
    _Atomic uint64_t counts[HANDSHAKE_COUNT], replaced, kept;
};

/* A secret of Kubernetes is replaced by a link that leads elsewhere: the names are followed. */
static void look_at(const struct config *config, struct stamp out[FILES])
{
    const char *const names[FILES] = {config->tls_cert, config->tls_key, config->tls_client_ca};

    for (unsigned i = 0; i < FILES; i++)
        stamp_take(&out[i], names[i]);
}

static bool is_same(const struct stamp a[FILES], const struct stamp b[FILES])
{
    bool same = true;

    for (unsigned i = 0; i < FILES; i++)
        same = same && stamp_same(&a[i], &b[i]);
    return same;
}

bool tls_is_wanted(const struct config *config)
{
    return *config->tls_cert || *config->tls_key || *config->tls_client_ca || config->admin_tls;
}

static bool is_complete(const struct config *config, struct err *e)
{
    if (!*config->tls_cert)
        return err_set(e, ERR_USAGE, "TLS needs a certificate: --tls-cert FILE (SCORED_TLS_CERT)");
    return *config->tls_key ||
           err_set(e, ERR_USAGE,
                   "--tls-cert needs its private key: --tls-key FILE (SCORED_TLS_KEY)");
}

/* OpenSSL may say of a file what is true of memory, "key too small" for one: what is wrong twice is
 * the file. */
static SSL_CTX *read_files(const struct config *config, int64_t *expires, struct err *e)
{
    SSL_CTX *c = tls_context_new(config, expires, e);

    if (c || e->code != ERR_USAGE)
        return c;
    *e = (struct err){0};
    return tls_context_new(config, expires, e);
}

struct tls *tls_new(const struct config *config, struct err *e)
{
    struct tls *t = is_complete(config, e) ? calloc(1, sizeof *t) : NULL;

    if (!t) {
        if (e->code == ERR_NONE)
            err_memory(e);
        return NULL;
    }
    t->config = config;
    pthread_mutex_init(&t->lock, NULL);
    look_at(config, t->seen);
    t->context = read_files(config, &t->expires, e);
    if (t->context)
        return t;
    tls_free(t);
    return NULL;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    tls_context_free(t->context);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

struct ssl_ctx_st *tls_context(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    SSL_CTX *c = SSL_CTX_up_ref(t->context) ? t->context : NULL;
    pthread_mutex_unlock(&t->lock);
    return c;
}

static void replace(struct tls *t, SSL_CTX *next, int64_t expires)
{
    char until[CLOCK_TEXT];

    pthread_mutex_lock(&t->lock);
    SSL_CTX *old = t->context;
    t->context = next;
    t->expires = expires;
    pthread_mutex_unlock(&t->lock);
    tls_context_free(old);
    atomic_fetch_add(&t->replaced, 1);
    clock_text((uint64_t)expires * 1000, until);
    log_with(LOG_INFO, "new connections get the new certificate",
             log_text("tls_cert", t->config->tls_cert), log_text("expires", until));
}

/* Files that change while they are read may not belong together: they are looked at again. */
void tls_look(struct tls *t, bool asked)
{
    struct stamp before[FILES], after[FILES];
    struct err e = {0};
    int64_t expires = 0;

    look_at(t->config, before);
    if (!asked && is_same(before, t->seen))
        return;
    SSL_CTX *next = read_files(t->config, &expires, &e);
    look_at(t->config, after);
    if (!is_same(before, after)) {
        tls_context_free(next);
        return;
    }
    memcpy(t->seen, after, sizeof after);
    if (next) {
        replace(t, next, expires);
        return;
    }
    atomic_fetch_add(&t->kept, 1);
    log_with(LOG_ERROR, "the new certificate is not taken, the one before stays",
             log_text("why", e.msg));
}

void tls_count(struct tls *t, enum handshake h)
{
    atomic_fetch_add_explicit(&t->counts[h], 1, memory_order_relaxed);
}

uint64_t tls_counted(const struct tls *t, enum handshake h)
{
    return atomic_load_explicit(&t->counts[h], memory_order_relaxed);
}

uint64_t tls_replaced(const struct tls *t, bool well)
{
    return atomic_load_explicit(well ? &t->replaced : &t->kept, memory_order_relaxed);
}

int64_t tls_expires(struct tls *t)
{
    pthread_mutex_lock(&t->lock);
    int64_t at = t->expires;
    pthread_mutex_unlock(&t->lock);
    return at;
}
