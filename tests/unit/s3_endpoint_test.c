/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "../../src/store/s3_endpoint.h"

#include <stdio.h>

static const struct s3_settings nothing, frankfurt = {.region = "eu-central-1"};

/* "scheme host path" of bundle.json. */
static const char *where(const char *uri, const struct s3_settings *s)
{
    static char text[2048];
    struct s3_place p;
    char host[S3_HOST];
    struct buf path = {0};
    struct err e = {0};

    if (!s3_place_read(&p, uri, s, &e)) {
        snprintf(text, sizeof text, "error: %s", e.msg);
        return text;
    }
    s3_place_host(&p, host);
    s3_place_path(&p, "bundle.json", &path);
    snprintf(text, sizeof text, "%s://%s%s %s", p.plain ? "http" : "https", host, path.data,
             p.region);
    buf_done(&path);
    return text;
}

static void amazon_has_a_host_for_each_bucket(void **state)
{
    static const struct {
        const char *uri, *url;
    } rows[] = {
        {"s3://bucket/a/b/", "https://bucket.s3.eu-central-1.amazonaws.com/a/b/bundle.json"},
        {"s3://bucket/a/b", "https://bucket.s3.eu-central-1.amazonaws.com/a/b/bundle.json"},
        {"s3://bucket", "https://bucket.s3.eu-central-1.amazonaws.com/bundle.json"},
        {"s3://bucket/", "https://bucket.s3.eu-central-1.amazonaws.com/bundle.json"},
        {"s3://bucket//x", "https://bucket.s3.eu-central-1.amazonaws.com//x/bundle.json"},
        {"s3://bucket/../ä +%20/",
         "https://bucket.s3.eu-central-1.amazonaws.com/../%C3%A4%20%2B%2520/bundle.json"},
        {"s3://my.bucket/a/", "https://s3.eu-central-1.amazonaws.com/my.bucket/a/bundle.json"},
        {"s3://Old_Bucket/a/", "https://s3.eu-central-1.amazonaws.com/Old_Bucket/a/bundle.json"},
        {"s3://bucket/a/?path_style=true",
         "https://s3.eu-central-1.amazonaws.com/bucket/a/bundle.json"},
        {"s3://my.bucket/?path_style=false",
         "https://my.bucket.s3.eu-central-1.amazonaws.com/bundle.json"},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        const char *got = where(rows[i].uri, &frankfurt);
        size_t n = strlen(rows[i].url);
        assert_true(strlen(got) > n);
        assert_memory_equal(got, rows[i].url, n);
        assert_string_equal(got + n, " eu-central-1");
    }
}

static void regions_and_switches_change_the_host(void **state)
{
    static const struct s3_settings both = {.region = "eu-west-1", .dualstack = true, .fips = true},
                                    dual = {.region = "eu-west-1", .dualstack = true},
                                    fips = {.region = "us-gov-west-1", .fips = true};

    (void)state;
    assert_string_equal(where("s3://bkt?region=cn-north-1", &frankfurt),
                        "https://bkt.s3.cn-north-1.amazonaws.com.cn/bundle.json cn-north-1");
    assert_string_equal(where("s3://bkt", &both),
                        "https://bkt.s3-fips.dualstack.eu-west-1.amazonaws.com/bundle.json "
                        "eu-west-1");
    assert_string_equal(where("s3://bkt", &dual),
                        "https://bkt.s3.dualstack.eu-west-1.amazonaws.com/bundle.json eu-west-1");
    assert_string_equal(where("s3://bkt", &fips),
                        "https://bkt.s3-fips.us-gov-west-1.amazonaws.com/bundle.json "
                        "us-gov-west-1");
}

static void endpoints_of_ones_own_are_used(void **state)
{
    static const struct {
        const char *endpoint, *url;
    } rows[] = {
        {"http://127.0.0.1:9000", "http://127.0.0.1:9000/bkt/p/bundle.json us-east-1"},
        {"http://127.0.0.1:9000/", "http://127.0.0.1:9000/bkt/p/bundle.json us-east-1"},
        {"https://S3.Example.COM:443", "https://s3.example.com/bkt/p/bundle.json us-east-1"},
        {"https://s3.example.com:80", "https://s3.example.com:80/bkt/p/bundle.json us-east-1"},
        {"http://minio:80/s3//", "http://minio/s3/bkt/p/bundle.json us-east-1"},
        {"http://[::1]:9000", "http://[::1]:9000/bkt/p/bundle.json us-east-1"},
        {"http://[::1]", "http://[::1]/bkt/p/bundle.json us-east-1"},
        {"HTTPS://a_b.example", "https://a_b.example/bkt/p/bundle.json us-east-1"},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++)
        assert_string_equal(
            where("s3://bkt/p/", &(struct s3_settings){.endpoint = rows[i].endpoint}), rows[i].url);
    assert_string_equal(where("s3://bkt/p?endpoint=http://h:1&region=auto&path_style=false",
                              &(struct s3_settings){.endpoint = "https://other"}),
                        "http://bkt.h:1/p/bundle.json auto");
    assert_string_equal(where("s3://bkt/p?endpoint=http%3A%2F%2Fh%3a1", &frankfurt),
                        "http://h:1/bkt/p/bundle.json eu-central-1");
    assert_string_equal(where("s3://bkt/p?endpoint=http://10.0.0.1&path_style=false", &frankfurt),
                        "http://10.0.0.1/bkt/p/bundle.json eu-central-1");
}

