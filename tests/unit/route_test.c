/* SPDX-License-Identifier: Apache-2.0 */
/* Which proxy is on the way, by the variables that libcurl reads. */
#include "cmocka_all.h"

#include "../../src/store/route.h"

#include <stdio.h>
#include <string.h>

static const struct route_case {
    const char *host;
    bool plain;
    const char *https_proxy, *http_proxy, *no_proxy;
    const char *want; /* "host port variable exception"; NULL: refused */
} cases[] = {
    {"s3.test", false, NULL, NULL, NULL, "s3.test 443 - -"},
    {"s3.test", true, NULL, NULL, NULL, "s3.test 80 - -"},
    {"s3.test:9000", true, NULL, NULL, NULL, "s3.test 9000 - -"},
    {"[::1]:9000", true, NULL, NULL, NULL, "::1 9000 - -"},
    {"[::1]", false, NULL, NULL, NULL, "::1 443 - -"},
    {"s3.test", false, "http://p:3128/", "http://q:1", NULL, "p 3128 HTTPS_PROXY -"},
    {"s3.test", true, "http://p:3128/", "q:1", NULL, "q 1 HTTP_PROXY -"},
    {"s3.test", false, "p", NULL, NULL, "p 1080 HTTPS_PROXY -"},
    {"s3.test", false, "http://u:pa@ss@p:1", NULL, NULL, "p 1 HTTPS_PROXY -"},
    {"s3.test", false, "http://u:hunter2/x@p:1", NULL, NULL, "p 1 HTTPS_PROXY -"},
    {"s3.test", false, "http://[::1]:3128", NULL, NULL, "::1 3128 HTTPS_PROXY -"},
    {"s3.test", false, "http://p:1", NULL, "*", "s3.test 443 - NO_PROXY"},
    {"a.s3.test", false, "http://p:1", NULL, "x, s3.test", "a.s3.test 443 - NO_PROXY"},
    {"a.s3.test", false, "http://p:1", NULL, ".S3.test,", "a.s3.test 443 - NO_PROXY"},
    {"as3.test", false, "http://p:1", NULL, "s3.test", "p 1 HTTPS_PROXY -"},
    {"s3.test", false, "http://p:1", NULL, "a.s3.test,.", "p 1 HTTPS_PROXY -"},
    {"", false, NULL, NULL, NULL, NULL},
    {":80", false, NULL, NULL, NULL, NULL},
    {"s3.test:", false, NULL, NULL, NULL, NULL},
    {"s3.test:12345678", false, NULL, NULL, NULL, NULL},
    {"s3.test", false, "http://hunter2@", NULL, NULL, NULL},
    {"s3.test", false, "http://user:hunter2@:8", NULL, NULL, NULL},
};

/* NULL: it is unset. */
static void set(const char *name, const char *value)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static int forget_environment(void **state)
{
    static const char *const names[] = {"https_proxy", "http_proxy", "all_proxy", "no_proxy",
                                        "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"};

    (void)state;
    for (size_t i = 0; i < countof(names); i++)
        set(names[i], NULL);
    return 0;
}

static void finds_proxies(void **state)
{
    char got[600];

    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        const struct route_case *c = &cases[i];
        struct err e = {0};
        struct route r;
        set("HTTPS_PROXY", c->https_proxy);
        set("HTTP_PROXY", c->http_proxy);
        set("NO_PROXY", c->no_proxy);
        bool ok = route_find(&r, c->host, c->plain, &e);
        if (ok)
            snprintf(got, sizeof got, "%s %s %s %s", r.host, r.port, r.variable ? r.variable : "-",
                     r.exception ? r.exception : "-");
        if (ok != (c->want != NULL) || (ok && strcmp(got, c->want) != 0))
            fail_msg("case %zu: %s", i, ok ? got : e.msg);
        assert_null(strstr(e.msg, "hunter2"));
    }
}

static void small_letters_go_first(void **state)
{
    struct err e = {0};
    struct route r;

    (void)state;
    set("HTTPS_PROXY", "http://a:1");
    set("ALL_PROXY", "http://b:1");
    set("https_proxy", "http://c:1");
    assert_true(route_find(&r, "s3.test", false, &e));
    assert_string_equal(r.host, "c");
    assert_true(route_find(&r, "s3.test", true, &e));
    assert_string_equal(r.host, "b");
    set("no_proxy", "none");
    set("NO_PROXY", "*");
    assert_true(route_find(&r, "s3.test", false, &e));
    assert_string_equal(r.variable, "https_proxy");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_proxies, forget_environment),
        cmocka_unit_test_setup(small_letters_go_first, forget_environment),
    };

    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
