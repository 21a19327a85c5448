/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by OpenSSL. */
#ifndef SCORED_CRYPTO_H
#define SCORED_CRYPTO_H

#include "scored/err.h"

enum { SHA256_SIZE = 32, SHA256_HEX = 64 };

/* 64 lower-case hex digits and a NUL. Fails only where OpenSSL has no memory. */
bool sha256_hex(const void *p, size_t n, char out[SHA256_HEX + 1], struct err *e);

#endif
