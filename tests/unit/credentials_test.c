/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of credentials: what they ask, and what they make of any answer. */
#include "credentials_kit.h"

#define STS_ANSWER(id, expires)                                                                  \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>" \
    "<Credentials>\n<AccessKeyId>" id "</AccessKeyId><SecretAccessKey>hunter2/&amp;+" id         \
    "</SecretAccessKey><SessionToken>token=" id "</SessionToken><Expiration>" expires            \
    "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define JSON_ANSWER(id, expires)                                                        \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"hunter2\",\"Token\":\"token=" id \
    "\",\"Expiration\":\"" expires "\"}"
#define LATER "2026-11-21T11:00:00Z"

static void use_config(const char *text)
{
    set("AWS_CONFIG_FILE", put("config", text));
    set("AWS_REGION", "eu-central-1");
    set_url("AWS_ENDPOINT_URL_STS", "");
    kit_open();
}

/* -- environment -- */

static void reads_the_environment(void **state)
{
    (void)state;
    set("AWS_ACCESS_KEY_ID", "AKID");
    set("AWS_SECRET_ACCESS_KEY", "hunter2");
    kit_open();
    const struct credentials *k = must_get();
    assert_string_equal(k->key_id, "AKID");
    assert_string_equal(k->secret, "hunter2");
    assert_string_equal(k->token, "");
    assert_string_equal(k->source, "environment");
    assert_int_equal(k->expires_ms, 0);
    set("AWS_SESSION_TOKEN", "T/+=");
    set("AWS_CREDENTIAL_EXPIRATION", "2026-11-21T12:00:00.5+01:00");
    kit_open();
    k = must_get();
    assert_string_equal(k->token, "T/+=");
    assert_int_equal(k->expires_ms, 1795258800000U);
}

static void refuses_half_an_environment(void **state)
{
    (void)state;
    set("AWS_ACCESS_KEY_ID", "AKID");
    kit_open();
    assert_string_equal(must_fail(), "credentials of the environment: AWS_ACCESS_KEY_ID is set, "
                                     "AWS_SECRET_ACCESS_KEY is not");
    set("AWS_SECRET_ACCESS_KEY", "hunter2\n");
    must_contain(must_fail(), "AWS_SECRET_ACCESS_KEY has a line break");
    set("AWS_ACCESS_KEY_ID", NULL);
    must_contain(must_fail(), "AWS_ACCESS_KEY_ID is not");
    set("AWS_ACCESS_KEY_ID", "AKID");
    set("AWS_SECRET_ACCESS_KEY", "hunter2");
    set("AWS_CREDENTIAL_EXPIRATION", "2026-11-21T10:00:00Z");
    must_contain(must_fail(), "what it gave expired at 2026-11-21T10:00:00.000Z");
    set("AWS_CREDENTIAL_EXPIRATION", "soon");
    must_contain(must_fail(), "AWS_CREDENTIAL_EXPIRATION: 'soon' is no time");
}

