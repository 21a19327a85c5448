/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "../../src/store/retry.h"

static void every_failure_has_its_kind(void **state)
{
    static const struct {
        enum http_failure failure;
        unsigned status;
        const char *code;
        enum retry_kind kind;
    } rows[] = {
        {HTTP_RESOLVE, 0, "", RETRY_TRANSIENT},
        {HTTP_CONNECT, 0, "", RETRY_TRANSIENT},
        {HTTP_TLS, 0, "", RETRY_TRANSIENT},
        {HTTP_UNTRUSTED, 0, "", RETRY_NOTHING},
        {HTTP_TIMEOUT, 0, "", RETRY_TRANSIENT},
        {HTTP_BROKEN, 200, "", RETRY_TRANSIENT},
        {HTTP_TOO_LARGE, 200, "", RETRY_NOTHING},
        {HTTP_FORBIDDEN, 0, "", RETRY_NOTHING},
        {HTTP_STOPPED, 0, "", RETRY_NOTHING},
        {HTTP_OK, 400, "", RETRY_NOTHING},
        {HTTP_OK, 400, "InvalidRequest", RETRY_NOTHING},
        {HTTP_OK, 400, "RequestTimeout", RETRY_TRANSIENT},
        {HTTP_OK, 400, "RequestTimeoutException", RETRY_TRANSIENT},
        {HTTP_OK, 400, "ExpiredToken", RETRY_CREDENTIALS},
        {HTTP_OK, 400, "ExpiredTokenException", RETRY_CREDENTIALS},
        {HTTP_OK, 400, "InvalidToken", RETRY_CREDENTIALS},
        {HTTP_OK, 400, "TokenRefreshRequired", RETRY_CREDENTIALS},
        {HTTP_OK, 400, "AuthorizationHeaderMalformed", RETRY_REGION},
        {HTTP_OK, 400, "IllegalLocationConstraintException", RETRY_REGION},
        {HTTP_OK, 301, "PermanentRedirect", RETRY_REGION},
        {HTTP_OK, 301, "", RETRY_REGION},
        {HTTP_OK, 307, "TemporaryRedirect", RETRY_REGION},
        {HTTP_OK, 302, "", RETRY_NOTHING},
        {HTTP_OK, 401, "", RETRY_DENIED},
        {HTTP_OK, 403, "AccessDenied", RETRY_DENIED},
        {HTTP_OK, 403, "SignatureDoesNotMatch", RETRY_DENIED},
        {HTTP_OK, 403, "InvalidAccessKeyId", RETRY_DENIED},
        {HTTP_OK, 403, "", RETRY_DENIED},
        {HTTP_OK, 403, "InvalidObjectState", RETRY_NOTHING},
        {HTTP_OK, 403, "RequestTimeTooSkewed", RETRY_CLOCK},
        {HTTP_OK, 404, "NoSuchKey", RETRY_NOTHING},
        {HTTP_OK, 404, "NoSuchBucket", RETRY_NOTHING},
        {HTTP_OK, 412, "PreconditionFailed", RETRY_NOTHING},
        {HTTP_OK, 416, "InvalidRange", RETRY_NOTHING},
        {HTTP_OK, 408, "", RETRY_TRANSIENT},
        {HTTP_OK, 429, "", RETRY_THROTTLED},
        {HTTP_OK, 500, "InternalError", RETRY_TRANSIENT},
        {HTTP_OK, 500, "", RETRY_TRANSIENT},
        {HTTP_OK, 501, "NotImplemented", RETRY_NOTHING},
        {HTTP_OK, 502, "", RETRY_TRANSIENT},
        {HTTP_OK, 503, "", RETRY_TRANSIENT},
        {HTTP_OK, 503, "ServiceUnavailable", RETRY_TRANSIENT},
        {HTTP_OK, 503, "SlowDown", RETRY_THROTTLED},
        {HTTP_OK, 504, "", RETRY_TRANSIENT},
        {HTTP_OK, 400, "BandwidthLimitExceeded", RETRY_THROTTLED},
        {HTTP_OK, 400, "EC2ThrottledException", RETRY_THROTTLED},
        {HTTP_OK, 400, "InternalErrors", RETRY_TRANSIENT},
        {HTTP_OK, 400, "LimitExceededException", RETRY_THROTTLED},
        {HTTP_OK, 400, "PriorRequestNotComplete", RETRY_THROTTLED},
        {HTTP_OK, 400, "ProvisionedThroughputExceededException", RETRY_THROTTLED},
        {HTTP_OK, 400, "RequestLimitExceeded", RETRY_THROTTLED},
        {HTTP_OK, 400, "RequestThrottled", RETRY_THROTTLED},
        {HTTP_OK, 400, "RequestThrottledException", RETRY_THROTTLED},
        {HTTP_OK, 400, "ThrottledException", RETRY_THROTTLED},
        {HTTP_OK, 400, "Throttling", RETRY_THROTTLED},
        {HTTP_OK, 400, "ThrottlingException", RETRY_THROTTLED},
        {HTTP_OK, 400, "TooManyRequestsException", RETRY_THROTTLED},
        {HTTP_OK, 400, "TransactionInProgressException", RETRY_THROTTLED},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        if (retry_kind_of(rows[i].failure, rows[i].status, rows[i].code) != rows[i].kind)
            print_error("row %zu: %u %s\n", i, rows[i].status, rows[i].code);
        assert_int_equal(retry_kind_of(rows[i].failure, rows[i].status, rows[i].code),
                         rows[i].kind);
    }
}

