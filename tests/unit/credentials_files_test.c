/* SPDX-License-Identifier: Apache-2.0 */
/* The files that credentials come from are replaced while we run, in all the ways that are usual.
 */
#include "credentials_kit.h"

#define STS_ANSWER(id)                                                                         \
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" id                      \
    "</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey><SessionToken>T</SessionToken>"   \
    "<Expiration>2026-11-21T16:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRo" \
    "leResponse>"
#define JSON_ANSWER(id)                                            \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"hunter2\"," \
    "\"Expiration\":\"2026-11-21T16:00:00Z\"}"
#define KEYS(id) "aws_access_key_id = " id "\naws_secret_access_key = hunter2\n"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* As agents and sidecars do: a whole file under another name, renamed. */
static void replace(const char *name, const char *text)
{
    char from[128], to[128];

    snprintf(from, sizeof from, "%s", put("new", text));
    snprintf(to, sizeof to, "%s/%s", kit_folder, name);
    assert_int_equal(rename(from, to), 0);
}

static void take_away(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", kit_folder, name);
    assert_int_equal(unlink(path), 0);
}

static void must_be(const char *id)
{
    assert_string_equal(must_get()->key_id, id);
}

static void begin_with_keys(void)
{
    set("AWS_SHARED_CREDENTIALS_FILE", put("credentials", "[default]\n" KEYS("A")));
    kit_open();
    must_be("A");
}

/* -- the shared files -- */

static void takes_keys_of_a_file_that_is_renamed(void **state)
{
    (void)state;
    begin_with_keys();
    replace("credentials", "[default]\n" KEYS("B"));
    must_be("B");
    replace("credentials", "[default]\n" KEYS("C") "aws_session_token = T\n");
    must_be("C");
    assert_string_equal(must_get()->token, "T");
}

static void takes_keys_that_are_written_over_the_old(void **state)
{
    (void)state;
    begin_with_keys();
    put("credentials", "[default]\n" KEYS("BB"));
    must_be("BB");
}

/* As Kubernetes does with the folder of a secret. */
static void takes_keys_behind_a_link_that_moves(void **state)
{
    char one[128], two[128], link[128], spare[128];

    (void)state;
    snprintf(one, sizeof one, "%s", put("one", "[default]\n" KEYS("A")));
    snprintf(two, sizeof two, "%s", put("two", "[default]\n" KEYS("B")));
    snprintf(link, sizeof link, "%s/link", kit_folder);
    snprintf(spare, sizeof spare, "%s/spare", kit_folder);
    assert_int_equal(symlink(one, link), 0);
    set("AWS_SHARED_CREDENTIALS_FILE", link);
    kit_open();
    must_be("A");
    assert_int_equal(symlink(two, spare), 0);
    assert_int_equal(rename(spare, link), 0);
    must_be("B");
}

static const struct broken {
    const char *what, *text; /* NULL: no file */
    const char *said;
} broken[] = {
    {"no file", NULL, "AWS_SHARED_CREDENTIALS_FILE: "},
    {"no key", "[default\n", "line 1: a section must end with ']'"},
    {"half a file", "[default]\naws_access_key_id = B\n", "no aws_secret_access_key"},
    {"an empty file", "", "'default': no file has it"},
    {"other profiles", "[other]\n" KEYS("B"), "'default': no file has it"},
};

/* ... nor is another source asked meanwhile, although one is there. */
static void keeps_the_old_while_a_file_is_no_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(broken); i++) {
        print_message("%s\n", broken[i].what);
        set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
        begin_with_keys();
        if (broken[i].text)
            replace("credentials", broken[i].text);
        else
            take_away("credentials");
        must_be("A");
        kit_now += 24 * 60 * MINUTE;
        must_be("A");
        credentials_reject(kit_chain, must_get()->serial);
        kit_now += SECOND;
        const char *why = must_fail();
        must_contain(why, "credentials of the profile: ");
        must_contain(why, broken[i].said);
        replace("credentials", "[default]\n" KEYS("C"));
        must_be("C");
        assert_int_equal(script_count(), 0);
    }
}

static void asks_again_by_a_role_that_changes(void **state)
{
    (void)state;
    set("AWS_REGION", "eu-central-1");
    set_url("AWS_ENDPOINT_URL_STS", "");
    set("AWS_SHARED_CREDENTIALS_FILE", put("credentials", "[base]\n" KEYS("BASE1")));
    set("AWS_CONFIG_FILE", put("config", "[default]\nrole_arn = arn:one\nsource_profile = base\n"));
    script_add(200, STS_ANSWER("A"));
    kit_open();
    must_be("A");
    script_add(200, STS_ANSWER("B"));
    replace("credentials", "[base]\n" KEYS("BASE2"));
    must_be("B");
    must_contain(script_request(1), "Credential=BASE2/");
    script_add(200, STS_ANSWER("C"));
    replace("config", "[default]\nrole_arn = arn:two\nsource_profile = base\n");
    must_be("C");
    must_contain(script_request(2), "RoleArn=arn%3Atwo");
    must_be("C");
    assert_int_equal(script_count(), 3);
}

/* A shell's <(...) says once what it has to say; /dev/null nothing, ever. */
static void keeps_what_a_pipe_said(void **state)
{
    static const char text[] = "[default]\n" KEYS("A");
    char path[32];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    set("AWS_SHARED_CREDENTIALS_FILE", path);
    set("AWS_CONFIG_FILE", put("config", ""));
    kit_open();
    must_be("A");
    put("config", "[default]\nregion = eu-central-1\n");
    must_be("A");
    assert_string_equal(aws_region(kit_config), "eu-central-1");
    put("config", "[default\n");
    must_be("A");
    kit_close();
    close(ends[0]);
}

