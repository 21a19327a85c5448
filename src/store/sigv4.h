/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4, as pure functions: time, credentials and region are arguments. What is
 * signed is what is sent: who calls hands in the path, query and headers as they go on the wire.
 */
#ifndef SCORED_STORE_SIGV4_H
#define SCORED_STORE_SIGV4_H

#include "transport.h"

#include "scored/crypto.h"

enum {
    SIGV4_DATE = 17,      /* "20150830T123600Z" and a NUL */
    SIGV4_MAX_ITEMS = 64, /* headers, and parameters of a query */
};

/* SHA-256 of nothing: a request without a body. */
extern const char sigv4_empty_sha256[];

/* How the path is written down. S3's keys may hold "//" and "..": there it stands as it was sent.
 * Other services want it encoded once more, and most of them without dot segments. */
enum sigv4_path { SIGV4_AS_SENT, SIGV4_ENCODED_AGAIN, SIGV4_NORMALISED };

struct sigv4_request {
    const char *method, *path, *query; /* the query without '?'; "" or NULL: none */
    const struct http_header *headers; /* "host" among them; those never signed are passed over */
    unsigned n_headers;
    const char *payload_sha256; /* hex, or UNSIGNED-PAYLOAD */
    enum sigv4_path rule;
};

/* The signing key of a day, kept because it is the same for every request until midnight. Begins
 * as {0}. */
struct sigv4_key {
    char date[9], region[64], service[16], secret[160];
    unsigned char key[SHA256_SIZE];
};

struct sigv4_signer {
    const char *key_id, *secret, *region, *service;
    char date[SIGV4_DATE];
    struct sigv4_key *cache;
};

/* "YYYYMMDDTHHMMSSZ" of milliseconds since 1970. */
void sigv4_date(uint64_t ms, char out[SIGV4_DATE]);

/* Appends n bytes with all but A-Z a-z 0-9 - . _ ~ as %XX; `slash`: '/' stays too. */
void url_encode(struct buf *out, const char *p, size_t n, bool slash);

/* Appends the canonical request. */
bool sigv4_canonical(const struct sigv4_request *r, struct buf *out, struct err *e);

/* Appends the names that are signed, "a;b". */
bool sigv4_signed_headers(const struct sigv4_request *r, struct buf *out, struct err *e);

/* Appends the string to sign of a canonical request's digest. */
void sigv4_string_to_sign(const struct sigv4_signer *s, const char *canonical_sha256,
                          struct buf *out);

/* 64 hex digits over the string to sign. */
bool sigv4_signature(const struct sigv4_signer *s, const char *text, size_t n,
                     char out[SHA256_HEX + 1], struct err *e);

/* Appends the value of the Authorization header, and tells the digest of the canonical request,
 * which may stand in messages. */
bool sigv4_authorization(const struct sigv4_request *r, const struct sigv4_signer *s,
                         struct buf *out, char canonical_sha256[SHA256_HEX + 1], struct err *e);

/* Overwrites the key and the secret. */
void sigv4_forget(struct sigv4_key *k);

#endif
