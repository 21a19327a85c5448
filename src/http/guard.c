/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

enum { MAX_LENGTH_DIGITS = 15, MAX_TARGET = 8192, MAX_HEADERS = 64 };

/* Characters of a token: RFC 9110, 5.6.2. */
static bool is_tchar(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_tchar((unsigned char)p[i]))
            return false;
    return n > 0;
}

/* No control characters but the tab. */
static bool is_field_value(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* A folded line is glued to the name by the library, which then no longer knows the header. */
static bool is_glued(const char *name, size_t n)
{
    static const char *const framing[] = {"content-length", "transfer-encoding", "host"};

    for (size_t i = 0; i < countof(framing); i++) {
        size_t len = strlen(framing[i]);
        if (n > len && i < 2 && !strncasecmp(name, framing[i], len))
            return true;
    }
    return false;
}

struct reading {
    struct head *head;
    unsigned n;
    size_t bytes; /* of all lines, written plainly: "Name: value" CR LF */
};

static void note(struct head *h, const char *name, size_t n, const char *value)
{
    struct {
        const char *name;
        const char **value;
        unsigned *count;
    } known[] = {
        {"Host", &h->host, &h->hosts},
        {"Content-Length", &h->content_length, &h->lengths},
        {"Transfer-Encoding", &h->transfer_encoding, &h->encodings},
        {"Content-Type", &h->content_type, NULL},
        {"Content-Encoding", &h->content_encoding, NULL},
        {"Accept", &h->accept, NULL},
        {"X-Request-Id", &h->request_id, NULL},
        {"Expect", &h->expect, NULL},
        {"Origin", &h->origin, NULL},
    };

    for (size_t i = 0; i < countof(known); i++) {
        if (strlen(known[i].name) != n || strncasecmp(name, known[i].name, n) != 0)
            continue;
        *known[i].value = value;
        if (known[i].count)
            ++*known[i].count;
        return;
    }
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct reading *r = context;

    (void)kind;
    value = value ? value : "";
    r->bytes += name_len + value_len + strlen(": \r\n");
    if (++r->n > MAX_HEADERS)
        r->head->wrong = "there are more than 64 headers";
    else if (!name || !is_token(name, name_len))
        r->head->wrong = "a header has a name that is not valid";
    else if (is_glued(name, name_len))
        r->head->wrong = "a header begins with the name of a framing header";
    else if (!is_field_value(value, value_len))
        r->head->wrong = "a header has a control character in its value";
    else
        note(r->head, name, name_len, value);
    return r->head->wrong ? MHD_NO : MHD_YES;
}

static const char *wrong_host(const char *host)
{
    return strpbrk(host, "/@?#\\ ,\t") ? "the Host header is not a host" : NULL;
}

static const char *wrong_length(struct head *h)
{
    const char *digits = h->content_length;
    size_t n = strspn(digits, "0123456789");

    if (!n || digits[n] || n > MAX_LENGTH_DIGITS || (digits[0] == '0' && n > 1))
        return "Content-Length is not a plain number";
    for (size_t i = 0; i < n; i++)
        h->length = h->length * 10 + (uint64_t)(digits[i] - '0');
    return NULL;
}

/* How the body ends must be said at most once, and in one way. */
static const char *wrong_framing(struct head *h, const char *method, bool http10)
{
    bool bodyless = !strcmp(method, "GET") || !strcmp(method, "HEAD");

    if (h->lengths > 1 || h->encodings > 1 || (h->lengths && h->encodings))
        return "the length of the body is told more than once";
    if (h->encodings) {
        if (http10 || bodyless)
            return "Transfer-Encoding does not belong here";
        if (strcasecmp(h->transfer_encoding, "chunked") != 0)
            return "the only Transfer-Encoding is \"chunked\"";
        h->chunked = true;
        return NULL;
    }
    const char *wrong = h->lengths ? wrong_length(h) : NULL;
    if (!wrong && bodyless && h->length)
        wrong = "a GET request has no body";
    return wrong;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Printable ASCII without what servers read differently, and no escaped control characters. */
static const char *wrong_target(const char *p, size_t n)
{
    if (n > MAX_TARGET)
        return "the request target is too long";
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\')
            return "the request target has a character that is not allowed";
        if (c != '%')
            continue;
        if (!is_hex(p[i + 1]) || !is_hex(p[i + 2]))
            return "the request target has a broken percent-encoding";
        if (p[i + 1] == '0' || p[i + 1] == '1' || (p[i + 1] == '7' && (p[i + 2] | 0x20) == 'f'))
            return "the request target has an encoded control character";
    }
    return NULL;
}

/* Splits the target into path and query; the absolute form loses its scheme and authority. */
static const char *split_target(struct exchange *x, const char *method)
{
    static const char scheme[] = "http://";
    char *p = x->target.data ? x->target.data : NULL;

    if (!p)
        return "there is no request target";
    const char *wrong = wrong_target(p, x->target.len);
    if (wrong)
        return wrong;
    if (!strncasecmp(p, scheme, sizeof scheme - 1)) {
        p += sizeof scheme - 1;
        size_t authority = strcspn(p, "/?@");
        if (!authority || p[authority] != '/')
            return "the request target is not a valid URI";
        p += authority;
    }
    if (*p != '/' && (strcmp(p, "*") != 0 || strcmp(method, "OPTIONS") != 0))
        return "the request target does not begin with a slash";
    size_t n = strcspn(p, "?");
    x->query = p[n] ? p + n + 1 : NULL;
    x->path = (struct text){p, (uint32_t)n};
    return NULL;
}

/* The library shows neither bare line feeds nor that it takes a line without a name for the end of
 * the head. Both change how many bytes the head has, as other spacing does: where it has not those
 * of the plain form, nothing behind the request can be trusted. */
static bool is_plain(struct MHD_Connection *connection, size_t expected)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info && info->header_size == expected;
}

bool guard_head(struct exchange *x, struct MHD_Connection *connection, const char *method,
                const char *version)
{
    struct reading r = {.head = &x->head};
    bool http10 = !strcmp(version, "HTTP/1.0");
    const char **wrong = &x->head.wrong;

    x->head = (struct head){0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, &r);
    r.bytes += strlen(method) + x->target.len + strlen(version) + strlen("  \r\n\r\n");
    x->head.doubtful = !is_plain(connection, r.bytes);
    if (!*wrong && !http10 && strcmp(version, "HTTP/1.1") != 0)
        *wrong = "the version of HTTP is neither 1.0 nor 1.1";
    if (!*wrong && !is_token(method, strlen(method)))
        *wrong = "the method is not a token";
    if (!*wrong && (x->head.hosts > 1 || (!http10 && !x->head.hosts)))
        *wrong = "there must be one Host header";
    if (!*wrong && x->head.host)
        *wrong = wrong_host(x->head.host);
    if (!*wrong)
        *wrong = wrong_framing(&x->head, method, http10);
    if (!*wrong)
        *wrong = split_target(x, method);
    return !*wrong;
}