static void names_all_that_is_absent(void **state)
{
    (void)state;
    kit_open();
    const char *why = must_fail();
    must_contain(why, "no credentials: environment: AWS_ACCESS_KEY_ID is not set; profile: ");
    must_contain(why, "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    must_contain(why, "instance: AWS_EC2_METADATA_DISABLED is true");
}

/* -- profiles -- */

static const struct profile_case {
    const char *what, *config, *want;
} refused_profiles[] = {
    {"one key", "[default]\naws_access_key_id = a\n", "'default': it has one key but no aws_sec"},
    {"a blank in a key", "[default]\naws_access_key_id = a b\naws_secret_access_key = hunter2\n",
     "aws_access_key_id has a line break, a blank"},
    {"a program", "[default]\ncredential_process = x\n", "credential_process is not read"},
    {"SSO", "[default]\nsso_session = x\n", "sso_session is not read"},
    {"old SSO", "[default]\nsso_start_url = x\n", "sso_start_url is not read"},
    {"a token without a role", "[default]\nweb_identity_token_file = x\n", "needs role_arn"},
    {"a role by nothing", "[default]\nrole_arn = r\n", "needs source_profile, credential_source"},
    {"a role by two",
     "[default]\nrole_arn = r\nsource_profile = b\ncredential_source = Environment\n",
     "both source_profile and credential_source"},
    {"an unknown source", "[default]\nrole_arn = r\ncredential_source = Moon\n",
     "credential_source: 'Moon' is none of Environment, EcsContainer, Ec2InstanceMetadata"},
    {"a source that is not there", "[default]\nrole_arn = r\ncredential_source = EcsContainer\n",
     "credential_source EcsContainer: AWS_CONTAINER_CREDENTIALS_FULL_URI"},
    {"no such profile", "[default]\nrole_arn = r\nsource_profile = b\n",
     "'default': 'b': no file has it"},
    {"a loop",
     "[default]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = s\n"
     "source_profile = default\n",
     "'default': 'b': 'default': its source_profile leads back to itself"},
    {"itself without keys", "[default]\nrole_arn = r\nsource_profile = default\n",
     "it has one key but no aws_access_key_id"},
    {"MFA", "[default]\nrole_arn = r\nsource_profile = b\nmfa_serial = m\n", "mfa_serial asks for"},
    {"too short",
     "[default]\nrole_arn = r\nsource_profile = default\naws_access_key_id = a\n"
     "aws_secret_access_key = hunter2\nduration_seconds = 60\n",
     "duration_seconds: '60' is no number from 900 to 43200"},
    {"too deep",
     "[default]\nrole_arn = r\nsource_profile = 1\n[profile 1]\nrole_arn = r\nsource_profile = 2\n"
     "[profile 2]\nrole_arn = r\nsource_profile = 3\n[profile 3]\nrole_arn = r\n"
     "source_profile = 4\n[profile 4]\nrole_arn = r\nsource_profile = 5\n[profile 5]\n"
     "role_arn = r\nsource_profile = 6\n[profile 6]\naws_access_key_id = a\n",
     "more than 5 roles in a row"},
};

static void refuses_profiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(refused_profiles); i++) {
        use_config(refused_profiles[i].config);
        must_contain(must_fail(), "credentials of the profile: 'default': ");
        must_contain(must_fail(), refused_profiles[i].want);
    }
    assert_int_equal(script_count(), 0);
}

static void reads_keys_of_a_profile(void **state)
{
    (void)state;
    set("AWS_PROFILE", "p");
    use_config("[profile p]\naws_access_key_id = AKID\naws_secret_access_key = hunter2\n"
               "aws_session_token = T\n");
    const struct credentials *k = must_get();
    assert_string_equal(k->key_id, "AKID");
    assert_string_equal(k->token, "T");
    assert_string_equal(k->source, "profile");
    set("AWS_ACCESS_KEY_ID", "first");
    set("AWS_SECRET_ACCESS_KEY", "hunter2");
    kit_open();
    assert_string_equal(must_get()->key_id, "first");
}

static void assumes_a_role(void **state)
{
    (void)state;
    script_add(200, STS_ANSWER("ASIA", LATER));
    use_config("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = b\n"
               "external_id = e/1\nrole_session_name = me\nduration_seconds = 900\n"
               "[profile b]\naws_access_key_id = AKID\naws_secret_access_key = hunter2\n"
               "aws_session_token = T\nrole_arn = not asked for, since there are keys\n");
    const struct credentials *k = must_get();
    assert_string_equal(k->key_id, "ASIA");
    assert_string_equal(k->secret, "hunter2/&+ASIA");
    assert_string_equal(k->token, "token=ASIA");
    assert_int_equal(k->expires_ms, 1795258800000U);
    assert_int_equal(script_count(), 1);
    const char *asked = script_request(0);
    must_contain(asked, "POST / HTTP/1.1\r\n");
    must_contain(asked, "x-amz-date: 20261121T100000Z\r\n");
    must_contain(asked, "x-amz-security-token: T\r\n");
    must_contain(asked, "authorization: AWS4-HMAC-SHA256 Credential="
                        "AKID/20261121/eu-central-1/sts/aws4_request, SignedHeaders="
                        "content-type;host;x-amz-date;x-amz-security-token, Signature=");
    must_contain(asked, "\r\n\r\nAction=AssumeRole&Version=2011-06-15&RoleArn="
                        "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&ExternalId=e%2F1"
                        "&DurationSeconds=900");
    must_lack(asked, "hunter2");
}

