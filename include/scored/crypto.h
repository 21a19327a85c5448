/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, by OpenSSL. Failures are of memory only. */
#ifndef SCORED_CRYPTO_H
#define SCORED_CRYPTO_H

#include "scored/err.h"

enum { SHA256_SIZE = 32, SHA256_HEX = 64, MD5_SIZE = 16 };

/* OpenSSL makes what it needs for itself. Once, before anything else here and before threads. */
bool crypto_start(struct err *e);

/* 64 lower-case hex digits and a NUL. */
bool sha256_hex(const void *p, size_t n, char out[SHA256_HEX + 1], struct err *e);
bool sha256_bytes(const void *p, size_t n, unsigned char out[SHA256_SIZE], struct err *e);

/* Takes as long wherever they differ. */
bool bytes_equal(const void *a, const void *b, size_t n);

/* HMAC-SHA-256. `key` may be `out`. */
bool hmac_sha256(const void *key, size_t n_key, const void *p, size_t n,
                 unsigned char out[SHA256_SIZE], struct err *e);

/* SHA-256 of bytes that come in pieces. */
struct sha256;
struct sha256 *sha256_new(struct err *e);
bool sha256_add(struct sha256 *s, const void *p, size_t n);
bool sha256_end(struct sha256 *s, char out[SHA256_HEX + 1], struct err *e); /* once */
void sha256_free(struct sha256 *s);                                         /* takes NULL */

/* Guards nothing: S3 wants it beside a key, against slips of transmission. */
bool md5_bytes(const void *p, size_t n, unsigned char out[MD5_SIZE], struct err *e);

const char *crypto_library(void); /* the version of OpenSSL */

#endif
