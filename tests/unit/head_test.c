/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests and the verdict that each gets, in whatever pieces it comes. */
#include "cmocka_all.h"

#include "../../src/http/head_priv.h"
#include "scored/err.h"

#include <string.h>

#define LINE   "GET / HTTP/1.1\r\n"
#define HOST_A "Host: a\r\n"
#define POST   "POST /predict HTTP/1.1\r\n" HOST_A
#define END    "\r\n"

/* Status 0 is a head without fault. What stands behind it is never looked at. */
#define SOUND(name, bytes)                \
    {                                     \
        name, bytes, sizeof(bytes) - 1, 0 \
    }
#define WRONG(status, name, bytes)             \
    {                                          \
        name, bytes, sizeof(bytes) - 1, status \
    }

static struct head_case {
    const char *name, *bytes;
    size_t n;
    unsigned status;
} cases[] = {
    SOUND("the shortest head", LINE HOST_A END),
    SOUND("an empty line in front", "\r\n" LINE HOST_A END),
    SOUND("any method", "BREW /pot HTTP/1.1\r\n" HOST_A END),
    SOUND("a method of 32 characters",
          "ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&' / HTTP/1.1\r\n" HOST_A END),
    SOUND("a body", POST "Content-Length: 2\r\n" END),
    SOUND("an empty body", POST "Content-Length: 0\r\n" END),
    SOUND("an empty body of GET", LINE HOST_A "Content-Length: 0\r\n" END),
    SOUND("the longest body", POST "Content-Length: 999999999999999\r\n" END),
    SOUND("a length in other letters", POST "cONTENT-lENGTH:2\r\n" END),
    SOUND("blanks before a length", POST "Content-Length: \t 2\r\n" END),
    SOUND("blanks around a host", LINE "Host: \t a:1 \t\r\n" END),
    SOUND("chunks", POST "Transfer-Encoding: chunked\r\n" END),
    SOUND("Chunks", POST "transfer-encoding:\tChunKed\r\n" END),
    SOUND("an expectation", POST "Content-Length: 2\r\nExpect: 100-Continue\r\n" END),
    SOUND("an unknown expectation", POST "Content-Length: 2\r\nExpect: wonders\r\n" END),
    SOUND("HTTP/1.0", "GET / HTTP/1.0\r\n" END),
    SOUND("HTTP/1.0 and a host", "GET / HTTP/1.0\r\n" HOST_A END),
    SOUND("HTTP/1.2 is taken for 1.1", "GET / HTTP/1.2\r\n" HOST_A END),
    SOUND("HTTP/1.9 is taken for 1.1", "GET / HTTP/1.9\r\n" HOST_A END),
    SOUND("a query", "GET /a?b=c&d=%7B%22e%22%7d HTTP/1.1\r\n" HOST_A END),
    SOUND("what browsers do not escape", "GET /a?b={c}|[d]^`~ HTTP/1.1\r\n" HOST_A END),
    SOUND("the asterisk of OPTIONS", "OPTIONS * HTTP/1.1\r\n" HOST_A END),
    SOUND("the absolute form", "GET http://b:80/c?d HTTP/1.1\r\n" HOST_A END),
    SOUND("the absolute form in capitals", "GET HTTP://B/ HTTP/1.1\r\n" HOST_A END),
    SOUND("the absolute form without a path", "GET http://b HTTP/1.1\r\n" HOST_A END),
    SOUND("the absolute form with a query alone", "GET http://b?c HTTP/1.1\r\n" HOST_A END),
    SOUND("a host and a port", LINE "Host: a.b-c_d~e:65535\r\n" END),
    SOUND("a host and an empty port", LINE "Host: a:\r\n" END),
    SOUND("a host of IPv4", LINE "Host: 127.0.0.1:80\r\n" END),
    SOUND("a host of IPv6", LINE "Host: [::ffff:127.0.0.1]:80\r\n" END),
    SOUND("a host with an escape", LINE "Host: a%20b\r\n" END),
    SOUND("a host of escapes", LINE "Host: %c3%A9%c3%a9:1\r\n" END),
    SOUND("an empty value", LINE HOST_A "X:\r\n" END),
    SOUND("a blank value", LINE HOST_A "X: \t \r\n" END),
    SOUND("a value above ASCII", LINE HOST_A "X: \xc3\xa9\xff\x80 y\r\n" END),
    SOUND("a value with tabs", LINE HOST_A "X: a\tb\tc and a good many characters more\r\n" END),
    SOUND("a name of all characters", LINE HOST_A "!#$%&'*+-.^_`|~09azAZ: x\r\n" END),
    SOUND("a name like one of framing", POST "Content-Lengths: x\r\nContent-Lengt: y\r\n" END),
    SOUND("an upgrade", LINE HOST_A "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n" END),

    WRONG(400, "two empty lines in front", "\r\n\r\n" LINE HOST_A END),
    WRONG(400, "a bare line feed in front", "\n" LINE HOST_A END),
    WRONG(400, "a bare carriage return in front", "\r" LINE HOST_A END),
    WRONG(400, "a space in front", " " LINE HOST_A END),
    WRONG(400, "no method", " / HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a method with a colon", "GE:T / HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a method above ASCII", "G\xc9T / HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a handshake of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    WRONG(501, "a method of 33 characters", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" END),
    WRONG(400, "two spaces before the target", "GET  / HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "two spaces behind the target", "GET /  HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a tab before the target", "GET\t/ HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a tab behind the target", "GET /\tHTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a space behind the version", "GET / HTTP/1.1 \r\n" HOST_A END),
    WRONG(400, "no target", "GET HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "no version", "GET /\r\n" HOST_A END),
    WRONG(400, "no version but a space", "GET / \r\n" HOST_A END),
    WRONG(400, "a target with a space", "GET /a b HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target with a fragment", "GET /a#b HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target with a backslash", "GET /a\\b HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target with a quote", "GET /a\"b HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target with a bracket", "GET /<b HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target above ASCII", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target with a NUL", "GET /\0 HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target with a delete", "GET /\x7f HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "half an escape", "GET /a%4 HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an escape that is none", "GET /a%4g HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an encoded NUL", "GET /a%00 HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an encoded newline", "GET /a?b%0Ac HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an encoded escape", "GET /a?b%1b HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an encoded delete", "GET /a?b%7F HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a target without a slash", "GET a HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an asterisk of GET", "GET * HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "more than an asterisk", "OPTIONS *a HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "the authority form", "CONNECT a:80 HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "another scheme", "GET ftp://a/ HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a scheme alone", "GET http:// HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an authority with a user", "GET http://b@c/ HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "an authority without a host", "GET http://:80/ HTTP/1.1\r\n" HOST_A END),
    WRONG(400, "a version in small letters", "GET / http/1.1\r\n" HOST_A END),
    WRONG(400, "a version of two digits", "GET / HTTP/1.10\r\n" HOST_A END),
    WRONG(400, "a version of one number", "GET / HTTP/1\r\n" HOST_A END),
    WRONG(400, "a version with a comma", "GET / HTTP/1,1\r\n" HOST_A END),
    WRONG(505, "HTTP/0.9", "GET / HTTP/0.9\r\n" HOST_A END),
    WRONG(505, "HTTP/2.0", "GET / HTTP/2.0\r\n" HOST_A END),
    WRONG(505, "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    WRONG(400, "a request line that ends with a line feed", "GET / HTTP/1.1\n" HOST_A END),
    WRONG(400, "a line that ends with a line feed", LINE "Host: a\n" END),
    WRONG(400, "a head that ends with a line feed", LINE HOST_A "\n"),
    WRONG(400, "a bare carriage return", LINE HOST_A "X: a\rb\r\n" END),
    WRONG(400, "two carriage returns", LINE HOST_A "X: a\r\r\n" END),
    WRONG(400, "a carriage return where a line begins", LINE HOST_A "\rX: a\r\n" END),
    WRONG(400, "a folded line", LINE HOST_A "X: a\r\n b\r\n" END),
    WRONG(400, "a line folded by a tab", LINE HOST_A "X: a\r\n\tb\r\n" END),
    WRONG(400, "a space before the first header", LINE " " HOST_A END),
    WRONG(400, "a blank line", LINE HOST_A " \r\n" END),
    WRONG(400, "a line without a colon", LINE HOST_A "X\r\n" END),
    WRONG(400, "a line without a name", LINE HOST_A ": x\r\n" END),
    WRONG(400, "a space before a colon", LINE HOST_A "X : a\r\n" END),
    WRONG(400, "a tab before a colon", LINE HOST_A "X\t: a\r\n" END),
    WRONG(400, "a name with a bracket", LINE HOST_A "X(: a\r\n" END),
    WRONG(400, "a name above ASCII", LINE HOST_A "\xe9: a\r\n" END),
    WRONG(400, "a name with a NUL", LINE HOST_A "X\0: a\r\n" END),
    WRONG(400, "a value with a NUL", LINE HOST_A "X: a\0b\r\n" END),
    WRONG(400, "a value with a NUL far behind", LINE HOST_A "X: 0123456789abcdef0\0b\r\n" END),
    WRONG(400, "a value with a control character", LINE HOST_A "X: a\x01\r\n" END),
    WRONG(400, "a value with an escape", LINE HOST_A "X: 0123456789\x1b\r\n" END),
    WRONG(400, "a value with a delete", LINE HOST_A "X: 01234567\x7f\r\n" END),
    WRONG(400, "no host", LINE END),
    WRONG(400, "two hosts", LINE HOST_A HOST_A END),
    WRONG(400, "two hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" HOST_A HOST_A END),
    WRONG(400, "an empty host", LINE "Host:\r\n" END),
    WRONG(400, "a blank host", LINE "Host: \t\r\n" END),
    WRONG(400, "a port alone", LINE "Host: :80\r\n" END),
    WRONG(400, "a host with a space", LINE "Host: a b\r\n" END),
    WRONG(400, "a list of hosts", LINE "Host: a,b\r\n" END),
    WRONG(400, "a host with a path", LINE "Host: a/b\r\n" END),
    WRONG(400, "a host with a user", LINE "Host: a@b\r\n" END),
    WRONG(400, "a host above ASCII", LINE "Host: \xc3\xa9\r\n" END),
    WRONG(400, "a host with a broken escape", LINE "Host: a%2\r\n" END),
    WRONG(400, "a host with an encoded NUL", LINE "Host: a%00b\r\n" END),
    WRONG(400, "a port that is none", LINE "Host: a:b\r\n" END),
    WRONG(400, "a port that is too large", LINE "Host: a:65536\r\n" END),
    WRONG(400, "a port of many digits", LINE "Host: a:99999999999999999999\r\n" END),
    WRONG(400, "a bracket that is left open", LINE "Host: [::1\r\n" END),
    WRONG(400, "empty brackets", LINE "Host: []\r\n" END),
    WRONG(400, "something behind the brackets", LINE "Host: [::1]a\r\n" END),
    WRONG(400, "a body of GET", LINE HOST_A "Content-Length: 2\r\n" END),
    WRONG(400, "a body of HEAD", "HEAD / HTTP/1.1\r\n" HOST_A "Content-Length: 2\r\n" END),
    WRONG(400, "chunks of GET", LINE HOST_A "Transfer-Encoding: chunked\r\n" END),
    WRONG(400, "two lengths", POST "Content-Length: 2\r\nContent-Length: 2\r\n" END),
    WRONG(400, "a list of lengths", POST "Content-Length: 2, 2\r\n" END),
    WRONG(400, "a length and chunks",
          POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" END),
    WRONG(400, "chunks and a length",
          POST "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n" END),
    WRONG(400, "an empty length", POST "Content-Length:\r\n" END),
    WRONG(400, "a blank behind a length", POST "Content-Length: 2 \r\n" END),
    WRONG(400, "a tab behind a length", POST "Content-Length: 2\t\r\n" END),
    WRONG(400, "a blank behind chunked", POST "Transfer-Encoding: chunked \r\n" END),
    WRONG(400, "a blank behind gzip, chunked", POST "Transfer-Encoding: gzip, chunked \r\n" END),
    WRONG(400, "a signed length", POST "Content-Length: +2\r\n" END),
    WRONG(400, "a negative length", POST "Content-Length: -2\r\n" END),
    WRONG(400, "a length in hexadecimal", POST "Content-Length: 0x2\r\n" END),
    WRONG(400, "a length with a leading zero", POST "Content-Length: 02\r\n" END),
    WRONG(400, "a length in two words", POST "Content-Length: 2 2\r\n" END),
    WRONG(400, "a length with a fraction", POST "Content-Length: 2.0\r\n" END),
    WRONG(400, "a length of 16 digits", POST "Content-Length: 1000000000000000\r\n" END),
    WRONG(400, "a length of 64 bits", POST "Content-Length: 18446744073709551615\r\n" END),
    WRONG(501, "gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n" END),
    WRONG(501, "gzip and br, chunked", POST "Transfer-Encoding: gzip ,br,\tchunked\r\n" END),
    WRONG(400, "chunked, gzip", POST "Transfer-Encoding: chunked, gzip\r\n" END),
    WRONG(400, "gzip alone", POST "Transfer-Encoding: gzip\r\n" END),
    WRONG(400, "identity", POST "Transfer-Encoding: identity\r\n" END),
    WRONG(400, "identity, chunked", POST "Transfer-Encoding: identity, chunked\r\n" END),
    WRONG(400, "chunked twice in a line", POST "Transfer-Encoding: chunked, chunked\r\n" END),
    WRONG(400, "chunked and a comma", POST "Transfer-Encoding: chunked,\r\n" END),
    WRONG(400, "a comma and chunked", POST "Transfer-Encoding: ,chunked\r\n" END),
    WRONG(400, "chunked with a parameter", POST "Transfer-Encoding: chunked;a=b\r\n" END),
    WRONG(400, "chunked in quotes", POST "Transfer-Encoding: \"chunked\"\r\n" END),
    WRONG(400, "xchunked", POST "Transfer-Encoding: xchunked\r\n" END),
    WRONG(400, "chunked and a vertical tab", POST "Transfer-Encoding: chunked\x0b\r\n" END),
    WRONG(400, "an empty coding", POST "Transfer-Encoding:\r\n" END),
    WRONG(400, "chunked in two lines",
          POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END),
    WRONG(400, "chunks in HTTP/1.0",
          "POST / HTTP/1.0\r\n" HOST_A "Transfer-Encoding: chunked\r\n" END),
};

static enum head_state judge(const char *bytes, size_t n, bool more, struct head_verdict *v)
{
    char *copy = malloc(n ? n : 1); /* so that a sanitizer sees each byte read beyond */

    assert_non_null(copy);
    memcpy(copy, bytes, n);
    enum head_state state = head_judge(copy, n, more, &HEAD_LIMITS, v);
    free(copy);
    return state;
}

/* A sound head is partial until its last byte, and what comes behind changes nothing. */
static void sound(const struct head_case *c)
{
    struct head_verdict v;
    char longer[512];

    assert_true(c->n + 4 < sizeof longer);
    memcpy(longer, c->bytes, c->n);
    memcpy(longer + c->n, "\n\0\r ", 4);
    for (size_t n = 0; n < c->n; n++) {
        assert_int_equal(judge(longer, n, true, &v), HEAD_PARTIAL);
        assert_int_equal(judge(longer, n, false, &v), HEAD_WRONG);
        assert_int_equal(v.status, 400);
    }
    for (size_t n = c->n; n <= c->n + 4; n++) {
        assert_int_equal(judge(longer, n, n % 2, &v), HEAD_WHOLE);
        assert_int_equal(v.size, c->n);
        assert_null(v.wrong);
    }
}

/* A wrong head is partial, then wrong for one reason. */
static void wrong(const struct head_case *c)
{
    struct head_verdict whole, v;
    bool seen = false;

    assert_int_equal(judge(c->bytes, c->n, true, &whole), HEAD_WRONG);
    assert_int_equal(whole.status, c->status);
    assert_int_equal(problem_status(whole.problem), c->status);
    for (size_t n = 0; n < c->n; n++) {
        enum head_state state = judge(c->bytes, n, true, &v);
        assert_int_not_equal(state, HEAD_WHOLE);
        assert_true(state == HEAD_WRONG || !seen);
        seen = state == HEAD_WRONG;
        if (seen)
            assert_ptr_equal(v.wrong, whole.wrong);
    }
}

static void one_head(void **state)
{
    const struct head_case *c = *state;

    (c->status ? wrong : sound)(c);
}

static struct head_verdict verdict(const char *bytes)
{
    struct head_verdict v;

    judge(bytes, strlen(bytes), true, &v);
    return v;
}

static void heads_say_how_bodies_end(void **state)
{
    struct head_verdict v =
        verdict(POST "Content-Length: 123456789012345\r\nExpect: 100-continue\r\n" END);

    (void)state;
    assert_true(v.has_length && v.expects && !v.chunked && !v.http10 && !v.bodyless);
    assert_true(v.length == 123456789012345);
    v = verdict(POST "Transfer-Encoding: CHUNKED\r\n" END);
    assert_true(v.chunked && !v.has_length && !v.expects);
    v = verdict("HEAD / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n" END);
    assert_true(v.http10 && v.bodyless && v.has_length && !v.expects && v.length == 0);
    assert_false(verdict("GET / HTTP/1.2\r\n" HOST_A END).http10);
    assert_false(verdict("get / HTTP/1.1\r\n" HOST_A END).bodyless);
}

static unsigned status(const char *bytes, size_t n, const struct head_limits *limits)
{
    struct head_verdict v;
    enum head_state s = head_judge(bytes, n, true, limits, &v);

    return s == HEAD_PARTIAL ? 100 : s == HEAD_WHOLE ? 200 : v.status;
}

static void limits_are_kept_to_the_byte(void **state)
{
    static const char head[] = "GET /abc HTTP/1.1\r\nHost: a\r\nX: 0123\r\n\r\n";
    const size_t n = sizeof head - 1;
    struct head_limits limits = {4, n, 2};

    (void)state;
    assert_int_equal(status(head, n, &limits), 200);
    assert_int_equal(status(head, n - 1, &limits), 100);
    limits.head = n - 1;
    assert_int_equal(status(head, n, &limits), 431);
    assert_int_equal(status(head, n - 1, &limits), 431);
    assert_int_equal(status(head, n - 2, &limits), 100);
    limits = (struct head_limits){4, n, 1};
    assert_int_equal(status(head, n, &limits), 431);
    assert_int_equal(status(head, n - 3, &limits), 100);
    assert_int_equal(status(head, n - 2, &limits), 431);
    limits = (struct head_limits){3, n, 2};
    assert_int_equal(status(head, n, &limits), 414);
    assert_int_equal(status(head, strlen("GET /abc"), &limits), 414);
    assert_int_equal(status(head, strlen("GET /ab"), &limits), 100);
}

static void bytes_have_their_kinds(void **state)
{
#define ALPHA  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
    static const struct {
        unsigned kind;
        const char *bytes;
    } kinds[] = {
        {TOKEN, ALPHA DIGITS "!#$%&'*+-.^_`|~"},
        {TARGET, ALPHA DIGITS "-._~:/?[]@!$&'()*+,;=%^`{|}"},
        {HOST, ALPHA DIGITS "-._~!$&'()*+;="},
        {LITERAL, DIGITS "abcdefABCDEF:."},
        {HEX, DIGITS "abcdefABCDEF"},
        {DIGIT, DIGITS},
    };

    (void)state;
    for (int c = 0; c < 256; c++) {
        for (size_t i = 0; i < countof(kinds); i++)
            assert_int_equal(head_is_kind((char)c, kinds[i].kind), c && strchr(kinds[i].bytes, c));
        assert_int_equal(head_is_kind((char)c, VALUE), (c >= 0x20 && c != 0x7f) || c == '\t');
    }
}

static void paths_are_found(void **state)
{
    static const struct {
        const char *target, *path;
    } rows[] = {
        {"/a?b", "/a?b"},        {"*", "*"},       {"http://a/b", "/b"},
        {"HTTP://a:80?b", "?b"}, {"http://a", ""}, {"/http://a/", "/http://a/"},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++)
        assert_string_equal(rows[i].target + head_path(rows[i].target, strlen(rows[i].target)),
                            rows[i].path);
}

int main(void)
{
    enum { N = sizeof cases / sizeof cases[0] };
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(heads_say_how_bodies_end),
        cmocka_unit_test(limits_are_kept_to_the_byte),
        cmocka_unit_test(bytes_have_their_kinds),
        cmocka_unit_test(paths_are_found),
    };
    struct CMUnitTest tests[N + countof(others)];

    for (size_t i = 0; i < N; i++)
        tests[i] = (struct CMUnitTest){cases[i].name, one_head, NULL, NULL, &cases[i]};
    memcpy(tests + N, others, sizeof others);
    return cmocka_run_group_tests_name("head", tests, NULL, NULL);
}
