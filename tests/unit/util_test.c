/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "scored/arena.h"
#include "scored/buf.h"
#include "scored/clock.h"
#include "scored/crypto.h"
#include "scored/decimal.h"
#include "scored/dict.h"
#include "scored/err.h"
#include "scored/hex.h"
#include "scored/problem.h"
#include "scored/utf8.h"

#include <stdio.h>

static void errors_gather_context(void **state)
{
    struct err e = {0};
    char longer[2000];

    (void)state;
    assert_false(err_set(&e, ERR_BAD_BUNDLE, "no %s", "p"));
    assert_false(err_wrap(&e, "stage %d", 3));
    assert_string_equal(e.msg, "stage 3: no p");
    assert_int_equal(e.code, ERR_BAD_BUNDLE);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    err_wrap(&e, "%s", longer);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);
}

static void arena_aligns_and_refuses(void **state)
{
    struct arena a = {0};

    (void)state;
    char *c = arena_new(&a, char, 1);
    double *d = arena_new(&a, double, 3);
    assert_non_null(c);
    assert_int_equal((uintptr_t)d % alignof(double), 0);
    assert_true(d[0] == 0 && d[2] == 0);
    assert_null(arena_new(&a, double, SIZE_MAX / 4));
    char *large = arena_new(&a, char, 1 << 20);
    assert_non_null(large);
    char *next = arena_new(&a, char, 8); /* still from the first chunk */
    assert_true(next > c && next < c + 64 * 1024);
    assert_int_equal((uintptr_t)arena_alloc(&a, 1, 1, 64) % 64, 0);
    assert_string_equal(arena_copy(&a, "abc", 3), "abc");
    arena_done(&a);
    assert_null(a.chunks);
}

static void buf_writes_json_strings(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_json_string(&b, "a\"\\\n\x01\x7f", 6);
    assert_string_equal(b.data, "\"a\\\"\\\\\\n\\u0001\x7f\"");
    buf_reset(&b);
    for (int i = 0; i < 1000; i++)
        buf_u64(&b, 7);
    assert_int_equal(b.len, 1000);
    buf_reset(&b);
    buf_u64(&b, UINT64_MAX);
    buf_printf(&b, "/%d", -5);
    assert_string_equal(b.data, "18446744073709551615/-5");
    assert_null(buf_reserve(&b, SIZE_MAX - 1));
    assert_true(b.failed);
    buf_lit(&b, "dropped");
    assert_string_equal(b.data, "18446744073709551615/-5");
    buf_done(&b);
}

static const struct {
    const char *text;
    size_t n, valid;
} utf8_cases[] = {
    {"abc", 3, 3},
    {"abcdefgh\xc3\xa9", 10, 10},
    {"\xc0\x80", 2, 0},     /* overlong */
    {"\xe0\x9f\xbf", 3, 0}, /* overlong */
    {"\xed\xa0\x80", 3, 0}, /* a surrogate */
    {"\xed\x9f\xbf", 3, 3},
    {"\xf0\x9f\x98\x80", 4, 4},
    {"\xf4\x90\x80\x80", 4, 0}, /* beyond U+10FFFF */
    {"a\xe2\x82", 3, 1},        /* cut */
    {"ab\xff", 3, 2},
};

static void utf8_is_strict(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(utf8_cases); i++)
        assert_int_equal(utf8_valid(utf8_cases[i].text, utf8_cases[i].n), utf8_cases[i].valid);
    for (uint32_t code = 1; code < 0x110000; code += 7) {
        char out[4];
        if (code >= 0xd800 && code < 0xe000)
            continue;
        unsigned n = utf8_put(out, code);
        assert_int_equal(utf8_sequence(out, n), n);
        assert_int_equal(utf8_sequence(out, n - 1), 0);
    }
}

static void dict_finds_every_key(void **state)
{
    enum { N = 5000 };
    struct arena a = {0};
    struct dict d;
    struct text *keys = arena_new(&a, struct text, N);
    char name[40];

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        int n = snprintf(name, sizeof name, "%.*s%u", (int)(i % 30),
                         "abcdefghijklmnopqrstuvwxyzabcdef", i);
        keys[i] = (struct text){arena_copy(&a, name, (size_t)n), (uint32_t)n};
    }
    assert_true(dict_build(&d, keys, N, &a));
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(dict_find(&d, keys[i].p, keys[i].len), i);
    assert_int_equal(dict_find(&d, "absent", 6), DICT_NONE);
    assert_int_equal(dict_find(&d, "", 0), DICT_NONE);
    struct text twice[] = {{"x", 1}, {"", 0}, {"x", 1}};
    assert_true(dict_build(&d, twice, 3, &a));
    assert_int_equal(dict_find(&d, "x", 1), 2); /* the last of equal ones */
    assert_int_equal(dict_find(&d, "", 0), 1);
    assert_true(dict_build(&d, NULL, 0, &a));
    assert_int_equal(dict_find(&d, "x", 1), DICT_NONE);
    arena_done(&a);
}

