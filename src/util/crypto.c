/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/crypto.h"
#include "scored/hex.h"

#include "crypto_priv.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

bool crypto_start(struct err *e)
{
    char digest[SHA256_HEX + 1];

    /* OpenSSL 3.0 goes on with a context that it had no memory to make, and crashes */
    return (OSSL_LIB_CTX_get0_global_default() || err_memory(e)) && sha256_hex("", 0, digest, e);
}

bool sha256_bytes(const void *p, size_t n, unsigned char out[SHA256_SIZE], struct err *e)
{
    return EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) ||
           crypto_failed(ERR_NO_MEMORY, "out of memory (SHA-256)", e);
}

bool md5_bytes(const void *p, size_t n, unsigned char out[MD5_SIZE], struct err *e)
{
    return EVP_Digest(p, n, out, NULL, EVP_md5(), NULL) ||
           crypto_failed(ERR_SYSTEM, "OpenSSL does not give MD5 here", e);
}

bool sha256_hex(const void *p, size_t n, char out[SHA256_HEX + 1], struct err *e)
{
    unsigned char digest[SHA256_SIZE];

    if (!sha256_bytes(p, n, digest, e))
        return false;
    hex_text(digest, sizeof digest, out);
    return true;
}

bool bytes_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

bool hmac_sha256(const void *key, size_t n_key, const void *p, size_t n,
                 unsigned char out[SHA256_SIZE], struct err *e)
{
    return HMAC(EVP_sha256(), key, (int)n_key, p, n, out, NULL) ||
           crypto_failed(ERR_NO_MEMORY, "out of memory (HMAC-SHA-256)", e);
}

/* struct sha256 is OpenSSL's context under a name of ours. */
static EVP_MD_CTX *context(struct sha256 *s)
{
    return (EVP_MD_CTX *)(void *)s;
}

struct sha256 *sha256_new(struct err *e)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    if (c && EVP_DigestInit_ex(c, EVP_sha256(), NULL))
        return (struct sha256 *)(void *)c;
    EVP_MD_CTX_free(c);
    crypto_failed(ERR_NO_MEMORY, "out of memory (SHA-256)", e);
    return NULL;
}

bool sha256_add(struct sha256 *s, const void *p, size_t n)
{
    return EVP_DigestUpdate(context(s), p, n) == 1;
}

bool sha256_end(struct sha256 *s, char out[SHA256_HEX + 1], struct err *e)
{
    unsigned char digest[SHA256_SIZE];

    if (!EVP_DigestFinal_ex(context(s), digest, NULL))
        return crypto_failed(ERR_NO_MEMORY, "out of memory (SHA-256)", e);
    hex_text(digest, sizeof digest, out);
    return true;
}

void sha256_free(struct sha256 *s)
{
    EVP_MD_CTX_free(context(s));
}

const char *crypto_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
