/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bearer tokens (RFC 6750): who may ask for what. A file has a line a token,
 *     sha256:<64 hex digits of the token's SHA-256> predict|admin NAME
 * beside empty lines and those that begin with "#". Nobody can read a token out of it.
 */
#ifndef SCORED_HTTP_TOKENS_H
#define SCORED_HTTP_TOKENS_H

#include "scored/err.h"

#include <stdint.h>

/* Whoever may more may less too. */
enum scope { SCOPE_NONE, SCOPE_PREDICT, SCOPE_ADMIN };
const char *scope_name(enum scope s); /* as the file has it */

enum { TOKEN_NAME = 64 + 1, TOKENS_BYTES = 1 << 20 /* of a file at most */ };

struct tokens;

/* NULL: the file is not one of tokens, or has none; the message says at which line. */
struct tokens *tokens_open(const char *path, struct err *e);
void tokens_close(struct tokens *t); /* takes NULL */

/* Reads the file again where its name stands for other bytes now, links followed. What is wrong
 * with them is logged and counted, and the tokens known so far stay. One thread calls this; takes
 * NULL. */
void tokens_look(struct tokens *t);

/* Whose token the value of an Authorization header has, from any thread. SCOPE_NONE: nobody's, and
 * `name` is "". It takes as long whether and where there is one. */
enum scope tokens_find(struct tokens *t, const char *authorization, char name[TOKEN_NAME]);

/* For metrics; of NULL: 0. */
unsigned tokens_count(struct tokens *t);
uint64_t tokens_failures(struct tokens *t); /* files that were not taken */
uint64_t tokens_read_ms(struct tokens *t);  /* when the ones in use were read, since 1970 */

#endif
