/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS credentials: the default chain (environment, profile with its roles, web identity, container,
 * instance metadata). The first source that is configured is the one; it is asked again before what
 * it gave expires, and what it gave is used until it really expires. Secrets are wiped when they
 * are replaced and never stand in a message.
 */
#ifndef SCORED_STORE_CREDENTIALS_H
#define SCORED_STORE_CREDENTIALS_H

#include "aws_config.h"
#include "transport.h"

#include <stdint.h>

struct credentials {
    char key_id[160], secret[160];
    char token[8192];    /* of the session; "" where there is none */
    uint64_t expires_ms; /* since 1970; 0: never */
    const char *source;  /* "environment", "profile", "web identity", "container", "instance" */
};

struct credential_chain;

/* Borrows both. Nothing is asked yet. `clock_skew_ms`: what is added to this machine's clock to get
 * AWS's, kept up to date by the S3 client, and here where STS refuses our date; may be NULL. */
struct credential_chain *credentials_new(const struct aws_config *config, struct transport *t,
                                         int64_t *clock_skew_ms, struct err *e);
void credentials_free(struct credential_chain *c); /* takes NULL */

/* Credentials that are good now; they stay the chain's until its next call. NULL: `e` names each
 * source that was tried and why it gave none. May take seconds where a source is asked. */
const struct credentials *credentials_get(struct credential_chain *c, struct err *e);

/* The service said that they have expired or are not known: the next get asks the source again. */
void credentials_reject(struct credential_chain *c);

/* When those in hand expire, since 1970; 0: never, or none in hand. */
uint64_t credentials_expiry(const struct credential_chain *c);

/* For `scored doctor`: calls `tell` for each source of the chain, in order, with whether it is
 * configured, and if so whether it gave credentials, with a sentence why (no secrets). */
void credentials_explain(struct credential_chain *c,
                         void (*tell)(void *context, const char *source, bool configured, bool good,
                                      const char *why),
                         void *context);

#endif
