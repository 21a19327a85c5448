/* SPDX-License-Identifier: Apache-2.0 */
/* The shared AWS files and the variables around them: what is written, and what must come out. */
#include "cmocka_all.h"

#include "../../src/store/aws_config.h"
#include "../../src/store/ini.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[] = "/tmp/aws_config_test.XXXXXX";
static char folder[64], config_path[96], credentials_path[96];

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put(const char *path, const char *text)
{
    if (text)
        write_file(path, text, strlen(text));
    else
        unlink(path);
}

/* NULL: it is unset. */
static void set(const char *name, const char *value)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void forget_environment(void)
{
    static const char *const names[] = {
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CA_BUNDLE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_STS",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    };

    for (size_t i = 0; i < countof(names); i++)
        set(names[i], NULL);
    set("HOME", home);
}

static int clean(void **state)
{
    (void)state;
    forget_environment();
    put(config_path, NULL);
    put(credentials_path, NULL);
    return 0;
}

static struct aws_config *must_read(void)
{
    struct err e = {0};
    struct aws_config *c = aws_config_new(&e);

    if (!c)
        fail_msg("%s", e.msg);
    return c;
}

/* -- files -- */

static const struct file_case {
    const char *what, *config, *credentials, *profile, *key, *want;
} files[] = {
    {"no files", NULL, NULL, "default", "region", NULL},
    {"empty files", "", "", "default", "region", NULL},
    {"default", "[default]\nregion = a", NULL, "default", "region", "a"},
    {"a named profile", "[profile foo]\nregion = a\n", NULL, "foo", "region", "a"},
    {"blanks around names", "[ \tprofile\t \tfoo\t ]\t\n", NULL, "foo", "region", NULL},
    {"blanks around values", "[profile foo]\nregion \t= \t a b\t \n", NULL, "foo", "region", "a b"},
    {"equals in a value", "[profile foo]\nx=a=b==\n", NULL, "foo", "x", "a=b=="},
    {"an empty value", "[profile foo]\nx =\n", NULL, "foo", "x", NULL},
    {"CRLF", "[profile foo]\r\n\r\nx = a\r\ny = b\r\n", NULL, "foo", "y", "b"},
    {"a byte order mark", "\xef\xbb\xbf[default]\nx = a\n", NULL, "default", "x", "a"},
    {"comment lines", "# c\n[default] ; c\n;c\nx = a\n\n", NULL, "default", "x", "a"},
    {"a comment at once behind a section", "[default]# c\nx = a", NULL, "default", "x", "a"},
    {"a comment behind a value", "[default]\nx = a # b\ny = c\t; d", NULL, "default", "x", "a"},
    {"no comment inside a value", "[default]\nx = a#b;c", NULL, "default", "x", "a#b;c"},
    {"keys in any case", "[default]\nReGion = A\n", NULL, "default", "region", "A"},
    {"profiles in their case", "[profile Foo]\nx = a\n", NULL, "foo", "x", NULL},
    {"a later key wins", "[default]\nx = a\nx = b\n", NULL, "default", "x", "b"},
    {"sections merge", "[default]\nx = a\n[profile b]\nx = q\n[default]\ny = c\n", NULL, "default",
     "x", "a"},
    {"profile default hides default", "[profile default]\ny = b\n[default]\nx = a\n", NULL,
     "default", "x", NULL},
    {"in any order", "[default]\nx = a\n[profile default]\nx = b\n", NULL, "default", "x", "b"},
    {"config needs the prefix", "[foo]\nx = a\n", NULL, "foo", "x", NULL},
    {"credentials forbid it", NULL, "[profile foo]\nx = a\n", "foo", "x", NULL},
    {"a quoted name", "[profile \"a b\"]\nx = a\n", NULL, "a b", "x", "a"},
    {"credentials", NULL, "[foo]\nx = a\n", "foo", "x", "a"},
    {"credentials go first", "[profile foo]\nx = a\n", "[foo]\nx = b\n", "foo", "x", "b"},
    {"config fills up", "[profile foo]\ny = a\n", "[foo]\nx = b\n", "foo", "y", "a"},
    {"nested values are not the profile's", "[default]\ns3 =\n  x = a\ny = b\n", NULL, "default",
     "x", NULL},
    {"and end with the nesting", "[default]\ns3 =\n  x = a\n\n  z = q\ny = b\n", NULL, "default",
     "y", "b"},
    {"a value of two lines", "[default]\nx = a\n  # b\n  b = c\ny = d\n", NULL, "default", "x",
     "a\nb = c"},
    {"an indented section body", "[default]\n  x = a\n  y = b\n", NULL, "default", "y", "b"},
    {"sso-session is none of ours", "[sso-session foo]\nx = a\n", NULL, "foo", "x", NULL},
    {"all signs of a name", "[profile a-_+/@.%:B9]\nx = a\n", NULL, "a-_+/@.%:B9", "x", "a"},
    {"no newline at the end", "[default]\nx = a\ny =", NULL, "default", "x", "a"},
};

static void reads_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(files); i++) {
        const struct file_case *f = &files[i];
        put(config_path, f->config);
        put(credentials_path, f->credentials);
        struct aws_config *c = must_read();
        const char *got = aws_profile_get(c, f->profile, f->key);
        if (!got != !f->want || (got && strcmp(got, f->want) != 0))
            fail_msg("%s: %s, not %s", f->what, got ? got : "nothing", f->want ? f->want : "that");
        aws_config_free(c);
    }
}

