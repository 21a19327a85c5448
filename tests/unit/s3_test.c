/* SPDX-License-Identifier: Apache-2.0 */
/* What S3 and what stands in between may answer, for objects in one piece; and the readers. */
#include "s3_kit.h"

#include <time.h>

#define XML(code) \
    "<?xml version=\"1.0\"?>\n<Error><Code>" code "</Code><Message>m</Message></Error>"
#define REPLY(head, body) "HTTP/1.1 " head "\r\nConnection: close\r\n\r\n" body

static void a_file_comes_whole_and_then_unchanged(void **state)
{
    struct kit *k = *state;
    char tag[SOURCE_TAG], text[512];

    assert_true(kit_fetch(k, 1000, NULL));
    kit_same(k);
    const char *head = k->seen[0].head;
    assert_true(strncmp(head, "GET /bkt/a%20b/file HTTP/1.1\r\n", 30) == 0);
    script_header(head, "authorization", text);
    assert_non_null(strstr(text, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert_non_null(strstr(text, "/us-east-1/s3/aws4_request, "
                                 "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "));
    assert_int_equal(k->told_done, 1000);
    assert_int_equal(k->told_total, 1000);
    memcpy(tag, k->file.tag, sizeof tag);
    assert_true(kit_fetch(k, 1000, tag));
    assert_true(k->file.unchanged);
    assert_null(k->file.bytes);
    assert_string_equal(k->file.tag, tag);
    kit_fill(k, 999, 1, "\"two\"");
    assert_true(kit_fetch(k, 1000, tag));
    kit_same(k);
    kit_fill(k, 0, 1, "\"none\"");
    assert_true(kit_fetch(k, 0, NULL));
    kit_same(k);
    assert_int_equal(k->server.n, 1); /* all by one connection */
}

static void what_is_wrong_is_said(void **state)
{
    struct kit *k = *state;
    static const struct {
        const char *raw;
        enum err_code code;
        const char *said;
        unsigned requests;
    } rows[] = {
        {REPLY("404 Not Found", XML("NoSuchKey")), ERR_NOT_FOUND, "no such object", 1},
        {REPLY("404 Not Found", XML("NoSuchVersion")), ERR_NOT_FOUND, "no such version", 1},
        {REPLY("404 Not Found", XML("NoSuchBucket")), ERR_UPSTREAM, "bucket's name", 1},
        {REPLY("404 Not Found", "<html>no</html>"), ERR_UPSTREAM, "portal", 1},
        {REPLY("403 Forbidden", XML("AccessDenied")), ERR_UPSTREAM, "s3:GetObject", 1},
        {REPLY("403 Forbidden", XML("InvalidAccessKeyId")), ERR_UPSTREAM, "does not know", 1},
        {REPLY("403 Forbidden", XML("InvalidObjectState")), ERR_UPSTREAM, "archived", 1},
        {REPLY("403 Forbidden", ""), ERR_UPSTREAM, "403", 1},
        {REPLY("400 Bad", XML("InvalidRequest")), ERR_UPSTREAM, "SCORED_S3_SSE_C_KEY_FILE", 1},
        {REPLY("400 Bad", XML("SomethingNew")), ERR_UPSTREAM, "400 SomethingNew (m)", 1},
        {REPLY("400 Bad", "<!DOCTYPE x>" XML("AccessDenied")), ERR_UPSTREAM, "portal", 1},
        {REPLY("400 Bad", "<Error><Code>A\x01\x02\x80</Code></Error>"), ERR_UPSTREAM, "A???", 1},
        {REPLY("302 Found\r\nLocation: http://192.0.2.1/", ""), ERR_UPSTREAM, "302", 1},
        {REPLY("304 Not Modified", ""), ERR_UPSTREAM, "304", 1},
        {REPLY("412 Precondition", ""), ERR_UPSTREAM, "412", 1},
        {REPLY("416 Range", XML("InvalidRange")), ERR_UPSTREAM, "InvalidRange", 1},
        {REPLY("200 OK\r\nContent-Type: text/html\r\nContent-Length: 6", "<html>"), ERR_UPSTREAM,
         "no ETag; content type text/html; is a proxy or a portal", 1},
        {REPLY("200 OK\r\nETag: \"x\"\r\nContent-Encoding: gzip\r\nContent-Length: 1", "x"),
         ERR_UPSTREAM, "content encoding 'gzip'", 1},
        {REPLY("200 OK\r\nETag: \"x\"", "x"), ERR_UPSTREAM, "no Content-Length", 1},
        {REPLY("206 Part\r\nETag: \"x\"\r\nContent-Range: bytes 0-0/1\r\nContent-Length: 1", "x"),
         ERR_UPSTREAM, "a range where the whole", 1},
        {REPLY("200 OK\r\nETag: \"x\"\r\nContent-Length: 1001", "x"), ERR_BAD_BUNDLE,
         "1001 bytes, at most 1000", 1},
        {REPLY("301 Moved\r\nLocation: http://192.0.2.1/", XML("PermanentRedirect")), ERR_UPSTREAM,
         "not in region us-east-1", 1},
        {REPLY("301 Moved\r\nx-amz-bucket-region: us-east-1", XML("PermanentRedirect")),
         ERR_UPSTREAM, "region us-east-1", 1},
        {REPLY("403 Forbidden", XML("RequestTimeTooSkewed")), ERR_UPSTREAM, "clock", 1},
        {REPLY("400 Bad", XML("ExpiredToken")), ERR_UPSTREAM, "have expired", 2},
        {REPLY("500 Oops", XML("InternalError")), ERR_UPSTREAM, "tried 3 times", 3},
        {REPLY("502 Oops", "<html>"), ERR_UPSTREAM, "tried 3 times", 3},
        {REPLY("200 OK\r\nETag: \"x\"\r\nContent-Length: 2", "x"), ERR_UPSTREAM, "tried 3 times",
         3},
        {"", ERR_UPSTREAM, "tried 3 times", 3},
        {"nonsense\r\n\r\n", ERR_UPSTREAM, "tried 3 times", 3},
    };

    k->fault = kit_raw;
    for (size_t i = 0; i < countof(rows); i++) {
        k->raw = rows[i].raw;
        bool ok = kit_fetch(k, 1000, NULL);
        if (ok || k->e.code != rows[i].code || !strstr(k->e.msg, rows[i].said) ||
            k->server.requests != rows[i].requests)
            print_error("row %zu: %s (%u requests)\n", i, k->e.msg, k->server.requests);
        assert_false(ok);
        assert_int_equal(k->e.code, rows[i].code);
        assert_non_null(strstr(k->e.msg, rows[i].said));
        assert_true(strncmp(k->e.msg, "file: ", 6) == 0);
        assert_int_equal(k->server.requests, rows[i].requests);
        assert_null(strstr(k->e.msg, "not-to-be-told"));
        assert_null(k->file.bytes);
    }
    k->fault = NULL;
    assert_true(kit_fetch(k, 1000, NULL));
    kit_same(k);
}

static void a_wrong_signature_names_the_canonical_request(void **state)
{
    struct kit *k = *state;

    k->fault = kit_raw;
    k->raw = REPLY("403 Forbidden\r\nx-amz-request-id: ABC", XML("SignatureDoesNotMatch"));
    assert_false(kit_fetch(k, 1000, NULL));
    const char *digest = strstr(k->e.msg, "canonical request: ");
    assert_non_null(digest);
    assert_int_equal(strspn(digest + 19, "0123456789abcdef"), 64);
    assert_non_null(strstr(k->e.msg, "[request ABC]"));
    assert_non_null(strstr(k->e.msg, "(environment)"));
    assert_int_equal(k->server.requests, 1);
}

static void what_passes_is_tried_again(void **state)
{
    struct kit *k = *state;
    static const char *const rows[] = {
        REPLY("500 Oops", XML("InternalError")),
        REPLY("503 Oops", XML("ServiceUnavailable")),
        REPLY("503 Oops", "<html>busy</html>"),
        REPLY("503 Oops", XML("SlowDown")),
        REPLY("429 Many", ""),
        REPLY("400 Bad", XML("RequestTimeout")),
        REPLY("400 Bad", XML("ExpiredToken")),
        REPLY("400 Bad", XML("InvalidToken")),
        REPLY("200 OK\r\nETag: \"zero\"\r\nContent-Length: 900", "only so much"),
        "HTTP/1.1 200 OK\r\nETag",
        "",
    };

    k->fault = kit_first;
    for (size_t i = 0; i < countof(rows); i++) {
        k->raws[0] = rows[i];
        bool ok = kit_fetch(k, 1000, NULL);
        if (!ok)
            print_error("row %zu: %s\n", i, k->e.msg);
        assert_true(ok);
        kit_same(k);
        assert_int_equal(k->server.requests, 2);
    }
}

static void another_region_is_asked(void **state)
{
    struct kit *k = *state;
    char text[512];

    k->fault = kit_first;
    k->raws[0] = REPLY("301 Moved\r\nx-amz-bucket-region: eu-west-3\r\nLocation: http://192.0.2.1/",
                       XML("PermanentRedirect"));
    assert_true(kit_fetch(k, 1000, NULL));
    kit_same(k);
    assert_non_null(
        strstr(script_header(k->seen[1].head, "authorization", text), "/eu-west-3/s3/"));
    /* it is remembered; and the body may name it too */
    k->raws[0] = REPLY("400 Bad", "<Error><Code>AuthorizationHeaderMalformed</Code>"
                                  "<Region>eu-west-1</Region></Error>");
    assert_true(kit_fetch(k, 1000, NULL));
    assert_non_null(
        strstr(script_header(k->seen[0].head, "authorization", text), "/eu-west-3/s3/"));
    assert_non_null(
        strstr(script_header(k->seen[1].head, "authorization", text), "/eu-west-1/s3/"));
    /* once for a request, and never a host in disguise */
    k->raws[0] = REPLY("301 Moved\r\nx-amz-bucket-region: eu-west-4", XML("PermanentRedirect"));
    k->raws[1] = REPLY("301 Moved\r\nx-amz-bucket-region: eu-west-5", XML("PermanentRedirect"));
    assert_false(kit_fetch(k, 1000, NULL));
    assert_int_equal(k->server.requests, 2);
    k->raws[0] = REPLY("301 Moved\r\nx-amz-bucket-region: evil.example/", XML("PermanentRedirect"));
    assert_false(kit_fetch(k, 1000, NULL));
    assert_int_equal(k->server.requests, 1);
}

static void the_clock_is_corrected(void **state)
{
    struct kit *k = *state;
    char raw[512], now[64], date[512], earlier[SIGV4_DATE];
    time_t then = time(NULL) - 7 * 24 * 3600;
    struct tm t;

    gmtime_r(&then, &t);
    strftime(now, sizeof now, "%a, %d %b %Y %H:%M:%S GMT", &t);
    snprintf(raw, sizeof raw, REPLY("403 Forbidden\r\nDate: %s", XML("RequestTimeTooSkewed")), now);
    k->fault = kit_first;
    k->raws[0] = raw;
    assert_true(kit_fetch(k, 1000, NULL));
    assert_int_equal(k->server.requests, 2);
    sigv4_date((uint64_t)then * 1000, earlier);
    assert_memory_equal(script_header(k->seen[1].head, "x-amz-date", date), earlier, 11);
    assert_memory_not_equal(script_header(k->seen[0].head, "x-amz-date", date), earlier, 11);
    k->raws[0] = NULL; /* it stays */
    assert_true(kit_fetch(k, 1000, NULL));
    assert_memory_equal(script_header(k->seen[0].head, "x-amz-date", date), earlier, 11);
}

static void a_token_is_signed_and_sent(void **state)
{
    struct kit *k = *state;
    char text[512];

    source_free(k->source);
    setenv("AWS_SESSION_TOKEN", "token/+=", 1);
    k->source = source_open("s3://bkt/?requester_pays=true&version_id=v%2F1", NULL, &k->e);
    assert_non_null(k->source);
    assert_true(kit_fetch(k, 1000, NULL));
    assert_string_equal(script_header(k->seen[0].head, "x-amz-security-token", text), "token/+=");
    assert_string_equal(script_header(k->seen[0].head, "x-amz-request-payer", text), "requester");
    assert_non_null(strstr(script_header(k->seen[0].head, "authorization", text),
                           "x-amz-request-payer;x-amz-security-token,"));
    assert_null(strstr(k->seen[0].head, "versionId"));
    k->fault = kit_raw;
    k->raw = REPLY("403 Forbidden", "");
    const struct source_request r = {.name = "bundle.json", .max = 10};
    k->n_seen = 0;
    struct source_file none;
    assert_false(source_fetch(k->source, &r, &none, &k->e));
    assert_non_null(strstr(k->seen[0].head, "GET /bkt/bundle.json?versionId=v%2F1 HTTP"));
}

static void *stop_soon(void *p)
{
    usleep(150000);
    atomic_store((atomic_bool *)p, true);
    return NULL;
}

static void waits_end_when_it_is_to_stop(void **state)
{
    struct kit *k = *state;
    pthread_t thread;

    k->fault = kit_raw;
    k->raw = REPLY("503 Slow\r\nx-amz-retry-after: 20000", XML("SlowDown"));
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &k->stop), 0);
    uint64_t from = clock_ns();
    assert_false(kit_fetch(k, 1000, NULL));
    assert_true(clock_ns() - from < 1000000000U);
    assert_non_null(strstr(k->e.msg, "stopped"));
    pthread_join(thread, NULL);
}

