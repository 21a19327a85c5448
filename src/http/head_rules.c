/* SPDX-License-Identifier: Apache-2.0 */
#include "head_priv.h"

#include "scored/err.h"

#include <string.h>
#include <strings.h>

enum { MAX_LENGTH_DIGITS = 15, MAX_PORT = 65535 };

const uint8_t head_kinds[256] = {
    /* clang-format off */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    16, 23, 16, 17, 23, 19, 23, 23, 22, 22, 23, 23, 18, 23, 31, 18,
    127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 26, 22, 16, 22, 16, 18,
    18, 63, 63, 63, 63, 63, 63, 23, 23, 23, 23, 23, 23, 23, 23, 23,
    23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 18, 16, 18, 19, 23,
    19, 63, 63, 63, 63, 63, 63, 23, 23, 23, 23, 23, 23, 23, 23, 23,
    23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 18, 19, 18, 23, 0,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
    /* clang-format on */
};

static bool is_word(const char *p, size_t n, const char *word)
{
    return n == strlen(word) && !strncasecmp(p, word, n);
}

bool head_fault(struct head_verdict *v, enum problem problem, const char *why)
{
    v->problem = problem;
    v->status = problem_status(problem);
    v->wrong = why;
    return false;
}

static bool bad(struct head_verdict *v, const char *why)
{
    return head_fault(v, PROBLEM_BAD_REQUEST, why);
}

/* -- the request line -- */

/* Every "%" begins an escape, and none hides a control character. */
static const char *wrong_escape(const char *p, size_t n)
{
    const char *end = p + n;

    while ((p = memchr(p, '%', (size_t)(end - p))) != NULL) {
        if (end - p < 3 || !head_is_kind(p[1], HEX) || !head_is_kind(p[2], HEX))
            return "there is a broken percent-encoding";
        if (p[1] == '0' || p[1] == '1' || (p[1] == '7' && (p[2] | 0x20) == 'f'))
            return "there is an encoded control character";
        p += 3;
    }
    return NULL;
}

static bool is_port(const char *p, size_t n)
{
    unsigned port = 0;

    for (size_t i = 0; i < n; i++) {
        if (!head_is_kind(p[i], DIGIT))
            return false;
        port = port * 10 + (unsigned)(p[i] - '0');
        if (port > MAX_PORT)
            return false;
    }
    return true;
}

/* The end of a name; each escape in it is whole. */
static size_t name_span(const char *p, size_t n)
{
    size_t i = head_span(p, n, HOST);

    while (i < n && p[i] == '%' && !wrong_escape(p + i, n - i < 3 ? n - i : 3))
        i += 3 + head_span(p + i + 3, n - i - 3, HOST);
    return i;
}

/* uri-host [":" port] of RFC 9110, 7.2, and not empty, as RFC 9110, 4.2.1 wants it for http. */
static bool is_authority(const char *p, size_t n)
{
    size_t host;

    if (n && *p == '[') {
        host = 1 + head_span(p + 1, n - 1, LITERAL);
        if (host < 3 || host == n || p[host++] != ']')
            return false;
    } else {
        host = name_span(p, n);
    }
    return host && (host == n || (p[host] == ':' && is_port(p + host + 1, n - host - 1)));
}

static const char absolute[] = "http://";

size_t head_path(const char *target, size_t n)
{
    size_t i = sizeof absolute - 1;

    if (n <= i || *target == '/')
        return 0;
    while (i < n && target[i] != '/' && target[i] != '?')
        i++;
    return i;
}

static const char *wrong_form(const char *target, size_t n, bool options)
{
    const size_t scheme = sizeof absolute - 1;

    if (*target == '/' || (options && n == 1 && *target == '*'))
        return NULL;
    if (n <= scheme || strncasecmp(target, absolute, scheme) != 0)
        return "the request target does not begin with a slash";
    return is_authority(target + scheme, head_path(target, n) - scheme)
               ? NULL
               : "the request target is not a valid URI";
}

/* The last step: all that stands in the line is of the right characters. */
bool head_line(struct head_verdict *v, const char *method, size_t method_len, const char *target,
               size_t target_len, const char *version)
{
    if (version[5] != '1')
        return head_fault(v, PROBLEM_HTTP_VERSION, "the version of HTTP is not 1.1 or 1.0");
    v->http10 = version[7] == '0';
    v->bodyless = (method_len == 3 && !memcmp(method, "GET", 3)) ||
                  (method_len == 4 && !memcmp(method, "HEAD", 4));
    const char *why = wrong_escape(target, target_len);
    if (!why)
        why = wrong_form(target, target_len, method_len == 7 && !memcmp(method, "OPTIONS", 7));
    return !why || bad(v, why);
}

