/* SPDX-License-Identifier: Apache-2.0 */
/* A small object, or one that may be unchanged: in one piece. */
#include "s3_priv.h"

#include "scored/clock.h"

#include <stdio.h>

struct piece {
    const struct s3_client *client;
    struct s3_request request;
    struct buf body;
    uint64_t told_ns;
};

void s3_tell(const struct s3_client *c, const char *name, uint64_t done, uint64_t total,
             uint64_t *told_ns)
{
    uint64_t now = clock_ns();
    bool soon = *told_ns && now - *told_ns < (uint64_t)S3_TELL_MS * 1000000;

    if (!c->options.progress || (soon && done < total))
        return;
    *told_ns = now;
    c->options.progress(c->options.context, name, done, total);
}

static bool take(void *context, const char *p, size_t n)
{
    struct piece *x = context;

    buf_put(&x->body, p, n);
    s3_tell(x->client, x->request.name, x->body.len, x->request.total, &x->told_ns);
    return !x->body.failed;
}

static void again(void *context)
{
    struct piece *x = context;

    buf_reset(&x->body);
    x->request.total = 0;
}

static bool finish(const struct piece *x, struct source_file *f, struct err *e)
{
    f->unchanged = x->request.unchanged;
    snprintf(f->tag, sizeof f->tag, "%s",
             f->unchanged ? x->request.if_none_match : x->request.etag);
    return f->unchanged || file_of_bytes(f, x->body.data, x->body.len, e);
}

bool s3_get(struct s3_client *c, const struct source_request *r, struct source_file *f,
            struct err *e)
{
    struct piece x = {.client = c,
                      .request = {.name = r->name,
                                  .if_none_match = r->tag && *r->tag ? r->tag : NULL,
                                  .max = r->max,
                                  .deadline_ns = s3_deadline(clock_ns(), r->max),
                                  .sink = take,
                                  .again = again,
                                  .context = &x}};
    bool ok = s3_call(c, c->transport, &x.request, e);

    if (x.body.failed)
        ok = err_memory(e);
    ok = ok && finish(&x, f, e);
    buf_done(&x.body);
    return ok;
}