static bool opens(const char *uri, struct err *e)
{
    *e = (struct err){0};
    struct source *s = source_open(uri, NULL, e);

    source_free(s);
    return s != NULL;
}

static void settings_are_checked(void **state)
{
    struct err e;
    char path[] = "/tmp/sse_key_XXXXXX";
    struct s3_sse sse;
    static const char raw[33] = "0123456789abcdef0123456789abcdef";
    static const char base64[] = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n";

    (void)state;
    setenv("AWS_MAX_ATTEMPTS", "many", 1);
    assert_false(opens("s3://bkt/", &e));
    assert_non_null(strstr(e.msg, "AWS_MAX_ATTEMPTS"));
    unsetenv("AWS_MAX_ATTEMPTS");
    int fd = mkstemp(path);
    assert_int_equal(write(fd, raw, 32), 32);
    setenv("SCORED_S3_SSE_C_KEY_FILE", path, 1);
    assert_false(opens("s3://bkt/", &e));
    assert_non_null(strstr(e.msg, "https only"));
    assert_true(opens("s3://bkt/?endpoint=https://127.0.0.1:1", &e));
    assert_true(s3_sse_read(&sse, path, &e));
    assert_string_equal(sse.key, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    assert_string_equal(sse.md5, "hRasmdxgYDKV3nvbahU1MA==");
    assert_int_equal(pwrite(fd, base64, sizeof base64 - 1, 0), sizeof base64 - 1);
    assert_true(s3_sse_read(&sse, path, &e));
    assert_string_equal(sse.md5, "hRasmdxgYDKV3nvbahU1MA==");
    assert_int_equal(ftruncate(fd, 31), 0);
    assert_false(opens("s3://bkt/?endpoint=https://127.0.0.1:1", &e));
    assert_non_null(strstr(e.msg, "32 bytes"));
    assert_int_equal(unlink(path), 0);
    assert_false(opens("s3://bkt/?endpoint=https://127.0.0.1:1", &e));
    assert_non_null(strstr(e.msg, path));
    close(fd);
    unsetenv("SCORED_S3_SSE_C_KEY_FILE");
    setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem", 1);
    assert_false(opens("s3://bkt/", &e));
    assert_non_null(strstr(e.msg, "/nowhere/ca.pem"));
    unsetenv("AWS_CA_BUNDLE");
}

/* -- readers -- */

static void ranges_and_dates_are_read(void **state)
{
    static const char *const bad[] = {"",
                                      "bytes 0-9",
                                      "bytes 0-9/*",
                                      "bytes */10",
                                      "bytes 9-0/10",
                                      "bytes0-9/10",
                                      "bytes 0-10/10",
                                      "bytes -9/10",
                                      "bytes 0-9/10 ",
                                      "items 0-9/10",
                                      "bytes 0-9/99999999999999999999"};
    uint64_t a, b, n, ms;

    (void)state;
    assert_true(s3_content_range("bytes 5-9/10", &a, &b, &n));
    assert_true(a == 5 && b == 9 && n == 10);
    assert_true(s3_content_range("Bytes 0-18446744073709551613/18446744073709551615", &a, &b, &n));
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(s3_content_range(bad[i], &a, &b, &n));
    assert_true(http_date("Sat, 21 Nov 2026 07:23:37 GMT", &ms));
    assert_int_equal(ms / 1000, 1795245817);
    assert_false(http_date("Sat, 21 Nov 2026 07:23:37", &ms));
    assert_false(http_date("Sat, 21 Nov 2026 07:23:37 GMT+1", &ms));
    assert_false(http_date("Thu, 01 Jan 1970 00:00:00 GMT", &ms));
    assert_false(http_date("", &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_kit(a_file_comes_whole_and_then_unchanged),
        with_kit(what_is_wrong_is_said),
        with_kit(a_wrong_signature_names_the_canonical_request),
        with_kit(what_passes_is_tried_again),
        with_kit(another_region_is_asked),
        with_kit(the_clock_is_corrected),
        with_kit(a_token_is_signed_and_sent),
        with_kit(waits_end_when_it_is_to_stop),
        with_kit(settings_are_checked),
        cmocka_unit_test(ranges_and_dates_are_read),
    };

    return cmocka_run_group_tests_name("s3", tests, NULL, NULL);
}
