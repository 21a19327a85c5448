/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who published a manifest: a DSSE envelope ("bundle-<sha16>.dsse") with Ed25519 signatures over
 * the manifest's exact bytes. Verified before anything in the manifest is parsed. The envelope is
 * read by a strict reader of its own form: it comes from where the bundle comes from.
 */
#ifndef SCORED_SIGNATURE_H
#define SCORED_SIGNATURE_H

#include "scored/buf.h"
#include "scored/err.h"

#include <stddef.h>

enum {
    KEY_ID = 65,              /* SHA-256 of the public key's DER form, in hex, and a NUL */
    ENVELOPE_BYTES = 2 << 20, /* at most: a manifest in base64, and its signatures */
    ENVELOPE_SIGNATURES = 16, /* at most: each may cost a verification */
};

struct trust; /* public keys, any one of which suffices; read-only after it is made */

/* Reads PEM files of Ed25519 public keys. The error names the file. NULL on failure. */
struct trust *trust_new(const char *const *files, unsigned n, struct err *e);
void trust_free(struct trust *t); /* takes NULL */

/* The file that holds the key of this id, or NULL. */
const char *trust_file(const struct trust *t, const char *key);

/* True where the envelope holds a signature of a trusted key over exactly these bytes; `key` is
 * then its id. ERR_BAD_BUNDLE else. */
bool trust_verify(const struct trust *t, const char *envelope, size_t n_envelope,
                  const char *manifest, size_t n_manifest, char key[KEY_ID], struct err *e);

/* Appends an envelope, signed by the private key of a PEM file. */
bool signature_make(const char *private_key_file, const char *manifest, size_t n, struct buf *out,
                    struct err *e);

#endif
