/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "sigv4_vectors.h"

#include <stdio.h>

static void aws_vectors_come_out(void **state)
{
    struct sigv4_key cache = {0};
    struct sigv4_signer s = {.key_id = "AKIDEXAMPLE",
                             .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                             .region = "us-east-1",
                             .service = "service",
                             .date = "20150830T123600Z",
                             .cache = &cache};

    (void)state;
    for (size_t i = 0; i < countof(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct http_header headers[6] = {{"X-Amz-Date", "20150830T123600Z"},
                                         {"Host", "example.amazonaws.com"}};
        unsigned n = 2;
        for (unsigned j = 0; j < countof(v->headers) && v->headers[j].name; j++)
            headers[n++] = v->headers[j];
        struct sigv4_request r = {v->method, v->path, v->query,
                                  headers,   n,       *v->payload ? v->payload : sigv4_empty_sha256,
                                  v->rule};
        struct buf out = {0};
        char digest[SHA256_HEX + 1];
        struct err e = {0};
        assert_true(sigv4_authorization(&r, &s, &out, digest, &e));
        if (strcmp(digest, v->canonical) != 0)
            print_error("%zu: %s %s?%s\n", i, v->method, v->path, v->query);
        assert_string_equal(digest, v->canonical);
        assert_string_equal(out.data + out.len - SHA256_HEX, v->signature);
        buf_done(&out);
    }
}

/* The worked example of the S3 documentation: GET of the first ten bytes of test.txt. */
static void s3_documents_example_comes_out(void **state)
{
    static const struct http_header headers[] = {
        {"Host", "examplebucket.s3.amazonaws.com"},
        {"Range", "bytes=0-9"},
        {"x-amz-content-sha256", sigv4_empty_sha256},
        {"x-amz-date", "20130524T000000Z"},
        {"User-Agent", "not signed"},
    };
    struct sigv4_key cache = {0};
    struct sigv4_request r = {
        "GET", "/test.txt", NULL, headers, countof(headers), sigv4_empty_sha256, SIGV4_AS_SENT};
    struct sigv4_signer s = {.key_id = "AKIAIOSFODNN7EXAMPLE",
                             .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                             .region = "us-east-1",
                             .service = "s3",
                             .cache = &cache};
    struct buf out = {0};
    char digest[SHA256_HEX + 1];
    struct err e = {0};

    (void)state;
    sigv4_date(1369353600000, s.date);
    assert_true(sigv4_authorization(&r, &s, &out, digest, &e));
    assert_string_equal(digest, "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972");
    assert_string_equal(
        out.data, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/"
                  "aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                  "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    buf_done(&out);
}

static const char *canonical(struct buf *out, enum sigv4_path rule, const char *path,
                             const char *query)
{
    struct sigv4_request r = {"GET", path, query, NULL, 0, "P", rule};
    struct err e = {0};

    buf_reset(out);
    assert_true(sigv4_canonical(&r, out, &e));
    return out->data;
}

static void s3_keys_stay_as_they_are(void **state)
{
    struct buf b = {0};

    (void)state;
    assert_string_equal(canonical(&b, SIGV4_AS_SENT, "//a/../b%20c/./", ""),
                        "GET\n//a/../b%20c/./\n\n\n\nP");
    assert_string_equal(canonical(&b, SIGV4_AS_SENT, "", ""), "GET\n/\n\n\n\nP");
    assert_string_equal(canonical(&b, SIGV4_ENCODED_AGAIN, "/a%20b", ""), "GET\n/a%2520b\n\n\n\nP");
    assert_string_equal(canonical(&b, SIGV4_NORMALISED, "/../../x/../y//z/.", ""),
                        "GET\n/y/z\n\n\n\nP");
    buf_done(&b);
}

static void queries_are_sorted_and_encoded_once(void **state)
{
    struct buf b = {0};
    static const struct {
        const char *query, *sorted;
    } rows[] = {
        {"b=2&a=1", "a=1&b=2"},
        {"a=2&a=1&a", "a=&a=1&a=2"},
        {"a-b=1&a=1", "a=1&a-b=1"}, /* by the name, not by "name=" */
        {"&&x=1&", "x=1"},
        {"x=a=b", "x=a%3Db"},
        {"x=%2f%2F~%7E", "x=%2F%2F~~"},
        {"x=%&y=%4&z=%4g", "x=%25&y=%254&z=%254g"},
        {"versionId=3/L4+kqtJ", "versionId=3%2FL4%2BkqtJ"},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        const char *line = canonical(&b, SIGV4_AS_SENT, "/", rows[i].query) + strlen("GET\n/\n");
        assert_memory_equal(line, rows[i].sorted, strlen(rows[i].sorted));
        assert_int_equal(line[strlen(rows[i].sorted)], '\n');
    }
    buf_done(&b);
}

static void the_key_changes_with_what_it_is_of(void **state)
{
    struct sigv4_key cache = {0};
    char first[SHA256_HEX + 1], other[SHA256_HEX + 1];
    struct err e = {0};
    struct sigv4_signer s = {"K", "secret", "r", "s3", "20200101T000000Z", &cache};
    struct sigv4_signer changed[] = {
        {"K", "secret", "r", "s3", "20200102T000000Z", &cache},
        {"K", "secret", "q", "s3", "20200101T000000Z", &cache},
        {"K", "secret", "r", "s4", "20200101T000000Z", &cache},
        {"K", "secres", "r", "s3", "20200101T000000Z", &cache},
    };

    (void)state;
    assert_true(sigv4_signature(&s, "t", 1, first, &e));
    for (size_t i = 0; i < countof(changed); i++) {
        assert_true(sigv4_signature(&changed[i], "t", 1, other, &e));
        assert_string_not_equal(first, other);
        assert_true(sigv4_signature(&s, "t", 1, other, &e));
        assert_string_equal(first, other);
    }
    sigv4_forget(&cache);
    for (size_t i = 0; i < sizeof cache; i++)
        assert_int_equal(((unsigned char *)&cache)[i], 0);
}

static void too_much_is_refused(void **state)
{
    char secret[200], query[400] = "";
    struct http_header headers[SIGV4_MAX_ITEMS + 1];
    struct sigv4_key cache = {0};
    struct sigv4_signer s = {"K", secret, "r", "s3", "20200101T000000Z", &cache};
    struct sigv4_request r = {"GET", "/", query, headers, countof(headers), "P", SIGV4_AS_SENT};
    struct buf out = {0};
    struct err e = {0};

    (void)state;
    memset(secret, 'x', sizeof secret);
    secret[sizeof secret - 1] = '\0';
    assert_false(sigv4_signature(&s, "t", 1, query, &e));
    for (size_t i = 0; i < countof(headers); i++)
        headers[i] = (struct http_header){"x", "y"};
    query[0] = '\0';
    assert_false(sigv4_canonical(&r, &out, &e));
    r.n_headers--;
    assert_true(sigv4_canonical(&r, &out, &e));
    for (unsigned i = 0; i <= SIGV4_MAX_ITEMS; i++)
        memcpy(query + 4 * (size_t)i, "a=1&", 5);
    assert_false(sigv4_canonical(&r, &out, &e));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_vectors_come_out),
        cmocka_unit_test(s3_documents_example_comes_out),
        cmocka_unit_test(s3_keys_stay_as_they_are),
        cmocka_unit_test(queries_are_sorted_and_encoded_once),
        cmocka_unit_test(the_key_changes_with_what_it_is_of),
        cmocka_unit_test(too_much_is_refused),
    };

    return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