static void assumes_one_role_by_another(void **state)
{
    (void)state;
    script_add(200, STS_ANSWER("FIRST", LATER));
    script_add(200, STS_ANSWER("SECOND", LATER));
    use_config("[default]\nrole_arn = outer\nsource_profile = b\n[profile b]\nrole_arn = inner\n"
               "source_profile = b\naws_access_key_id = AKID\naws_secret_access_key = hunter2\n"
               "[profile c]\n");
    /* b is a source: its keys go before its role */
    assert_string_equal(must_get()->key_id, "FIRST");
    must_contain(script_request(0), "Credential=AKID/");
    script_clear();
    script_add(200, STS_ANSWER("FIRST", LATER));
    script_add(200, STS_ANSWER("SECOND", LATER));
    set("AWS_ACCESS_KEY_ID", "BASE");
    set("AWS_SECRET_ACCESS_KEY", "hunter2");
    set("AWS_PROFILE", "a");
    use_config("[profile a]\nrole_arn = outer\nsource_profile = b\n[profile b]\n"
               "role_arn = inner\ncredential_source = environment\n");
    struct credentials out = {0};
    struct err e = {0};
    assert_true(source_profile.get(kit_chain, &out, &e)); /* the chain takes the environment */
    assert_string_equal(out.key_id, "SECOND");
    must_contain(script_request(0), "Credential=BASE/");
    must_contain(script_request(0), "RoleArn=inner");
    must_contain(script_request(1), "Credential=FIRST/");
    must_contain(script_request(1), "x-amz-security-token: token=FIRST\r\n");
    must_contain(script_request(1), "RoleArn=outer");
}

static void takes_a_web_identity_of_a_profile(void **state)
{
    char text[300];

    (void)state;
    snprintf(text, sizeof text, "[default]\nrole_arn = r\nweb_identity_token_file = %s\n",
             put("token", "eyJ.x"));
    script_add(200, STS_ANSWER("ASIA", LATER));
    use_config(text);
    assert_string_equal(must_get()->source, "profile");
    must_contain(script_request(0), "Action=AssumeRoleWithWebIdentity&");
    must_contain(script_request(0), "&WebIdentityToken=eyJ.x");
}

/* -- web identity -- */

static void use_web_identity(void)
{
    set("AWS_ROLE_ARN", "arn:aws:iam::1:role/r");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", put("token", "one\n"));
    set("AWS_REGION", "eu-central-1");
    set_url("AWS_ENDPOINT_URL_STS", "/sts");
    kit_open();
}

static void reads_the_token_at_every_call(void **state)
{
    (void)state;
    script_add(200, STS_ANSWER("A", LATER));
    script_add(200, STS_ANSWER("B", LATER));
    use_web_identity();
    assert_string_equal(must_get()->source, "web identity");
    must_contain(script_request(0), "POST /sts/ HTTP/1.1\r\n");
    must_contain(script_request(0), "&RoleSessionName=scored-1795255200000&WebIdentityToken=one");
    must_lack(script_request(0), "authorization:");
    put("token", "two");
    kit_now += 15 * 60 * 1000;
    assert_string_equal(must_get()->key_id, "B");
    must_contain(script_request(1), "WebIdentityToken=two");
}

