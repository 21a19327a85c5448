/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ed25519 signatures (RFC 8032), and the PEM files that "openssl genpkey" makes of its keys, by
 * OpenSSL. Keys are plain values; whoever held a private one wipes it.
 */
#ifndef SCORED_ED25519_H
#define SCORED_ED25519_H

#include "scored/crypto.h"

enum { ED25519_KEY = 32, ED25519_SIGNATURE = 64 };

struct ed25519_public {
    unsigned char raw[ED25519_KEY];
    char id[SHA256_HEX + 1]; /* SHA-256 of the key's DER form (SubjectPublicKeyInfo), in hex */
};

struct ed25519_private {
    unsigned char raw[ED25519_KEY];
    struct ed25519_public public;
};

/* From a key's 32 bytes. */
bool ed25519_public(struct ed25519_public *k, const unsigned char raw[ED25519_KEY], struct err *e);
bool ed25519_private(struct ed25519_private *k, const unsigned char raw[ED25519_KEY],
                     struct err *e);

/* From a PEM file that holds this key and nothing else. ERR_USAGE names the file, what is wrong
 * with it and the command that helps. No passphrase is asked for. */
bool ed25519_read_public(struct ed25519_public *k, const char *file, struct err *e);
bool ed25519_read_private(struct ed25519_private *k, const char *file, struct err *e);
void ed25519_wipe(struct ed25519_private *k);

bool ed25519_sign(const struct ed25519_private *k, const void *p, size_t n,
                  unsigned char signature[ED25519_SIGNATURE], struct err *e);
/* ERR_BAD_BUNDLE: it is not this key's signature of these bytes. */
bool ed25519_verify(const struct ed25519_public *k, const void *p, size_t n,
                    const unsigned char signature[ED25519_SIGNATURE], struct err *e);

#endif
