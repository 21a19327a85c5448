/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/crypto.h"

#include <openssl/evp.h>

bool sha256_hex(const void *p, size_t n, char out[SHA256_HEX + 1], struct err *e)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (!EVP_Digest(p, n, digest, &length, EVP_sha256(), NULL) || length != SHA256_SIZE)
        return err_set(e, ERR_NO_MEMORY, "SHA-256 failed");
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[SHA256_HEX] = '\0';
    return true;
}
