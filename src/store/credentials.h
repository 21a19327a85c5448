/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS credentials: the default chain (environment, profile with its roles, web identity, container,
 * instance metadata). The first source that is configured is the one; it is asked again before what
 * it gave expires, when the shared files or the file of a token that it read changed, and when the
 * service no longer takes what it gave. Until then, and while it gives nothing, what it gave is
 * used until it really expires. Secrets are wiped when they are replaced and never stand in a
 * message.
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
    unsigned serial;     /* of all that the chain gave: tells these from others */
};

struct credential_chain;

/* Borrows both; nobody else uses `config` meanwhile. Nothing is asked yet. `clock_skew_ms`: what is
 * added to this machine's clock to get AWS's, kept up to date by the S3 client, and here where STS
 * refuses our date; may be NULL. */
struct credential_chain *credentials_new(struct aws_config *config, struct transport *t,
                                         int64_t *clock_skew_ms, struct err *e);
void credentials_free(struct credential_chain *c); /* takes NULL */

/* Credentials that are good now; they stay the chain's until its next call. NULL: `e` names each
 * source that was tried and why it gave none. May take seconds where a source is asked. */
const struct credentials *credentials_get(struct credential_chain *c, struct err *e);

/* The service said that those of a serial number have expired: the next get asks the source again,
 * unless others are in hand by now. */
void credentials_reject(struct credential_chain *c, unsigned serial);

/* The service denied what those signed, which may be their fault: the source is asked again, unless
 * it was within the last minute and no file has changed. Whether others are in hand now. */
bool credentials_doubt(struct credential_chain *c, unsigned serial);

/* When those in hand expire, since 1970; 0: never, or none in hand. */
uint64_t credentials_expiry(const struct credential_chain *c);

/* For `scored doctor`: calls `tell` for each source of the chain, in order, with whether it is
 * configured, and if so whether it gave credentials, with a sentence why (no secrets). */
void credentials_explain(struct credential_chain *c,
                         void (*tell)(void *context, const char *source, bool configured, bool good,
                                      const char *why),
                         void *context);

#endif
