/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The S3 client: s3.c opens and closes it, s3_get.c fetches small objects in one piece, s3_parts.c
 * large ones in several, s3_sign.c signs a request, s3_call.c
 * tries it again, s3_reply.c reads what
 * replies say, s3_errors.c says what failed and what to do, s3_sse.c reads a customer's key.
 */
#ifndef SCORED_STORE_S3_PRIV_H
#define SCORED_STORE_S3_PRIV_H

#include "credentials.h"
#include "retry.h"
#include "s3_endpoint.h"
#include "sigv4.h"
#include "store_priv.h"

#include <pthread.h>

enum {
    S3_PART = 8 << 20,      /* bytes of a range */
    S3_LARGE = 2 * S3_PART, /* from here on objects come in ranges */
    S3_WORKERS = 4,         /* ranges at once */
    S3_CONNECT_MS = 8000,   /* a resolver's second server, then TCP, then TLS */
    S3_LEAST_MS = 60000,    /* of a fetch; or a second for each MiB */
    S3_TELL_MS = 250,       /* between two calls of progress */
    S3_RESTARTS = 3,        /* of an object that is overwritten while it comes */
    S3_CODE = 64,
};

/* Headers of a key of the customer's own (SSE-C); all "" where there is none. */
struct s3_sse {
    char key[48], md5[28]; /* base64 */
};

struct s3_client {
    struct s3_place place;
    struct s3_sse sse;
    struct source *owner;
    struct source_options options;
    struct aws_config *config;
    unsigned attempts;
    struct transport *transport;             /* of the thread that fetches */
    struct transport *asking;                /* of the chain */
    struct transport *workers[S3_WORKERS];   /* of one each; NULL until they are needed */
    struct transport_options worker_options; /* their stop flag is `halt` */
    atomic_bool halt;

    /* Guards what follows, and place.region: workers share them. */
    pthread_mutex_t lock;
    struct credential_chain *chain;
    struct sigv4_key key;
    int64_t skew_ms; /* added to this machine's clock */
    struct retry_bucket bucket;
    uint64_t random;
};

/* A GET of one object, or of a range of it. */
struct s3_request {
    const char *name;          /* of the bundle's file */
    const char *if_match;      /* an ETag; or NULL */
    const char *if_none_match; /* or NULL */
    bool ranged;
    uint64_t from, end;   /* of a range, `end` not in it; `from` moves on as bytes come */
    uint64_t max;         /* bytes that the whole object may have */
    uint64_t deadline_ns; /* by clock_ns() */
    bool (*sink)(void *context, const char *p, size_t n); /* `etag` and `total` are set before */
    void (*again)(void *context); /* before another attempt: what came is void; NULL for ranges */
    void *context;

    /* What came. */
    char etag[SOURCE_TAG];
    uint64_t total; /* bytes of the whole object; 0 while that is not known */
    bool unchanged; /* it is still the one of if_none_match */
    bool changed;   /* it is no longer the one of if_match: the call failed */
};

/* What S3 says about a failure, and what was asked. */
struct s3_failure {
    unsigned status;
    char code[S3_CODE], message[200], region[S3_NAME], request_id[80];
    char asked_region[S3_NAME];
    char canonical[SHA256_HEX + 1]; /* digest of the canonical request */
    const char *credentials;        /* where they are from */
};

/* -- s3_call.c -- */

/* Asks for an object, as often as the rules of retry.h say. `t` is the calling thread's. */
bool s3_call(struct s3_client *c, struct transport *t, struct s3_request *r, struct err *e);
bool s3_stopped(const struct s3_client *c);

/* When a fetch of n bytes that began at `from_ns` must be over. */
uint64_t s3_deadline(uint64_t from_ns, uint64_t n);

/* -- s3_sign.c -- */

/* One signed attempt, and what is remembered of it. */
struct s3_signed {
    char host[S3_HOST], region[S3_NAME], date[SIGV4_DATE], range[64];
    char token[sizeof((struct credentials *)0)->token];
    struct buf url, path, query, authorization;
    struct http_header headers[12];
    unsigned n_headers;
    char canonical[SHA256_HEX + 1];
    const char *credentials; /* where they are from */
    unsigned serial;         /* theirs */
};

bool s3_sign(struct s3_client *c, const struct s3_request *r, struct s3_signed *s, struct err *e);
void s3_signed_done(struct s3_signed *s);

/* -- s3_get.c, s3_parts.c: the two ways -- */

bool s3_get(struct s3_client *c, const struct source_request *r, struct source_file *f,
            struct err *e);
bool s3_get_parts(struct s3_client *c, const struct source_request *r, struct source_file *f,
                  struct err *e);

/* Tells the progress, not too often. Begins with *told_ns = 0. */
void s3_tell(const struct s3_client *c, const char *name, uint64_t done, uint64_t total,
             uint64_t *told_ns);

/* -- s3_reply.c: pure -- */

/* "bytes FROM-LAST/TOTAL". */
bool s3_content_range(const char *text, uint64_t *from, uint64_t *last, uint64_t *total);

/* Reads a reply that is not a success. */
void s3_read_failure(const struct http_reply *reply, struct s3_failure *f);

/* Refuses a head that S3 would not send for this request; sets its `etag`, `total`, `end` and
 * `changed`. */
bool s3_check_head(const struct http_reply *reply, struct s3_request *r, struct err *e);

/* -- s3_errors.c -- */

/* Says what failed and what to do about it. */
bool s3_fail(const struct s3_failure *f, struct err *e);

/* -- s3_sse.c -- */

/* Reads the file of 32 bytes, or of their base64. */
bool s3_sse_read(struct s3_sse *s, const char *path, struct err *e);

#endif
