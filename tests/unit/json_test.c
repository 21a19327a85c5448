/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "scored/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct json_limits limits = {.bytes = 200, .depth = 4, .number = 10};

/* want: part of the error, or NULL where the text is accepted. */
static const struct json_case {
    const char *text, *want;
} cases[] = {
    {"{}", NULL},
    {" [1, -0, 1.5e+3, \"x\", true, false, null] ", NULL},
    {"\"\\ud83d\\ude00\"", NULL},
    {"{\"a\":1,\"b\":{\"a\":2}}", NULL},
    {"", "a value is missing"},
    {"[1,]", "a value is missing"},
    {"{\"a\":1,}", "a key is missing"},
    {"{\"a\" 1}", "':' is missing"},
    {"[1 2]", "',' or the end"},
    {"[1}", "',' or the end"},
    {"{} x", "something follows"},
    {"01", "something follows"},
    {"-", "a digit is missing"},
    {"1.", "a digit is missing"},
    {"1e", "a digit is missing"},
    {"+1", "a value is missing"},
    {"NaN", "a value is missing"},
    {"nul", "a value is missing"},
    {"12345678901", "a number is too long"},
    {"\"a", "does not end"},
    {"\"\t\"", "control character"},
    {"\"\xff\"", "malformed UTF-8"},
    {"\"\\x\"", "unknown escape"},
    {"\"\\u12g4\"", "four hex digits"},
    {"\"\\u0000\"", "\\u0000"},
    {"\"\\ud83d\"", "surrogate is alone"},
    {"\"\\ude00\"", "surrogate is alone"},
    {"\"\\ud83d\\u0041\"", "surrogate is alone"},
    {"{\"a\":1,\"a\":2}", "a key stands twice"},
    {"{\"a\":1,\"\\u0061\":2}", "a key stands twice"},
    {"{\"a\":[{\"a\":1}],\"b\":2,\"a\":3}", "a key stands twice"},
    {"[[[[[1]]]]]", "nested too deeply"},
    {"\xef\xbb\xbf{}", "a value is missing"},
};

static void one_case(void **state)
{
    const struct json_case *c = *state;
    struct err e = {0};
    struct json_doc *doc = json_parse(c->text, strlen(c->text), &limits, &e);

    if (c->want) {
        assert_null(doc);
        assert_non_null(strstr(e.msg, c->want));
    } else {
        assert_non_null(doc);
    }
    json_free(doc);
}

static void getters_name_the_place(void **state)
{
    const char *text = "{\"a\":{\"n\":3,\"s\":\"x\",\"l\":[1,\"y\"],\"d\":\"-Infinity\"}}";
    struct err e = {0};
    struct json_doc *doc = json_parse(text, strlen(text), &limits, &e);
    struct json root = json_root(doc), a, l;
    struct json_iter it = {0};
    uint32_t n;
    double d;
    const char *s;

    (void)state;
    assert_true(json_get_object(&root, "a", &a, &e));
    assert_true(json_get_u32(&a, "n", 3, &n, &e) && n == 3);
    assert_false(json_get_u32(&a, "n", 2, &n, &e));
    assert_string_equal(e.msg, "a.n: must be at most 2");
    assert_false(json_get_string(&a, "n", &s, &e));
    assert_string_equal(e.msg, "a.n: must be a string");
    assert_false(json_get_string(&a, "z", &s, &e));
    assert_string_equal(e.msg, "a: missing key 'z'");
    assert_true(json_get_double(&a, "d", &d, &e) && isinf(d) && d < 0);
    assert_true(json_get_array(&a, "l", &l, &e));
    assert_int_equal(json_size(&l), 2);
    assert_true(json_next(&l, &it) && json_as_u32(&it.value, 9, &n, &e));
    assert_true(json_next(&l, &it));
    assert_false(json_as_u32(&it.value, 9, &n, &e));
    assert_string_equal(e.msg, "a.l[1]: must be an integer");
    assert_false(json_next(&l, &it));
    assert_false(json_only(&a, (const char *const[]){"n", "s", "l", NULL}, &e));
    assert_string_equal(e.msg, "a: unknown key 'd'");
    json_free(doc);
}

/* Each of these is lost by a printer of doubles: the last bit, an integer above 2^53, a fraction
 * that says the type, an exponent. */
static void numbers_are_printed_as_they_came(void **state)
{
    const char *text = "{\"a\":[4.210000502437869,0.9999999999999998,-9007199254740993],\"2e5\":"
                       "{\"x \\\" 7.50\":980.0,\"s\":\"1.50\"},\"b\":[1e-320,-0,-0.0,7,true,null]}";
    const struct json_limits wide = {.bytes = 400, .depth = 4, .number = 40};
    struct err e = {0};
    struct json_doc *doc = json_parse(text, strlen(text), &wide, &e);

    (void)state;
    assert_non_null(doc);
    struct json root = json_root(doc);
    char *printed = json_print(&root);
    assert_string_equal(printed, text);
    free(printed);
    json_free(doc);
}

int main(void)
{
    enum { N = sizeof cases / sizeof cases[0] };
    struct CMUnitTest tests[N + 2];

    for (size_t i = 0; i < N; i++)
        tests[i] =
            (struct CMUnitTest){cases[i].text, one_case, NULL, NULL, (void *)(uintptr_t)&cases[i]};
    tests[N] = (struct CMUnitTest)cmocka_unit_test(getters_name_the_place);
    tests[N + 1] = (struct CMUnitTest)cmocka_unit_test(numbers_are_printed_as_they_came);
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