static const struct refusal {
    const char *what, *config, *credentials, *want;
} refusals[] = {
    {"no section", "x = a", NULL, "config: line 1: expected a section, as [default]"},
    {"no closing", "\n[profile foo\nx = a", NULL, "config: line 2: a section must end with ']'"},
    {"text behind", "[default] x", NULL, "config: line 1: only a comment may follow"},
    {"no name", "[ ]\n", NULL, "config: line 1: a section needs a name"},
    {"no equals", "[default]\r\n\r\nx\r\n", NULL, "config: line 3: expected 'name = value'"},
    {"no key", "[default]\n= a", NULL, "config: line 2: there is no name in front of '='"},
    {"nested without equals", "[default]\ns3 =\n  x\n", NULL, "config: line 3: expected"},
    {"nested without a key", "[default]\ns3 =\n  = a\n", NULL, "config: line 3: there is no name"},
    {"an indented line first", "  x = a\n", NULL, "config: line 1: expected a section"},
    {"credentials", NULL, "[a]\naws_secret_access_key hunter2\n", "credentials: line 2: expected"},
};

static void names_lines_of_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(refusals); i++) {
        struct err e = {0};
        put(config_path, refusals[i].config);
        put(credentials_path, refusals[i].credentials);
        if (aws_config_new(&e))
            fail_msg("%s: was read", refusals[i].what);
        if (!strstr(e.msg, refusals[i].want) || e.code != ERR_USAGE)
            fail_msg("%s: %s", refusals[i].what, e.msg);
        assert_null(strstr(e.msg, "hunter2"));
    }
}

static void bounds_files(void **state)
{
    struct err e = {0};
    size_t n = (1 << 20) + 1;
    char *text = malloc(n);

    (void)state;
    memset(text, '\n', n);
    write_file(config_path, text, n);
    assert_null(aws_config_new(&e));
    assert_non_null(strstr(e.msg, ".aws/config: larger than 1048576 bytes"));
    write_file(config_path, text, n - 1);
    aws_config_free(must_read());
    write_file(config_path, "[default]\nx = a\0b\n", 18);
    assert_null(aws_config_new(&e));
    assert_non_null(strstr(e.msg, "line 2: contains a NUL byte"));
    free(text);
}

static void finds_files(void **state)
{
    struct err e = {0};
    char path[96];

    (void)state;
    snprintf(path, sizeof path, "%s/other", home);
    put(path, "[default]\nregion = elsewhere\n");
    put(config_path, "[default]\nregion = here\n");
    set("AWS_CONFIG_FILE", path);
    struct aws_config *c = must_read();
    assert_string_equal(aws_region(c), "elsewhere");
    aws_config_free(c);
    set("AWS_CONFIG_FILE", "~/other");
    c = must_read();
    assert_string_equal(aws_region(c), "elsewhere");
    aws_config_free(c);
    set("AWS_CONFIG_FILE", "/dev/null");
    c = must_read();
    assert_null(aws_region(c));
    aws_config_free(c);
    set("AWS_CONFIG_FILE", "");
    c = must_read();
    assert_string_equal(aws_region(c), "here");
    aws_config_free(c);
    unlink(path);
    set("AWS_CONFIG_FILE", path);
    assert_null(aws_config_new(&e));
    assert_non_null(strstr(e.msg, "AWS_CONFIG_FILE: /tmp/"));
    assert_non_null(strstr(e.msg, "/other: open: No such file"));
    set("AWS_CONFIG_FILE", home);
    assert_null(aws_config_new(&e));
    assert_non_null(strstr(e.msg, "Is a directory"));
    set("AWS_CONFIG_FILE", NULL);
    set("HOME", NULL);
    c = must_read();
    assert_null(aws_region(c));
    aws_config_free(c);
}

static void chooses_the_profile(void **state)
{
    struct err e = {0};

    (void)state;
    put(config_path, "[default]\nregion = a\n[profile p]\nregion = b\n");
    put(credentials_path, "[q]\n");
    struct aws_config *c = must_read();
    assert_string_equal(aws_profile_name(c), "default");
    assert_string_equal(aws_profile_get(c, NULL, "region"), "a");
    assert_true(aws_profile_exists(c, "p"));
    assert_true(aws_profile_exists(c, "q"));
    assert_false(aws_profile_exists(c, "r"));
    aws_config_free(c);
    set("AWS_PROFILE", "p");
    c = must_read();
    assert_string_equal(aws_profile_get(c, NULL, "region"), "b");
    aws_config_free(c);
    set("AWS_PROFILE", "r");
    assert_null(aws_config_new(&e));
    assert_string_equal(e.msg, "AWS_PROFILE: no file has the profile 'r'");
}