static void other_options_are_read(void **state)
{
    struct s3_place p;
    struct err e = {0};

    (void)state;
    assert_true(
        s3_place_read(&p, "s3://bkt/p/?requester_pays=true&version_id=a%2Bb.c", &frankfurt, &e));
    assert_true(p.requester_pays);
    assert_string_equal(p.version_id, "a+b.c");
    assert_true(s3_place_read(&p, "s3://bkt/p/?requester_pays=false", &frankfurt, &e));
    assert_false(p.requester_pays);
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *uri, *said;
    } rows[] = {
        {"s3://", "not a bucket's name"},
        {"s3:///key", "not a bucket's name"},
        {"s3://ab/key", "not a bucket's name"},
        {"s3://b:kt/key", "not a bucket's name"},
        {"s3://user@bkt/key", "not a bucket's name"},
        {"s3://arn:aws:s3:::x/key", "ARN"},
        {"s3://bkt--euc1-az1--x-s3/key", "directory bucket"},
        {"s3://bkt/a#b", "sha256="},
        {"s3://bkt/a\nb", "control character"},
        {"s3://bkt/a?regoin=x", "did you mean region?"},
        {"s3://bkt/a?requester=x", "did you mean requester_pays?"},
        {"s3://bkt/a?acl=x", "there is no option 'acl'"},
        {"s3://bkt/a?versionId=x", "did you mean version_id?"},
        {"s3://bkt/a?region", "value of 'region'"},
        {"s3://bkt/a?region=", "value of 'region'"},
        {"s3://bkt/a?region=%4", "value of 'region'"},
        {"s3://bkt/a?region=%zz", "value of 'region'"},
        {"s3://bkt/a?region=a%0Ab", "value of 'region'"},
        {"s3://bkt/a?region=evil.example/", "is no region"},
        {"s3://bkt/a?path_style=yes", "not true or false"},
        {"s3://bkt/a?requester_pays=1", "not true or false"},
        {"s3://bkt/a?endpoint=ftp://h", "http[s]://host"},
        {"s3://bkt/a?endpoint=http://", "http[s]://host"},
        {"s3://bkt/a?endpoint=http://h:0", "http[s]://host"},
        {"s3://bkt/a?endpoint=http://h:65536", "http[s]://host"},
        {"s3://bkt/a?endpoint=http://h:x", "http[s]://host"},
        {"s3://bkt/a?endpoint=http://[::1", "http[s]://host"},
        {"s3://bkt/a?endpoint=http://[zz]", "http[s]://host"},
        {"s3://bkt/a?endpoint=http://h/%23", "http[s]://host"},
        {"s3://bkt/a?endpoint=h", "http[s]://host"},
    };

    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        const char *got = where(rows[i].uri, &frankfurt);
        if (strncmp(got, "error: ", 7) != 0 || !strstr(got, rows[i].said))
            print_error("%s -> %s\n", rows[i].uri, got);
        assert_true(strncmp(got, "error: ", 7) == 0);
        assert_non_null(strstr(got, rows[i].said));
    }
    assert_non_null(strstr(where("s3://bkt/a", &nothing), "AWS_REGION"));
    assert_null(strstr(where("s3://bkt/a", &(struct s3_settings){.endpoint = "http://u:secret@h"}),
                       "secret"));
    assert_non_null(
        strstr(where("s3://bkt/a", &(struct s3_settings){.endpoint = "http://h", .fips = true}),
               "AWS_USE_FIPS_ENDPOINT"));
    assert_non_null(strstr(
        where("s3://bkt/a", &(struct s3_settings){.endpoint = "x", .endpoint_setting = "AWS_X"}),
        "AWS_X"));
}

static void long_things_are_refused(void **state)
{
    char uri[3000];
    struct s3_place p;
    struct err e = {0};

    (void)state;
    for (unsigned n = 1; n < sizeof uri - 40; n += 7) {
        memset(uri, 'a', sizeof uri);
        memcpy(uri, "s3://bkt/", 9);
        uri[9 + n] = '\0';
        assert_int_equal(s3_place_read(&p, uri, &frankfurt, &e), n + 1 < S3_KEY);
        memcpy(uri, "s3://", 5);
        memset(uri + 5, 'a', n);
        uri[5 + n] = '\0';
        assert_int_equal(s3_place_read(&p, uri, &frankfurt, &e), n >= 3 && n < S3_BUCKET);
        memset(uri, 'a', sizeof uri);
        memcpy(uri, "s3://bkt/?endpoint=http://a", 27);
        uri[27 + n] = '\0';
        assert_int_equal(s3_place_read(&p, uri, &frankfurt, &e), n + 1 <= 253);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amazon_has_a_host_for_each_bucket),
        cmocka_unit_test(regions_and_switches_change_the_host),
        cmocka_unit_test(endpoints_of_ones_own_are_used),
        cmocka_unit_test(other_options_are_read),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(long_things_are_refused),
    };

    return cmocka_run_group_tests_name("s3_endpoint", tests, NULL, NULL);
}