static void tells_what_sts_said(void **state)
{
    (void)state;
    script_add(403, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>"
                    "Not authorized &lt;x&gt;</Message></Error></ErrorResponse>");
    use_web_identity();
    must_contain(must_fail(), "answered 403: AccessDenied: Not authorized <x>");
    assert_int_equal(script_count(), 1);
    script_clear();
    script_add(400, "<e><Code>IDPCommunicationError</Code></e>");
    script_add(503, "");
    script_add(200, STS_ANSWER("C", LATER));
    assert_string_equal(must_get()->key_id, "C");
}

static void refuses_settings_of_web_identities(void **state)
{
    (void)state;
    use_web_identity();
    put("token", " \n");
    must_contain(must_fail(), "/token is empty");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token");
    must_contain(must_fail(), "/nonexistent/token: open: No such file");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/zero");
    must_contain(must_fail(), "/dev/zero: more than 20479 bytes");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", put("token", "x"));
    set("AWS_ROLE_ARN", NULL);
    must_contain(must_fail(), "AWS_ROLE_ARN is not");
    set("AWS_ROLE_ARN", "r");
    set("AWS_ENDPOINT_URL_STS", "ftp://x");
    must_contain(must_fail(), "AWS_ENDPOINT_URL_STS is no http:// or https:// URL");
    set("AWS_ENDPOINT_URL_STS", NULL);
    set("AWS_REGION", NULL);
    must_contain(must_fail(), "STS needs a region: set AWS_REGION");
    assert_int_equal(script_count(), 0);
}

static const struct answer_case {
    const char *what, *answer, *want;
} sts_answers[] = {
    {"nothing", "", "it has no usable AccessKeyId"},
    {"JSON", "{\"AccessKeyId\":\"hunter2\"}", "no usable AccessKeyId"},
    {"a DTD", "<!DOCTYPE x><AccessKeyId>hunter2</AccessKeyId>", "no usable AccessKeyId"},
    {"an entity of its own", "<AccessKeyId>&x;</AccessKeyId>", "no usable AccessKeyId"},
    {"elements inside", "<AccessKeyId><b>hunter2</b></AccessKeyId>", "no usable AccessKeyId"},
    {"another end", "<AccessKeyId>hunter2</AccessKey>", "no usable AccessKeyId"},
    {"cut", "<AccessKeyId>hunter2</AccessKeyId", "no usable AccessKeyId"},
    {"no secret", "<r><AccessKeyId>a</AccessKeyId></r>", "no usable SecretAccessKey"},
    {"an empty secret", "<AccessKeyId>a</AccessKeyId><SecretAccessKey></SecretAccessKey>",
     "SecretAccessKey is empty"},
    {"a line break in it",
     "<AccessKeyId>a</AccessKeyId><SecretAccessKey>hunter2\n</SecretAccessKey>",
     "SecretAccessKey has a line break"},
    {"no time", STS_ANSWER("A", "tomorrow"), "Expiration: 'tomorrow' is no time"},
    {"no such time", STS_ANSWER("A", "2026-13-01T00:00:00Z"), "is no time"},
    {"expired", STS_ANSWER("A", "2026-11-21T09:59:59Z"), "expired at 2026-11-21T09:59:59.000Z"},
};

static void refuses_answers_of_sts(void **state)
{
    (void)state;
    use_web_identity();
    for (size_t i = 0; i < countof(sts_answers); i++) {
        script_clear();
        script_add(200, sts_answers[i].answer);
        const char *why = must_fail();
        if (!strstr(why, sts_answers[i].want))
            fail_msg("%s: %s", sts_answers[i].what, why);
    }
}

/* -- containers -- */

static void asks_the_container_service(void **state)
{
    (void)state;
    script_add(200, JSON_ANSWER("ECS", LATER));
    set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x");
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/not-asked");
    set("HTTP_PROXY", "http://192.0.2.1:1");
    set("http_proxy", "http://192.0.2.1:1");
    kit_open();
    const struct credentials *k = must_get();
    assert_string_equal(k->key_id, "ECS");
    assert_string_equal(k->token, "token=ECS");
    assert_string_equal(k->source, "container");
    must_contain(script_request(0), "GET /v2/credentials/x HTTP/1.1\r\n");
    must_lack(script_request(0), "authorization:");
}

