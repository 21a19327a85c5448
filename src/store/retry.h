/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a request is tried again: the rules of the AWS SDKs since November 2026. Pure: chance and
 * time are arguments.
 */
#ifndef SCORED_STORE_RETRY_H
#define SCORED_STORE_RETRY_H

#include "transport.h"

enum {
    RETRY_ATTEMPTS = 3,
    RETRY_MAX_ATTEMPTS = 100,
    RETRY_TOKENS = 500,
};

/* What may help against a failure. */
enum retry_kind {
    RETRY_NOTHING,     /* the same would happen again */
    RETRY_TRANSIENT,   /* waiting a little */
    RETRY_THROTTLED,   /* waiting longer */
    RETRY_CREDENTIALS, /* other credentials: at once, and once */
    RETRY_DENIED,      /* other credentials, if there are any: at once, and once */
    RETRY_CLOCK,       /* the service's time: at once, and once */
    RETRY_REGION,      /* the region that the reply names: at once, and once */
};

/* `failure` HTTP_OK: a reply came, with this status and S3's <Code>, or "". */
enum retry_kind retry_kind_of(enum http_failure failure, unsigned status, const char *code);

/* What all requests of a client share: who fails much tries little. */
struct retry_bucket {
    unsigned spent; /* of RETRY_TOKENS */
};

/* One request. Begins as {.attempts = N}. */
struct retry {
    unsigned attempts;  /* at most, the first one counted */
    unsigned made;      /* tried again so far; corrections do not count */
    unsigned cost;      /* of the last time, given back on success */
    unsigned corrected; /* bits: which corrections were made */
};

/* Whether to try again; takes what it costs out of the bucket. */
bool retry_again(struct retry *r, struct retry_bucket *b, enum retry_kind kind);

/* To be told of every request that succeeded. */
void retry_succeeded(const struct retry *r, struct retry_bucket *b);

/* Milliseconds to wait before the next attempt. `chance` is random in [0, 1); `after_ms` is what
 * the reply's x-amz-retry-after says, or negative. */
unsigned retry_wait_ms(const struct retry *r, enum retry_kind kind, double chance, long after_ms);

/* AWS_MAX_ATTEMPTS; NULL: the default. */
bool retry_attempts(const char *text, unsigned *attempts, struct err *e);

#endif
