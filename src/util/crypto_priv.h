/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_UTIL_CRYPTO_PRIV_H
#define SCORED_UTIL_CRYPTO_PRIV_H

#include "scored/err.h"

#include <openssl/err.h>

/* After a call of OpenSSL that failed; false. Empties the thread's list of errors: its entries are
 * memory, and TLS on the same thread takes an old one for its own. */
static inline bool crypto_failed(enum err_code code, const char *what, struct err *e)
{
    ERR_clear_error();
    return err_set(e, code, "%s", what);
}

#endif
