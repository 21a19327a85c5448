/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/post.h"

#include "transport.h"

#include <stdlib.h>

enum { MOST_HEADERS = 16, CONNECT_MS = 1000, REPLY_BYTES = 64 * 1024 };

struct poster {
    struct transport *transport;
    struct http_reply reply;
};

struct poster *poster_new(const atomic_bool *stop, struct err *e)
{
    const struct transport_options options = {.stop = stop};
    struct poster *p = calloc(1, sizeof *p);

    if (!p) {
        err_memory(e);
        return NULL;
    }
    p->transport = transport_new(&options, e);
    if (p->transport)
        return p;
    free(p);
    return NULL;
}

void poster_free(struct poster *p)
{
    if (!p)
        return;
    transport_free(p->transport);
    http_reply_done(&p->reply);
    free(p);
}

bool poster_post(struct poster *p, const struct post *what, struct err *e)
{
    struct http_header headers[MOST_HEADERS];
    unsigned n = what->n_headers < MOST_HEADERS ? what->n_headers : MOST_HEADERS;

    for (unsigned i = 0; i < n; i++)
        headers[i] = (struct http_header){what->headers[i].name, what->headers[i].value};
    const struct http_call call = {
        .method = "POST",
        .url = what->url,
        .headers = headers,
        .n_headers = n,
        .body = what->body,
        .body_size = what->n,
        .max = REPLY_BYTES,
        .connect_ms = CONNECT_MS,
        .total_ms = what->total_ms,
    };
    if (!transport_call(p->transport, &call, &p->reply, e))
        return false;
    return p->reply.status / 100 == 2 ||
           err_set(e, ERR_SYSTEM, "it answers with status %u", p->reply.status);
}