static void reads_the_pod_identity_token_at_every_call(void **state)
{
    (void)state;
    script_add(200, JSON_ANSWER("A", LATER));
    script_add(200, JSON_ANSWER("B", LATER));
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/v1/credentials");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "beaten");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", put("pod", "one"));
    kit_open();
    must_get();
    must_contain(script_request(0), "\r\nAuthorization: one\r\n");
    put("pod", "two");
    credentials_reject(kit_chain, kit_chain->current.serial);
    kit_now += 2000;
    assert_string_equal(must_get()->key_id, "B");
    must_contain(script_request(1), "\r\nAuthorization: two\r\n");
}

static void refuses_settings_of_containers(void **state)
{
    (void)state;
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nHost: hunter2");
    kit_open();
    must_contain(must_fail(), "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", put("pod", "hunter2\n"));
    must_contain(must_fail(), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE has a line break");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nonexistent");
    must_contain(must_fail(), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: /nonexistent: open: No");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", NULL);
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN", NULL);
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "file:///etc/passwd");
    must_contain(must_fail(), "FULL_URI is no http:// or https:// URL");
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/x");
    must_contain(must_fail(), "plain http is allowed only to");
    set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@192.0.2.1/x");
    must_contain(must_fail(), "RELATIVE_URI does not begin with '/'");
    assert_int_equal(script_count(), 0);
}

static char huge[11 << 10];

static const struct answer_case json_answers[] = {
    {"nothing", "", "the answer cannot be used: "},
    {"no JSON", "<html>hunter2</html>", "the answer cannot be used: byte 0"},
    {"cut", "{\"AccessKeyId\":\"a\"", "the answer cannot be used: byte"},
    {"a list", "[\"hunter2\"]", "must be an object"},
    {"no key", "{\"SecretAccessKey\":\"hunter2\"}", "missing key 'AccessKeyId'"},
    {"no secret", "{\"AccessKeyId\":\"a\"}", "missing key 'SecretAccessKey'"},
    {"a number", "{\"AccessKeyId\":1,\"SecretAccessKey\":\"hunter2\"}", "must be a string"},
    {"empty", "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"hunter2\"}", "AccessKeyId is empty"},
    {"two", "{\"AccessKeyId\":\"a\",\"AccessKeyId\":\"hunter2\"}", "cannot be used"},
    {"a header in the token",
     "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"hunter2\",\"Token\":\"t\\r\\nHost: hunter2\"}",
     "Token has a line break"},
    {"a failure", "{\"Code\":\"Failed\",\"AccessKeyId\":\"a\"}", "Code is not Success"},
    {"no time", "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":\"2026\"}",
     "Expiration: '2026' is no time"},
    {"expired", JSON_ANSWER("a", "2026-11-21T10:00:00Z"), "what it gave expired at"},
    {"huge", huge, "larger than allowed"},
};

static void refuses_answers_of_containers(void **state)
{
    (void)state;
    memset(huge, ' ', sizeof huge - 1);
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
    kit_open();
    for (size_t i = 0; i < countof(json_answers); i++) {
        script_clear();
        script_add(200, json_answers[i].answer);
        const char *why = must_fail();
        if (!strstr(why, json_answers[i].want) || strncmp(why, "credentials of the cont", 23) != 0)
            fail_msg("%s: %s", json_answers[i].what, why);
        assert_int_equal(script_count(), 1);
    }
    script_clear();
    script_add(400, "{\"code\":\"Bad\",\"message\":\"no such role\"}");
    must_contain(must_fail(), "answered 400: Bad: no such role");
    script_clear();
    script_add(302, "");
    must_contain(must_fail(), "answered 302");
    assert_int_equal(script_count(), 1);
}

/* -- instances -- */

static void use_instance(void)
{
    set("AWS_EC2_METADATA_DISABLED", NULL);
    set_url("AWS_EC2_METADATA_SERVICE_ENDPOINT", "/");
    kit_open();
}

