/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a reply of S3: two bytes of choices, the head up to an empty line, the body. A head
 * that is let pass is one that S3 could have sent for the request; what is told of a failure can
 * stand in a message.
 */
#include "../../src/store/s3_priv.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void require_visible(const char *text, size_t size, const char *what)
{
    require(memchr(text, '\0', size) != NULL, what);
    for (; *text; text++)
        require(*text >= ' ' && *text <= '~', what);
}

static void check_failure(const struct http_reply *reply)
{
    struct s3_failure f = {.credentials = "environment", .asked_region = "us-east-1"};
    struct err e = {0};

    s3_read_failure(reply, &f);
    require_visible(f.code, sizeof f.code, "the code");
    require_visible(f.message, sizeof f.message, "the message");
    require_visible(f.request_id, sizeof f.request_id, "the request's id");
    require(!*f.region || s3_is_region(f.region), "the region");
    require(!s3_fail(&f, &e) && e.code && *e.msg, "it is said what failed");
    require_visible(e.msg, sizeof e.msg, "the sentence");
}

static void check_success(const struct http_reply *reply, unsigned choices)
{
    struct s3_request r = {.ranged = choices & 1,
                           .from = 100,
                           .end = 200,
                           .max = 1000,
                           .total = choices & 2 ? 150 : 0,
                           .if_match = choices & 4 ? "\"1\"" : NULL};
    const uint64_t known = r.total;
    struct err e = {0};

    if (!s3_check_head(reply, &r, &e)) {
        require(e.code != ERR_NONE && *e.msg, "it is said why");
        return;
    }
    require(*r.etag && http_is_clean(r.etag), "an ETag that can be sent back");
    require(!r.if_match || strcmp(r.etag, r.if_match) == 0, "the state that was asked for");
    require(r.total <= r.max, "the bound");
    if (!r.ranged)
        return;
    require(r.from == 100 && r.end > r.from && r.end <= 200 && r.end <= r.total, "the range");
    require(r.end == 200 || r.end == r.total, "all of the range");
    require(!known || r.total == known, "the size");
}

static void check_text(const char *text)
{
    uint64_t a, b, n, ms;

    if (s3_content_range(text, &a, &b, &n))
        require(a <= b && b < n, "a range is in its whole");
    if (http_date(text, &ms))
        require(ms > 0 && ms % 1000 == 0, "a date");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned statuses[] = {200, 206, 301, 403};
    struct http_reply reply = {0};

    if (size < 2)
        return 0;
    const char *head = (const char *)data + 2, *end = (const char *)data + size;
    const char *blank = memmem(head, size - 2, "\n\n", 2);
    reply.status = statuses[data[0] % countof(statuses)];
    buf_put(&reply.headers, head, (size_t)((blank ? blank + 1 : end) - head));
    buf_put(&reply.body, blank ? blank + 2 : end, blank ? (size_t)(end - blank - 2) : 0);
    check_failure(&reply);
    check_success(&reply, data[1]);
    check_text(reply.headers.data);
    http_reply_done(&reply);
    return 0;
}
