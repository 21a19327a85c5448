/* SPDX-License-Identifier: Apache-2.0 */
/* A chain of credentials in an environment of its own, whose services are the script server. */
#ifndef SCORED_TESTS_CREDENTIALS_KIT_H
#define SCORED_TESTS_CREDENTIALS_KIT_H

#include "step_server.h"

#include "../../src/store/credentials/priv.h"
#include "scored/buf.h"
#include "scored/clock.h"

#include <sys/stat.h>

static char kit_folder[] = "/tmp/credentials_test.XXXXXX";
static struct aws_config *kit_config;
static struct transport *kit_transport;
static struct credential_chain *kit_chain;
static uint64_t kit_now; /* what the chain's clock says */
static int64_t kit_skew;
static char kit_url[64]; /* of the script server */

static uint64_t kit_clock(void)
{
    return kit_now;
}

/* NULL: it is unset. */
static void set(const char *name, const char *value)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the server's thread does not read it */
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

/* A file of the test's folder; returns its path, until the next call. */
static inline const char *put(const char *name, const char *text)
{
    static char path[96];

    snprintf(path, sizeof path, "%s/%s", kit_folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline void set_url(const char *name, const char *path)
{
    char url[128];

    snprintf(url, sizeof url, "%s%s", kit_url, path);
    set(name, url);
}

/* An environment without any AWS settings but the end of the chain, which points to nowhere. */
static void kit_forget(void)
{
    static const char *const names[] = {
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "AWS_METADATA_SERVICE_TIMEOUT",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        "HTTP_PROXY",
        "http_proxy",
        "HOME",
    };

    for (size_t i = 0; i < countof(names); i++)
        set(names[i], NULL);
    set("AWS_EC2_METADATA_DISABLED", "true");
}

static void kit_close(void)
{
    credentials_free(kit_chain);
    transport_free(kit_transport);
    aws_config_free(kit_config);
    kit_chain = NULL;
    kit_transport = NULL;
    kit_config = NULL;
}

/* A chain of the environment as it is now. */
static void kit_open(void)
{
    const struct transport_options options = {0};
    struct err e = {0};

    kit_close();
    kit_config = aws_config_new(&e);
    if (!kit_config)
        fail_msg("%s", e.msg);
    kit_transport = transport_new(&options, &e);
    assert_non_null(kit_transport);
    kit_chain = credentials_new(kit_config, kit_transport, &kit_skew, &e);
    assert_non_null(kit_chain);
    kit_chain->clock = kit_clock;
    kit_chain->container_host = kit_url;
}

static int kit_setup(void **state)
{
    (void)state;
    kit_forget();
    script_clear();
    kit_skew = 0;
    kit_now = 1795255200000U; /* 2026-11-21T10:00:00Z */
    return 0;
}

static int kit_teardown(void **state)
{
    (void)state;
    kit_close();
    return 0;
}

static const struct credentials *must_get(void)
{
    struct err e = {0};
    const struct credentials *k = credentials_get(kit_chain, &e);

    if (!k)
        fail_msg("%s", e.msg);
    return k;
}

/* What is said where there are none; never with a secret in it. */
static const char *must_fail(void)
{
    static struct err e;

    e = (struct err){0};
    if (credentials_get(kit_chain, &e))
        fail_msg("there are credentials");
    assert_int_equal(e.code, ERR_UPSTREAM);
    assert_null(strstr(e.msg, "hunter2"));
    return e.msg;
}

static void must_contain(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no '%s' in: %s", part, text);
}

static inline void must_lack(const char *text, const char *part)
{
    if (strcasestr(text, part))
        fail_msg("'%s' in: %s", part, text);
}

static int kit_main(const char *name, const struct CMUnitTest *tests, size_t n)
{
    if (!mkdtemp(kit_folder) || !script_start())
        return 1;
    snprintf(kit_url, sizeof kit_url, "http://127.0.0.1:%u", (unsigned)script.port);
    int failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
    script_stop();
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", kit_folder);
    return system(command) == 0 ? failed : 1; /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
}

#endif
