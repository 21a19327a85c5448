/* SPDX-License-Identifier: Apache-2.0 */
/* The chain and its sources, one a file. */
#ifndef SCORED_STORE_CREDENTIALS_PRIV_H
#define SCORED_STORE_CREDENTIALS_PRIV_H

#include "../credentials.h"
#include "../xml.h"

#include "scored/stamp.h"

#include <limits.h>

enum {
    ANSWER_MAX = 10 << 10, /* bytes of a reply of a container's or an instance's service */
    STS_MAX = 64 << 10,
    SECRET_MAX = 20 << 10, /* of a file with a token: STS takes 20,000 */
};

struct credential_chain {
    struct aws_config *config;
    struct err config_error; /* why its files could not be read anew; {0}: they were */
    struct transport *transport;
    int64_t *clock_skew_ms;     /* may be NULL */
    uint64_t (*clock)(void);    /* clock_ms, or a test's */
    const char *container_host; /* of ECS's relative URIs, or a test's */

    struct http_reply reply; /* of the last call; wiped behind it */
    char error_code[64];     /* of a reply that is not 200; "" where it tells none */

    struct credentials current, next;
    unsigned kept; /* serial number of the current ones */
    bool have, rejected;
    bool moved;                /* a file has changed since they came */
    char token_path[PATH_MAX]; /* the token's file that was read for them; "": none */
    struct stamp token_stamp;
    uint64_t refresh_ms; /* by AWS's clock; 0: never */
    uint64_t asked_ms;   /* by this machine's clock; 0: not yet */
};

struct credential_source {
    const char *name;
    const char *absent; /* why it is not configured */
    bool (*configured)(const struct credential_chain *c);
    bool (*get)(struct credential_chain *c, struct credentials *out, struct err *e);
    bool always; /* asked where nothing else is configured: may fail without being to blame */
};

extern const struct credential_source source_environment, source_profile, source_web_identity,
    source_container, source_instance;

/* AWS's time. */
uint64_t chain_now(const struct credential_chain *c);

/* -- call.c -- */

/* Asks until a 200 comes, at most `attempts` times where trying again may help. What came is in
 * c->reply; chain_wipe overwrites it. */
bool chain_call(struct credential_chain *c, const struct http_call *call, unsigned attempts,
                struct err *e);
void chain_wipe(struct credential_chain *c);

/* Reads c->reply as the JSON of containers' and instances' services. */
bool chain_json(struct credential_chain *c, struct credentials *out, struct err *e);

/* -- text.c -- */

/* Copies what is to stand in a header: not empty, visible ASCII, fits. `what` names it. */
bool secret_copy(char *out, size_t size, const char *value, const char *what, struct err *e);

/* Reads the file of a token, of less than `size` bytes, NUL-terminated. When it changes, the chain
 * asks again. */
bool secret_file(struct credential_chain *c, const char *path, char *out, size_t size,
                 struct err *e);

/* Milliseconds since 1970 of "2026-11-21T10:20:30Z", also with a fraction or an offset. */
bool time_read(const char *text, uint64_t *ms);

/* A whole number of a setting. */
bool number_read(const char *text, unsigned low, unsigned high, unsigned *out);

/* -- sts.c -- */

struct sts_role {
    const char *arn;
    const char *session;     /* NULL: a name is made */
    const char *external_id; /* may be NULL */
    const char *duration;    /* seconds; may be NULL */
    const char *token_file;  /* a web identity's; NULL: the call is signed */
};

/* AssumeRole by the credentials `by`, or AssumeRoleWithWebIdentity. */
bool sts_assume(struct credential_chain *c, const struct sts_role *role,
                const struct credentials *by, struct credentials *out, struct err *e);

#endif