static void bits_dict_finds_bits(void **state)
{
    struct arena a = {0};
    struct bits_dict d;
    const uint64_t keys[] = {0, UINT64_C(1) << 63, 7, 0};
    const uint32_t values[] = {4, 5, 6, 9};

    (void)state;
    assert_true(bits_dict_build(&d, keys, values, 4, &a));
    assert_int_equal(bits_dict_find(&d, 0), 9);
    assert_int_equal(bits_dict_find(&d, UINT64_C(1) << 63), 5);
    assert_int_equal(bits_dict_find(&d, 8), DICT_NONE);
    arena_done(&a);
}

static void hex_goes_both_ways(void **state)
{
    const unsigned char bytes[] = {0x00, 0x9f, 0xa0, 0xff};
    const char *const wrong[] = {"009fa0f",  "009fa0fg", "009fa0f/",
                                 "009fa0f:", "009fa0f`", "009fa0f@"};
    char text[9], number[] = "............";
    unsigned char back[4];

    (void)state;
    hex_text(bytes, sizeof bytes, text);
    assert_string_equal(text, "009fa0ff");
    hex_number(0x123456789abcdef0, 5, number + 1);
    assert_string_equal(number, ".789abcdef0.");
    assert_true(hex_read("009FA0fF", sizeof back, back));
    assert_memory_equal(back, bytes, sizeof bytes);
    for (size_t i = 0; i < countof(wrong); i++)
        assert_false(hex_read(wrong[i], sizeof back, back));
    assert_true(hex_is("009fa0ff", 8) && hex_is("", 0));
    assert_false(hex_is("009fa0ff", 7) || hex_is("009fa0ff", 9) || hex_is("009fa0fF", 8) ||
                 hex_is("x", 0));
}

static void small_things(void **state)
{
    char text[CLOCK_TEXT], hex[SHA256_HEX + 1];
    struct err e;

    (void)state;
    clock_text(1700000000123, text);
    assert_string_equal(text, "2023-11-14T22:13:20.123Z");
    assert_true(sha256_hex("abc", 3, hex, &e));
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(problem_status(PROBLEM_WRONG_TYPE), 422);
    assert_string_equal(problem_urn(PROBLEM_TOO_LARGE), "urn:scored:too-large");
}

static void decimals_are_strict(void **state)
{
    static const char *const wrong[] = {
        "",
        " ",
        "+1",
        "-1",
        "0x10",
        "1e3",
        "1 ",
        " 1",
        "1\n",
        "1x",
        "1,000",
        "1_000",
        "\xd9\xa1",
        "nan",
        "1.0",
        "99999999999999999999",
        "18446744073709551616",
        "-18446744073709551615",
        "4",
        "101",
    };
    uint64_t n = 7;
    uint16_t port = 7;

    (void)state;
    for (size_t i = 0; i < countof(wrong); i++)
        assert_false(decimal_read(wrong[i], strlen(wrong[i]), 5, 100, &n));
    assert_false(decimal_read("1\0", 2, 0, 100, &n));
    assert_int_equal(n, 7);
    assert_true(decimal_read("5", 1, 5, 100, &n) && n == 5);
    assert_true(decimal_read("0100x", 4, 5, 100, &n) && n == 100);
    assert_true(decimal_read("18446744073709551615", 20, 0, UINT64_MAX, &n) && n == UINT64_MAX);
    assert_false(decimal_port("65536", &port) || decimal_port("99999", &port));
    assert_true(decimal_port("65535", &port) && port == 65535);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_gather_context),
        cmocka_unit_test(arena_aligns_and_refuses),
        cmocka_unit_test(buf_writes_json_strings),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(dict_finds_every_key),
        cmocka_unit_test(bits_dict_finds_bits),
        cmocka_unit_test(decimals_are_strict),
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(small_things),
    };
    return cmocka_run_group_tests_name("util", tests, NULL, NULL);
}
