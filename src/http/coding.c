/* SPDX-License-Identifier: Apache-2.0 */
#include "coding.h"

#include "connection.h"
#include "gzip.h"

enum {
    LEAST_BYTES = 4 * 1024, /* of a reply that is worth it */
    BYTE_NS = 8,            /* to compress one */
};

/* Gzip is taken as gladly as no coding at all. */
static bool is_wanted(const char *accept)
{
    unsigned gzip = media_weighs(accept, "gzip", 0);

    return gzip && gzip >= media_weighs(accept, "identity", 1);
}

/* The answer to one row never: it is waited for, and others have many like it to send. */
static bool is_large(const struct exchange *x)
{
    return x->reply.len >= (size_t)LEAST_BYTES && !(x->dialect && x->scoring.counts.rows == 1);
}

/* The reply as it is will do. */
static bool give_up(struct exchange *x)
{
    gzip_free(x->gzip);
    x->gzip = NULL;
    buf_done(&x->packed);
    return false;
}

static bool step(struct exchange *x)
{
    enum gzip_state state = gzip_some(x->gzip, &x->reply, &x->packed);

    if (state == GZIP_NO_MEMORY || !exchange_charge(x, 0))
        return give_up(x);
    if (state == GZIP_ON)
        return true;
    buf_done(&x->reply);
    x->reply = x->packed;
    x->packed = (struct buf){0};
    x->encoding = "gzip";
    return give_up(x);
}

bool coding_begin(struct exchange *x)
{
    if (x->varies || !is_large(x) || !reply_whole(x))
        return false;
    x->varies = true;
    if (!x->head.accept_encoding || !is_wanted(x->head.accept_encoding))
        return false;
    if (x->body.cap > KEPT_BYTES)
        buf_done(&x->body); /* it is answered */
    x->gzip = exchange_charge(x, GZIP_BYTES) ? gzip_new() : NULL;
    if (!x->gzip)
        return false;
    if (x->side != SIDE_PUBLIC) { /* nothing else is waited for there */
        while (step(x))
            ;
        return false;
    }
    x->job.step = step;
    x->job.admitted = true; /* what is answered already is not refused */
    return true;
}

uint64_t coding_estimate(const struct exchange *x)
{
    return x->reply.len * BYTE_NS;
}
