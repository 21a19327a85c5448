/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include "head.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

/* A folded line is glued to the name by the library, which then no longer knows the header. */
static bool is_glued(const char *name, size_t n)
{
    static const char *const framing[] = {"content-length", "transfer-encoding"};

    for (size_t i = 0; i < countof(framing); i++) {
        size_t len = strlen(framing[i]);
        if (n > len && !strncasecmp(name, framing[i], len))
            return true;
    }
    return false;
}

struct reading {
    struct head *head;
    struct head_verdict verdict;
    const char *glued;
    size_t bytes; /* of all lines, written plainly: "Name: value" CR LF */
};

static void note(struct head *h, const char *name, size_t n, const char *value)
{
    struct {
        const char *name;
        const char **value;
    } known[] = {
        {"Host", &h->host},
        {"Content-Type", &h->content_type},
        {"Content-Encoding", &h->content_encoding},
        {"Accept", &h->accept},
        {"X-Request-Id", &h->request_id},
        {"Expect", &h->expect},
        {"Origin", &h->origin},
        {"X-Request-Timeout-Ms", &h->timeout_ms},
    };

    for (size_t i = 0; i < countof(known); i++) {
        if (strlen(known[i].name) != n || strncasecmp(name, known[i].name, n) != 0)
            continue;
        *known[i].value = value;
        return;
    }
}

/* Blanks behind a value are no part of it; the library leaves them there. */
static size_t trimmed(const char *value, size_t n)
{
    while (n && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        n--;
    return n;
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct reading *r = context;

    (void)kind;
    name = name ? name : "";
    value = value ? value : "";
    r->bytes += name_len + value_len + strlen(": \r\n");
    if (!head_field(&r->verdict, name, name_len, value, trimmed(value, value_len), &HEAD_LIMITS))
        return MHD_NO;
    if (is_glued(name, name_len)) {
        r->glued = "a header begins with the name of a framing header";
        return MHD_NO;
    }
    note(r->head, name, name_len, value);
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

/* The library shows neither bare line feeds nor that it takes a line without a name for the end of
 * the head. Both change how many bytes the head has, as other spacing does: where it has not those
 * of the plain form, nothing behind the request can be trusted. */
static size_t head_size(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
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

bool guard_head(struct exchange *x, struct MHD_Connection *connection, const char *method,
                const char *version)
{
    struct reading r = {.head = &x->head};
    struct head_verdict *v = &r.verdict;
    const char *target = x->target.data ? x->target.data : "";

    x->method = method;
    x->head = (struct head){.judged = x->head.judged};
    v->http10 = !strcmp(version, "HTTP/1.0"); /* headers may mean less there */
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, &r);
    r.bytes += strlen(method) + x->target.len + strlen(version) + strlen("  \r\n\r\n");
    x->head.size = head_size(connection);
    x->head.doubtful = x->head.size != x->head.judged && x->head.size != r.bytes;
    bool sound = !r.glued &&
                 head_request(v, method, target, x->target.len, version, &HEAD_LIMITS) &&
                 head_end(v);
    x->head.wrong = r.glued ? r.glued : sound ? wrong_timeout(x) : v->wrong;
    x->head.problem = v->problem ? v->problem : PROBLEM_BAD_REQUEST;
    sound = !x->head.wrong;
    x->head.length = v->length;
    x->head.chunked = v->chunked;
    if (sound)
        split_target(x);
    return sound;
}
