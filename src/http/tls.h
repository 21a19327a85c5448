/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections over TLS share: the certificate and its key, whom clients must be certified by,
 * and how handshakes ended. The files are read again when they change; sessions keep what they
 * began with.
 */
#ifndef SCORED_HTTP_TLS_H
#define SCORED_HTTP_TLS_H

#include "scored/config.h"
#include "scored/err.h"

#include <pthread.h>
#include <stdatomic.h>

struct ssl_ctx_st; /* SSL_CTX of OpenSSL */
struct tls;

/* X(id, label): how a handshake ended. */
#define HANDSHAKES(X)             \
    X(DONE, "done")               \
    X(FAILED, "failed")           \
    X(REFUSED, "bad_certificate") \
    X(LATE, "timeout")            \
    X(GONE, "gone")               \
    X(PLAIN, "plain")

enum handshake {
#define X(id, label) HANDSHAKE_##id,
    HANDSHAKES(X)
#undef X
        HANDSHAKE_COUNT
};

/* Of the settings. NULL on failure, and where they ask for no TLS, which is none. */
bool tls_is_wanted(const struct config *config);
struct tls *tls_new(const struct config *config, struct err *e);
void tls_free(struct tls *t); /* takes NULL; sessions may live on */

/* By one thread, every second, and with `asked` when it is told to: takes files that have changed.
 * What is wrong with them is logged and counted, and those before stay. */
void tls_look(struct tls *t, bool asked);

/* For a new session; to be given back by tls_context_free. */
struct ssl_ctx_st *tls_context(struct tls *t);
void tls_context_free(struct ssl_ctx_st *c); /* takes NULL */

void tls_count(struct tls *t, enum handshake h);
uint64_t tls_counted(const struct tls *t, enum handshake h);
uint64_t tls_replaced(const struct tls *t, bool well); /* times that files had changed */
int64_t tls_expires(struct tls *t);                    /* the certificate; seconds since 1970 */

/* -- tls_context.c -- */

/* From the files as they are now. ERR_USAGE says which is wrong, and what to do about it. */
struct ssl_ctx_st *tls_context_new(const struct config *config, int64_t *expires, struct err *e);

#endif