bool head_is_version(const char *p, size_t n)
{
    static const char form[] = "HTTP/d.d";

    if (n == VERSION_BYTES && !memcmp(p, "HTTP/1.1", VERSION_BYTES))
        return true;
    for (size_t i = 0; i < n; i++)
        if (form[i] == 'd' ? !head_is_kind(p[i], DIGIT) : p[i] != form[i])
            return false;
    return true;
}

/* -- fields -- */

static size_t trimmed(const char *p, size_t n)
{
    while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
        n--;
    return n;
}

static bool note_host(struct head_verdict *v, const char *p, size_t n)
{
    v->hosts++;
    return is_authority(p, trimmed(p, n)) || bad(v, "the Host header is not a host");
}

/* Blanks behind the value are refused here and for Transfer-Encoding: RFC 9112, 5 allows them, but
 * libmicrohttpd 0.9.75 takes them for a part of the value, and others have before. */
static bool note_length(struct head_verdict *v, const char *p, size_t n)
{
    v->lengths++;
    v->has_length = true;
    if (!n || n > MAX_LENGTH_DIGITS || head_span(p, n, DIGIT) != n || (*p == '0' && n > 1))
        return bad(v, "Content-Length is not a plain number");
    v->length = 0;
    for (size_t i = 0; i < n; i++)
        v->length = v->length * 10 + (uint64_t)(p[i] - '0');
    return true;
}

/* Is it "a, b, chunked", where a and b are codings that some server may know? */
static bool is_layered(const char *p, size_t n)
{
    for (;;) {
        size_t name = head_span(p, n, TOKEN), blank = name;
        while (blank < n && (p[blank] == ' ' || p[blank] == '\t'))
            blank++;
        if (blank == n)
            return name == n && is_word(p, name, "chunked");
        if (!name || p[blank] != ',' || is_word(p, name, "chunked") || is_word(p, name, "identity"))
            return false;
        do
            blank++;
        while (blank < n && (p[blank] == ' ' || p[blank] == '\t'));
        p += blank;
        n -= blank;
    }
}

static bool note_coding(struct head_verdict *v, const char *p, size_t n)
{
    v->codings++;
    v->chunked = is_word(p, n, "chunked");
    if (v->chunked)
        return true;
    return is_layered(p, n) ? head_fault(v, PROBLEM_NOT_IMPLEMENTED,
                                         "the only Transfer-Encoding here is \"chunked\"")
                            : bad(v, "Transfer-Encoding does not end with \"chunked\"");
}

/* Means nothing in HTTP/1.0: RFC 9110, 10.1.1. */
static bool note_expect(struct head_verdict *v, const char *p, size_t n)
{
    v->expects = !v->http10 && is_word(p, trimmed(p, n), "100-continue");
    return true;
}

bool head_note(struct head_verdict *v, const char *name, size_t name_len, const char *value,
               size_t value_len, const struct head_limits *limits)
{
    static const struct {
        const char *name;
        size_t len;
        bool (*note)(struct head_verdict *v, const char *p, size_t n);
    } known[] = {
        {"Host", 4, note_host},
        {"Content-Length", 14, note_length},
        {"Transfer-Encoding", 17, note_coding},
        {"Expect", 6, note_expect},
    };
    static const unsigned lengths = 1U << 4 | 1U << 14 | 1U << 17 | 1U << 6;

    if (++v->fields > limits->fields)
        return head_fault(v, PROBLEM_HEADERS_TOO_LARGE, "there are too many headers");
    if (name_len > 17 || !(lengths >> name_len & 1))
        return true;
    for (size_t i = 0; i < countof(known); i++)
        if (known[i].len == name_len && !strncasecmp(known[i].name, name, name_len))
            return known[i].note(v, value, value_len);
    return true;
}

bool head_end(struct head_verdict *v)
{
    if (v->hosts > 1 || (!v->http10 && !v->hosts))
        return bad(v, "there must be one Host header");
    if (v->lengths > 1 || v->codings > 1 || (v->lengths && v->codings))
        return bad(v, "the length of the body is told more than once");
    if (v->codings && (v->http10 || v->bodyless))
        return bad(v, "Transfer-Encoding does not belong here");
    if (v->bodyless && v->length)
        return bad(v, "a GET request has no body");
    return true;
}