static void attempts_are_counted(void **state)
{
    struct retry_bucket b = {0};
    struct retry r = {.attempts = 3};

    (void)state;
    assert_false(retry_again(&r, &b, RETRY_NOTHING));
    assert_true(retry_again(&r, &b, RETRY_TRANSIENT));
    assert_true(retry_again(&r, &b, RETRY_THROTTLED));
    assert_false(retry_again(&r, &b, RETRY_TRANSIENT));
    assert_int_equal(b.spent, 14 + 5);
    r = (struct retry){.attempts = 1};
    assert_false(retry_again(&r, &b, RETRY_TRANSIENT));
    assert_int_equal(b.spent, 14 + 5);
}

static void corrections_happen_once_each(void **state)
{
    struct retry_bucket b = {0};
    struct retry r = {.attempts = 1};

    (void)state;
    assert_true(retry_again(&r, &b, RETRY_CREDENTIALS));
    assert_true(retry_again(&r, &b, RETRY_CLOCK));
    assert_true(retry_again(&r, &b, RETRY_REGION));
    assert_false(retry_again(&r, &b, RETRY_CREDENTIALS));
    assert_false(retry_again(&r, &b, RETRY_CLOCK));
    assert_false(retry_again(&r, &b, RETRY_REGION));
    assert_int_equal(b.spent, 0);
}

static void the_bucket_runs_dry_and_fills_again(void **state)
{
    struct retry_bucket b = {0};
    struct retry r = {.attempts = 1000};
    unsigned n = 0;

    (void)state;
    while (retry_again(&r, &b, RETRY_TRANSIENT))
        n++;
    assert_int_equal(n, 500 / 14);
    assert_true(retry_again(&r, &b, RETRY_THROTTLED)); /* 10 are left: two more */
    assert_true(retry_again(&r, &b, RETRY_THROTTLED));
    assert_false(retry_again(&r, &b, RETRY_THROTTLED));
    retry_succeeded(&r, &b); /* what the last attempt cost */
    assert_int_equal(b.spent, 495);
    retry_succeeded(&(struct retry){.attempts = 3}, &b); /* one for the first try */
    assert_int_equal(b.spent, 494);
    b.spent = 0;
    retry_succeeded(&r, &b);
    assert_int_equal(b.spent, 0);
}

static void waits_grow_with_full_jitter(void **state)
{
    static const struct {
        unsigned made;
        enum retry_kind kind;
        double chance;
        long after;
        unsigned wait;
    } rows[] = {
        {1, RETRY_TRANSIENT, 0, -1, 0},
        {1, RETRY_TRANSIENT, 0.5, -1, 25},
        {2, RETRY_TRANSIENT, 0.5, -1, 50},
        {9, RETRY_TRANSIENT, 0.5, -1, 6400},
        {10, RETRY_TRANSIENT, 0.5, -1, 10000},
        {99, RETRY_TRANSIENT, 0.5, -1, 10000},
        {1, RETRY_THROTTLED, 0.5, -1, 500},
        {5, RETRY_THROTTLED, 0.5, -1, 8000},
        {6, RETRY_THROTTLED, 0.5, -1, 10000},
        /* what the service asks for, between the wait and five seconds more */
        {1, RETRY_TRANSIENT, 0.5, 0, 25},
        {1, RETRY_TRANSIENT, 0.5, 24, 25},
        {1, RETRY_TRANSIENT, 0.5, 1500, 1500},
        {1, RETRY_TRANSIENT, 0.5, 5024, 5024},
        {1, RETRY_TRANSIENT, 0.5, 60000, 5025},
        {1, RETRY_CREDENTIALS, 0.5, 60000, 0},
        {1, RETRY_CLOCK, 0.5, -1, 0},
        {1, RETRY_REGION, 0.5, -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        struct retry r = {.attempts = 100, .made = rows[i].made};
        assert_int_equal(retry_wait_ms(&r, rows[i].kind, rows[i].chance, rows[i].after),
                         rows[i].wait);
    }
}

static void aws_max_attempts_is_read(void **state)
{
    static const char *const bad[] = {"", "0", "101", "-1", "3x", " 3", "9999999999999999999"};
    unsigned n = 0;
    struct err e = {0};

    (void)state;
    assert_true(retry_attempts(NULL, &n, &e));
    assert_int_equal(n, 3);
    assert_true(retry_attempts("100", &n, &e));
    assert_int_equal(n, 100);
    for (size_t i = 0; i < countof(bad); i++) {
        e = (struct err){0};
        assert_false(retry_attempts(bad[i], &n, &e));
        assert_non_null(strstr(e.msg, "AWS_MAX_ATTEMPTS"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_has_its_kind),
        cmocka_unit_test(attempts_are_counted),
        cmocka_unit_test(corrections_happen_once_each),
        cmocka_unit_test(the_bucket_runs_dry_and_fills_again),
        cmocka_unit_test(waits_grow_with_full_jitter),
        cmocka_unit_test(aws_max_attempts_is_read),
    };

    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
