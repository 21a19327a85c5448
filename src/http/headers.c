/* SPDX-License-Identifier: Apache-2.0 */
#include "headers.h"

#include "head.h"

#include <microhttpd.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER(text, member)                                  \
    {                                                         \
        text, sizeof(text) - 1, offsetof(struct head, member) \
    }

static const struct known_header {
    const char *name;
    size_t len, place; /* of its value in struct head */
} known[] = {
    HEADER("Host", host),
    HEADER("Content-Length", content_length),
    HEADER("Transfer-Encoding", transfer_encoding),
    HEADER("Content-Type", content_type),
    HEADER("Content-Encoding", content_encoding),
    HEADER("Accept", accept),
    HEADER("Accept-Encoding", accept_encoding),
    HEADER("X-Request-Id", request_id),
    HEADER("Expect", expect),
    HEADER("Origin", origin),
    HEADER("Access-Control-Request-Method", asks_method),
    HEADER("If-None-Match", if_none_match),
    HEADER("X-Request-Timeout-Ms", timeout_ms),
    HEADER("traceparent", traceparent),
    HEADER("Authorization", authorization),
    HEADER("tracestate", tracestate),
};

/* Several are one list (RFC 9110, 5.3); of more than there is room for the last ones count. */
static const char **next_state(struct head *h)
{
    unsigned i = 0;

    while (i < TRACE_STATES - 1 && h->tracestate[i])
        i++;
    return &h->tracestate[i];
}

static void note(struct head *h, const char *name, size_t n, const char *value)
{
    for (size_t i = 0; i < countof(known); i++) {
        if (known[i].len != n || strncasecmp(name, known[i].name, n) != 0)
            continue;
        const char **place = (const char **)(void *)((char *)h + known[i].place);
        bool once =
            place == &h->traceparent || place == &h->content_encoding || place == &h->authorization;
        if (place == h->tracestate)
            place = next_state(h);
        *place = once && *place ? "" : value;
        return;
    }
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    (void)value_len;
    note(context, name, name_len, value ? value : "");
    return MHD_YES;
}

/* Splits the target into path and query; the absolute form loses its scheme and authority. */
static void split_target(struct exchange *x)
{
    static const char root[] = "/";
    char *p = x->target.data + head_path(x->target.data, x->target.len);
    size_t n = strcspn(p, "?");

    x->query = p[n] ? p + n + 1 : NULL;
    x->path = n ? (struct text){p, (uint32_t)n} : (struct text){root, 1};
}

/* The client's own limit of time; 0 would be no request at all. */
static const char *wrong_timeout(struct exchange *x)
{
    enum { MAX_DIGITS = 9 };
    const char *digits = x->head.timeout_ms ? x->head.timeout_ms : "1";
    size_t n = strspn(digits, "0123456789");
    uint64_t ms = 0;

    for (size_t i = 0; i < n && i < MAX_DIGITS; i++)
        ms = ms * 10 + (uint64_t)(digits[i] - '0');
    if (digits[n] || n > MAX_DIGITS || !ms)
        return "X-Request-Timeout-Ms is not a number of milliseconds";
    x->late_ns = x->head.timeout_ms ? x->began_ns + ms * 1000000 : UINT64_MAX;
    return NULL;
}

bool headers_read(struct exchange *x, struct MHD_Connection *connection)
{
    struct head *h = &x->head;

    *h = (struct head){0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, h);
    h->length = h->content_length ? strtoull(h->content_length, NULL, 10) : 0;
    h->chunked = h->transfer_encoding != NULL; /* no other coding passes the judge */
    h->wrong = wrong_timeout(x);
    if (!h->wrong && !x->target.failed)
        split_target(x);
    return !h->wrong;
}