static void asks_the_instance_by_version_2(void **state)
{
    (void)state;
    script_add(200, "session-token");
    script_add(200, "role\nanother");
    script_add(200, "{\"Code\":\"Success\",\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"hunter2\","
                    "\"Token\":\"t\",\"Expiration\":\"" LATER "\",\"Type\":\"AWS-HMAC\"}");
    use_instance();
    const struct credentials *k = must_get();
    assert_string_equal(k->key_id, "I");
    assert_string_equal(k->source, "instance");
    assert_int_equal(script_count(), 3);
}

static void encodes_the_role(void **state)
{
    (void)state;
    script_add(200, "session-token");
    script_add(200, "my+role/x\r\nanother");
    script_add(200, JSON_ANSWER("I", LATER));
    use_instance();
    must_get();
    must_contain(script_request(0), "PUT /latest/api/token HTTP/1.1\r\n");
    must_contain(script_request(0), "\r\nX-aws-ec2-metadata-token-ttl-seconds: 21600\r\n");
    must_contain(script_request(1), "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n");
    must_contain(script_request(1), "\r\nX-aws-ec2-metadata-token: session-token\r\n");
    must_contain(script_request(2), "/security-credentials/my%2Brole%2Fx HTTP/1.1\r\n");
    must_contain(script_request(2), "\r\nX-aws-ec2-metadata-token: session-token\r\n");
}

static void never_asks_by_version_1(void **state)
{
    (void)state;
    script_add(404, "");
    use_instance();
    must_contain(must_fail(), "; instance: 127.0.0.1:");
    must_contain(must_fail(), "answered 500");
    script_clear();
    script_add(200, "bad token\r\n");
    must_contain(must_fail(), "instance: its token has a line break");
    script_clear();
    script_add(200, "t");
    script_add(404, "");
    must_contain(must_fail(), "instance: the instance has no role");
    assert_int_equal(script_count(), 2);
    script_clear();
    script_add(0, "");
    must_contain(must_fail(), "instance: no answer: this is no EC2 instance");
    assert_int_equal(script_count(), 1);
}

static void reads_settings_of_instances(void **state)
{
    (void)state;
    set("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2");
    script_add(503, "");
    script_add(200, "t");
    script_add(404, "");
    use_instance();
    must_contain(must_fail(), "has no role");
    assert_int_equal(script_count(), 3);
    set("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "many");
    must_contain(must_fail(), "AWS_METADATA_SERVICE_NUM_ATTEMPTS: 'many' is no number from 1");
    set("AWS_METADATA_SERVICE_TIMEOUT", "0");
    must_contain(must_fail(), "AWS_METADATA_SERVICE_TIMEOUT: '0' is no number from 1 to 60");
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "169.254.169.254");
    must_contain(must_fail(), "AWS_EC2_METADATA_SERVICE_ENDPOINT is no http:// or");
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT", NULL);
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5");
    must_contain(must_fail(), "ENDPOINT_MODE is neither IPv4 nor IPv6");
    assert_int_equal(script_count(), 3);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        T(reads_the_environment),
        T(refuses_half_an_environment),
        T(names_all_that_is_absent),
        T(refuses_profiles),
        T(reads_keys_of_a_profile),
        T(assumes_a_role),
        T(assumes_one_role_by_another),
        T(takes_a_web_identity_of_a_profile),
        T(reads_the_token_at_every_call),
        T(tells_what_sts_said),
        T(refuses_settings_of_web_identities),
        T(refuses_answers_of_sts),
        T(asks_the_container_service),
        T(reads_the_pod_identity_token_at_every_call),
        T(refuses_settings_of_containers),
        T(refuses_answers_of_containers),
        T(asks_the_instance_by_version_2),
        T(encodes_the_role),
        T(never_asks_by_version_1),
        T(reads_settings_of_instances),
    };

    return kit_main("credentials", tests, countof(tests));
}