/* -- regions and endpoints -- */

static void decides_the_region(void **state)
{
    struct err e = {0};

    (void)state;
    struct aws_config *c = must_read();
    assert_null(aws_region(c));
    assert_null(aws_region_setting(c));
    aws_config_free(c);
    put(config_path, "[default]\nregion = r1\n");
    c = must_read();
    assert_string_equal(aws_region(c), "r1");
    assert_string_equal(aws_region_setting(c), "region of the profile");
    set("AWS_DEFAULT_REGION", "r2");
    assert_string_equal(aws_region(c), "r2");
    set("AWS_REGION", "r3");
    assert_string_equal(aws_region(c), "r3");
    assert_string_equal(aws_region_setting(c), "AWS_REGION");
    aws_config_free(c);
    set("AWS_REGION", "a.example/");
    assert_null(aws_config_new(&e));
    assert_non_null(strstr(e.msg, "AWS_REGION: 'a.example/' is no region"));
    assert_string_equal(aws_dns_suffix("eu-central-1"), "amazonaws.com");
    assert_string_equal(aws_dns_suffix("us-gov-west-1"), "amazonaws.com");
    assert_string_equal(aws_dns_suffix("cn-north-1"), "amazonaws.com.cn");
    assert_string_equal(aws_dns_suffix("us-isob-east-1"), "sc2s.sgov.gov");
}

/* From the weakest setting to the strongest: each step adds one, and it decides. */
static void decides_the_endpoint(void **state)
{
    (void)state;
    struct aws_config *c = must_read();
    assert_null(aws_endpoint(c, "s3"));
    aws_config_free(c);
    put(config_path, "[default]\nendpoint_url = u1\n");
    c = must_read();
    assert_string_equal(aws_endpoint(c, "s3"), "u1");
    assert_string_equal(aws_endpoint_setting(c, "s3"), "endpoint_url of the profile");
    aws_config_free(c);
    put(config_path, "[default]\nendpoint_url = u1\nservices = mine\n"
                     "[services mine]\ns3 =\n  endpoint_url = u2\n  other = x\nsts = \n"
                     "\tother = y\n[services others]\ns3 =\n  endpoint_url = u9\n");
    c = must_read();
    assert_string_equal(aws_endpoint(c, "s3"), "u2");
    assert_string_equal(aws_endpoint_setting(c, "s3"), "the profile's services");
    assert_string_equal(aws_endpoint(c, "sts"), "u1");
    set("AWS_ENDPOINT_URL", "u3");
    assert_string_equal(aws_endpoint(c, "s3"), "u3");
    set("AWS_ENDPOINT_URL_STS", "u4");
    assert_string_equal(aws_endpoint(c, "s3"), "u3");
    assert_string_equal(aws_endpoint(c, "sts"), "u4");
    assert_string_equal(aws_endpoint_setting(c, "sts"), "AWS_ENDPOINT_URL_STS");
    set("AWS_ENDPOINT_URL_STS", "");
    assert_string_equal(aws_endpoint(c, "sts"), "u3");
    set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True");
    assert_null(aws_endpoint(c, "s3"));
    aws_config_free(c);
}

static void finds_the_authorities(void **state)
{
    (void)state;
    put(config_path, "[default]\nca_bundle = /a.pem\n");
    struct aws_config *c = must_read();
    assert_string_equal(aws_ca_bundle(c), "/a.pem");
    set("AWS_CA_BUNDLE", "/b.pem");
    assert_string_equal(aws_ca_bundle(c), "/b.pem");
    aws_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_files, clean),
        cmocka_unit_test_setup(names_lines_of_errors, clean),
        cmocka_unit_test_setup(bounds_files, clean),
        cmocka_unit_test_setup(finds_files, clean),
        cmocka_unit_test_setup(chooses_the_profile, clean),
        cmocka_unit_test_setup(decides_the_region, clean),
        cmocka_unit_test_setup(decides_the_endpoint, clean),
        cmocka_unit_test_setup(finds_the_authorities, clean),
    };

    if (!mkdtemp(home))
        return 1;
    snprintf(folder, sizeof folder, "%s/.aws", home);
    mkdir(folder, 0700);
    snprintf(config_path, sizeof config_path, "%s/config", folder);
    snprintf(credentials_path, sizeof credentials_path, "%s/credentials", folder);
    int failed = cmocka_run_group_tests_name("aws_config", tests, NULL, NULL);
    clean(NULL);
    rmdir(folder);
    rmdir(home);
    return failed;
}