static void keeps_the_config_where_the_new_one_is_no_good(void **state)
{
    struct err e = {0};

    (void)state;
    set("AWS_CONFIG_FILE", put("config", "[default]\nregion = eu-central-1\n"));
    begin_with_keys();
    replace("config", "[default]\nregion = a.example/\n");
    assert_true(aws_config_moved(kit_config));
    assert_false(aws_config_moved(kit_config));
    assert_false(aws_config_reload(kit_config, &e));
    must_contain(e.msg, "region of the profile: 'a.example/' is no region");
    assert_string_equal(aws_region(kit_config), "eu-central-1");
    assert_string_equal(aws_profile_get(kit_config, NULL, "aws_access_key_id"), "A");
}

/* -- tokens' files -- */

static void begin_with_a_web_identity(void)
{
    set("AWS_REGION", "eu-central-1");
    set_url("AWS_ENDPOINT_URL_STS", "");
    set("AWS_ROLE_ARN", "arn:r");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", put("token", "one"));
    kit_open();
}

static void asks_again_when_a_web_identity_changes(void **state)
{
    (void)state;
    begin_with_a_web_identity();
    script_add(200, STS_ANSWER("A"));
    must_be("A");
    must_be("A");
    assert_int_equal(script_count(), 1);
    script_add(200, STS_ANSWER("B"));
    replace("token", "two");
    must_be("B");
    must_contain(script_request(1), "&WebIdentityToken=two");
    must_be("B");
    assert_int_equal(script_count(), 2);
}

static void keeps_the_old_while_a_new_token_does_not_help(void **state)
{
    (void)state;
    begin_with_a_web_identity();
    script_add(200, STS_ANSWER("A"));
    must_be("A");
    script_add(400, "<Error><Code>ExpiredTokenException</Code></Error>");
    replace("token", "two");
    must_be("A");
    kit_now += 9 * SECOND; /* a moment ago it did not help */
    must_be("A");
    assert_int_equal(script_count(), 2);
    script_add(200, STS_ANSWER("B"));
    kit_now += 1 * SECOND;
    must_be("B");
}

static uint64_t replacing_clock(void)
{
    static unsigned n;

    if (++n == 2) /* the first was read for the session's name, before the token's file */
        replace("token", "two");
    return kit_now;
}

static void asks_once_more_where_the_token_changed_meanwhile(void **state)
{
    (void)state;
    begin_with_a_web_identity();
    script_add(400, "<Error><Code>ExpiredTokenException</Code></Error>");
    script_add(200, STS_ANSWER("A"));
    kit_chain->clock = replacing_clock;
    must_be("A");
    must_contain(script_request(0), "&WebIdentityToken=one");
    must_contain(script_request(1), "&WebIdentityToken=two");
}

static void asks_again_when_the_token_of_a_container_changes(void **state)
{
    (void)state;
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", put("pod", "one"));
    kit_open();
    script_add(200, JSON_ANSWER("A"));
    must_be("A");
    script_add(200, JSON_ANSWER("B"));
    replace("pod", "two");
    must_be("B");
    must_contain(script_request(1), "\r\nAuthorization: two\r\n");
    assert_int_equal(script_count(), 2);
}

/* -- denied -- */

static void doubts_keys_once_a_minute(void **state)
{
    (void)state;
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
    kit_open();
    assert_false(credentials_doubt(kit_chain, 0));
    script_add(200, JSON_ANSWER("A"));
    unsigned serial = must_get()->serial;
    assert_false(credentials_doubt(kit_chain, serial)); /* asked a moment ago */
    script_add(200, JSON_ANSWER("A"));
    kit_now += MINUTE;
    assert_false(credentials_doubt(kit_chain, serial)); /* the same again */
    assert_int_equal(script_count(), 2);
    script_add(200, JSON_ANSWER("B"));
    kit_now += MINUTE;
    serial = must_get()->serial;
    assert_true(credentials_doubt(kit_chain, serial));
    assert_true(credentials_doubt(kit_chain, serial)); /* others are in hand since */
    must_be("B");
    script_add(400, "");
    kit_now += MINUTE;
    assert_false(credentials_doubt(kit_chain, must_get()->serial));
    must_be("B"); /* they may not be to blame */
    assert_int_equal(script_count(), 4);
}

static void doubts_keys_of_a_file_when_it_changes(void **state)
{
    (void)state;
    begin_with_keys();
    unsigned serial = must_get()->serial;
    assert_false(credentials_doubt(kit_chain, serial));
    replace("credentials", "[default]\n" KEYS("B"));
    assert_true(credentials_doubt(kit_chain, serial));
    must_be("B");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        T(takes_keys_of_a_file_that_is_renamed),
        T(takes_keys_that_are_written_over_the_old),
        T(takes_keys_behind_a_link_that_moves),
        T(keeps_the_old_while_a_file_is_no_good),
        T(asks_again_by_a_role_that_changes),
        T(keeps_what_a_pipe_said),
        T(keeps_the_config_where_the_new_one_is_no_good),
        T(asks_again_when_a_web_identity_changes),
        T(keeps_the_old_while_a_new_token_does_not_help),
        T(asks_once_more_where_the_token_changed_meanwhile),
        T(asks_again_when_the_token_of_a_container_changes),
        T(doubts_keys_once_a_minute),
        T(doubts_keys_of_a_file_when_it_changes),
    };

    return kit_main("credentials_files", tests, countof(tests));
}
