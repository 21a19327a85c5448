/* SPDX-License-Identifier: Apache-2.0 */
/* One connection's TLS, over a socket that never waits. What was read stays here until it is taken,
 * so that it needs no other place while it cannot go on. */
#ifndef SCORED_HTTP_TLS_SESSION_H
#define SCORED_HTTP_TLS_SESSION_H

#include "tls.h"

enum session_result {
    SESSION_DONE,
    SESSION_WANTS_READ, /* the socket has nothing more */
    SESSION_WANTS_WRITE,
    SESSION_END,    /* the client has said that it sends no more */
    SESSION_BROKEN, /* it ended without saying so, or it is no TLS; nothing can be sent */
};

struct session {
    struct ssl_st *ssl; /* NULL: not begun, or over */
    bool turned;        /* a message that is no data has been read */
    unsigned others;    /* how many, since the handshake */
};

/* The socket stays the caller's; the session stays where it is. False: no memory. */
bool session_begin(struct session *s, struct tls *t, int fd);
void session_over(struct session *s); /* also of one that never began */

enum session_result session_handshake(struct session *s);

/* What was decrypted and not taken yet, `room` bytes at most; at least one where it is DONE. */
enum session_result session_peek(struct session *s, void *to, size_t room, size_t *n);
void session_take(struct session *s, void *away,
                  size_t n); /* so many of those; `away` is for them */

/* Sends some of the bytes; where it WANTS, the same, and maybe more, must come again. */
enum session_result session_put(struct session *s, const void *p, size_t n, size_t *sent);

/* Says that no more is sent. */
enum session_result session_end(struct session *s);

/* Why the last call has failed, as text that never ends; *certificate: for the client's. */
const char *session_why(struct session *s, bool *certificate);

#endif
