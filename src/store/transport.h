/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP as a client, by libcurl: the only file of the project that knows it is transport.c. A call
 * is one attempt: who calls decides what to try again. Redirects are never followed, .netrc is
 * never read, replies are never decoded. One thread at a time uses a transport.
 */
#ifndef SCORED_STORE_TRANSPORT_H
#define SCORED_STORE_TRANSPORT_H

#include "scored/buf.h"
#include "scored/err.h"

#include <stdatomic.h>

struct transport;

struct transport_options {
    const char *ca_bundle;   /* PEM file of authorities; NULL: the system's */
    const atomic_bool *stop; /* once set, calls fail soon; may be NULL */
};

struct transport *transport_new(const struct transport_options *o, struct err *e);
void transport_free(struct transport *t); /* takes NULL */

struct http_header {
    const char *name, *value;
};

/* Why there is no reply, or none that is whole. */
enum http_failure {
    HTTP_OK,
    HTTP_RESOLVE,   /* the host has no address */
    HTTP_CONNECT,   /* nothing listens, or no route */
    HTTP_TLS,       /* the handshake broke */
    HTTP_UNTRUSTED, /* the certificate was refused: never tried again */
    HTTP_TIMEOUT,   /* a deadline passed, or it came too slowly */
    HTTP_BROKEN,    /* the connection ended inside the reply */
    HTTP_TOO_LARGE, /* a head or body over its bound */
    HTTP_FORBIDDEN, /* the address is not one that may be asked (metadata_only) */
    HTTP_STOPPED,
};

struct http_call {
    const char *method, *url; /* sent as they are: already encoded */
    const struct http_header *headers;
    unsigned n_headers;
    const char *body; /* NULL: none */
    size_t body_size;
    uint64_t max;        /* bytes of a reply's body at most */
    unsigned connect_ms; /* 0: 3,000 */
    unsigned total_ms;   /* absolute; 0: 60,000 */
    bool direct;         /* never by a proxy */
    bool metadata_only;  /* plain http only to loopback and the link-local metadata addresses */
    /* Takes a 2xx body as it comes, in order, instead of `body` of the reply; false stops the call.
     * May be NULL. */
    bool (*sink)(void *context, const char *p, size_t n);
    void *context;
};

struct http_reply {
    unsigned status; /* 0: none came */
    enum http_failure failure;
    struct buf body;    /* NUL-terminated; of replies that are not 2xx the first 64 KiB */
    struct buf headers; /* "name: value\n" as they came; read by http_reply_header */
};

/* True: a whole reply came, of whatever status. False: reply->failure says why, `e` in words. The
 * reply is emptied first, keeping its memory; http_reply_done frees it. */
bool transport_call(struct transport *t, const struct http_call *c, struct http_reply *reply,
                    struct err *e);
void http_reply_reset(struct http_reply *r); /* empty, its memory kept */
void http_reply_done(struct http_reply *r);

/* A header's value, without blanks around; false where there is none. Names match in any case. */
bool http_reply_header(const struct http_reply *r, const char *name, char *out, size_t size);

/* Milliseconds since 1970 of "Sat, 21 Nov 2026 10:20:30 GMT", and of a reply's Date. */
bool http_date(const char *text, uint64_t *ms);
bool http_reply_date(const struct http_reply *r, uint64_t *ms);

/* Whether a text may stand in a head: no byte ends a line or is another control character. */
bool http_is_clean(const char *s);

#endif
