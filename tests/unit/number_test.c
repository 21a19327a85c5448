/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define countof(a) (sizeof(a) / sizeof *(a))

static uint64_t double_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t random_bits(void) /* SplitMix64 */
{
    static uint64_t state = 20261121;
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static struct number scanned(const char *text)
{
    const char *end = text + strlen(text);
    struct number n;

    if (number_scan(text, end, &n) != end)
        fail_msg("'%s' is a number", text);
    assert_ptr_equal(n.start, text);
    assert_int_equal(n.len, strlen(text));
    return n;
}

/* How many bytes of a text are a number; -1: it does not begin with one. */
static void test_grammar(void **state)
{
    static const struct {
        const char *text;
        int length;
    } cases[] = {
        {"0", 1},       {"-0", 2},
        {"10", 2},      {"1.5", 3},
        {"-0.0e-0", 7}, {"1E+5,", 4},
        {"12 3", 2},    {"1.5.5", 3},
        {"1-1", 1},     {"7}", 1},
        {"", -1},       {"-", -1},
        {"+1", -1},     {"01", -1},
        {"-00", -1},    {".5", -1},
        {"-.5", -1},    {"1.", -1},
        {"1.e5", -1},   {"1e", -1},
        {"1e+", -1},    {"1e-x", -1},
        {"NaN", -1},    {"-Infinity", -1},
        {" 1", -1},     {"\xef\xbc\x91", -1}, /* a digit, but not of ASCII */
    };
    (void)state;

    for (size_t i = 0; i < countof(cases); i++) {
        const char *text = cases[i].text;
        struct number n;
        const char *after = number_scan(text, text + strlen(text), &n);
        int length = after ? (int)(after - text) : -1;
        if (length != cases[i].length)
            fail_msg("'%s': %d", text, length);
    }
}

/* Nothing is read beyond the end. */
static void test_scan_stops_at_end(void **state)
{
    static const char text[] = "12.5e3";
    struct number n;
    (void)state;

    assert_ptr_equal(number_scan(text, text + 2, &n), text + 2);
    assert_int_equal(n.significand, 12);
    assert_null(number_scan(text, text + 3, &n));
    assert_null(number_scan(text, text + 5, &n));
    assert_null(number_scan(text, text, &n));
}

/* Digits are looked at eight at a time: any other byte ends them, at any place. */
static void test_any_byte_ends_digits(void **state)
{
    static const char digits[] = "987654321987654321", rest[] = "123456789";
    (void)state;

    for (size_t n = 1; n < sizeof digits; n++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[sizeof digits + sizeof rest];
            struct number got;
            if (byte < 0x80 && strchr("0123456789.eE", (int)byte))
                continue;
            memcpy(text, digits, n);
            text[n] = (char)byte;
            memcpy(text + n + 1, rest, sizeof rest);
            char *end = strndup(digits, n);
            assert_non_null(end);
            assert_ptr_equal(number_scan(text, text + n + sizeof rest, &got), text + n);
            if (got.significand != strtoull(end, NULL, 10))
                fail_msg("%s before byte 0x%02x: %llu", end, byte,
                         (unsigned long long)got.significand);
            assert_int_equal(got.len, n);
            free(end);
        }
    }
}

static void test_read_double(void **state)
{
    static const struct {
        const char *text;
        double want;
    } cases[] = {
        {"0", 0.0},
        {"-0", -0.0},
        {"-0.0e5", -0.0},
        {"0e999", 0.0},
        {"-1", -1.0},
        {"0.1", 0.1},
        {"1e22", 0x1.0f0cf064dd592p+73},
        {"1e23", 0x1.52d02c7e14af6p+76},
        {"9007199254740993", 0x1p53},
        {"9007199254740993.0000000000000000000000001", 0x1.0000000000001p53},
        {"9007199254740995", 0x1.0000000000002p53},
        {"90071992547409930e-1", 0x1p53},
        {"179769313486231570814527423731704356798070567525844996598917e249",
         0x1.fffffffffffffp1023},
        {"1.7976931348623158e308", 0x1.fffffffffffffp1023},
        {"1.7976931348623159e308", (double)INFINITY},
        {"-1e309", -(double)INFINITY},
        {"1e99999999999999999999999999", (double)INFINITY},
        {"2.2250738585072011e-308", 0x1.ffffffffffffep-1023},
        {"2.2250738585072012e-308", 0x1p-1022},
        {"5e-324", 0x1p-1074},
        {"2.4703282292062327e-324", 0.0},
        {"2.4703282292062328e-324", 0x1p-1074},
        {"2.47032822920623272088284396434110687e-324", 0x1p-1074},
        {"2.47032822920623272088284396434110686e-324", 0.0},
        {"1e-400", 0.0},
        {"-1e-99999999999999999999999999", -0.0},
    };
    (void)state;

    for (size_t i = 0; i < countof(cases); i++) {
        struct number n = scanned(cases[i].text);
        double got = number_to_double(&n);
        if (double_bits(got) != double_bits(cases[i].want))
            fail_msg("%s: %a", cases[i].text, got);
    }
}

/* A float is rounded once: each of the middle ones would come out differently by way of a double.
 */
static void test_read_float(void **state)
{
    static const struct {
        const char *text;
        float want;
    } cases[] = {
        {"-0", -0.0f},
        {"0.1", 0.1f},
        {"1.000000059604644775390625", 1.0f},
        {"1.00000005960464477539062501", 0x1.000002p0f},
        {"1.00000017881393432617187499", 0x1.000002p0f},
        {"16777217.0000000000001", 0x1.000002p24f},
        {"3.4028235677973367e38", INFINITY},
        {"3.4028235677973366e38", 0x1.fffffep127f},
        {"-1e39", -INFINITY},
        {"1e-45", 0x1p-149f},
        {"7.006492321624085e-46", 0.0f},
        {"7.006492321624086e-46", 0x1p-149f},
        {"1e-60", 0.0f},
    };
    (void)state;

    for (size_t i = 0; i < countof(cases); i++) {
        struct number n = scanned(cases[i].text);
        float got = number_to_float(&n);
        if (float_bits(got) != float_bits(cases[i].want))
            fail_msg("%s: %a", cases[i].text, (double)got);
    }
}

static void test_long_texts(void **state)
{
    static char text[3000];
    struct number n;
    int64_t integer;
    (void)state;

    /* Two thousand zeros on either side of the point, made up for by the exponent. */
    int length = snprintf(text, sizeof text, "0.%02000d25e2001", 0);
    assert_in_range(length, 2000, sizeof text - 1);
    n = scanned(text);
    assert_true(number_to_double(&n) == 2.5);
    length = snprintf(text, sizeof text, "41%02000de-2000", 0);
    assert_in_range(length, 2000, sizeof text - 1);
    n = scanned(text);
    assert_true(number_to_double(&n) == 41.0);
    assert_true(number_to_int64(&n, &integer));
    assert_int_equal(integer, 41);
    /* The digit that decides is far behind all that the exact way takes in. */
    length = snprintf(text, sizeof text, "9007199254740993.%02000d1", 0);
    assert_in_range(length, 2000, sizeof text - 1);
    n = scanned(text);
    assert_true(number_to_double(&n) == 0x1.0000000000001p53);
    assert_false(number_to_int64(&n, &integer));
}

static void test_read_integer(void **state)
{
    static const struct {
        const char *text;
        bool fits;
        int64_t want;
    } cases[] = {
        {"41", true, 41},
        {"41.0", true, 41},
        {"4.1e1", true, 41},
        {"-4100e-2", true, -41},
        {"100e-2", true, 1},
        {"1e18", true, INT64_C(1000000000000000000)},
        {"9007199254740993", true, INT64_C(9007199254740993)},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808.000", true, INT64_MIN},
        {"0.09223372036854775807e20", true, INT64_MAX},
        {"10000000000000000000000000000e-28", true, 1},
        {"1.00000000000000000000000000000", true, 1},
        {"-0", true, 0},
        {"0e999", true, 0},
        {"0.000e-999", true, 0},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"1e19", false, 0},
        {"18446744073709551617", false, 0},
        {"36893488147419103233", false, 0},
        {"0.5", false, 0},
        {"1e-1", false, 0},
        {"1e-400", false, 0},
        {"1e400", false, 0},
        {"1.00000000000000000000000000001", false, 0},
    };
    (void)state;

    for (size_t i = 0; i < countof(cases); i++) {
        struct number n = scanned(cases[i].text);
        int64_t got = -99;
        bool fits = number_to_int64(&n, &got);
        if (fits != cases[i].fits || got != (fits ? cases[i].want : -99))
            fail_msg("%s: %d %lld", cases[i].text, fits, (long long)got);
    }
}

static void assert_text(const char *out, unsigned length, const char *want)
{
    if (length != strlen(want) || memcmp(out, want, length) != 0)
        fail_msg("got %.*s, want %s", (int)length, out, want);
}

static void test_write_double(void **state)
{
    static const struct {
        double x;
        const char *want;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {41.0, "41.0"},
        {-0.5, "-0.5"},
        {0.1 + 0.2, "0.30000000000000004"},
        {123.456, "123.456"},
        {1e-5, "0.00001"},
        {-1.2345678901234567e-5, "-0.000012345678901234568"},
        {0x1.4f8b588e368f0p-17, "9.999999999999999e-6"},
        {1e16, "10000000000000000.0"},
        {0x1.6345785d89fffp+56, "99999999999999980.0"},
        {1e17, "1.0e17"},
        {1e23, "1.0e23"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740992.0, "9007199254740992.0"},
        {9007199254740994.0, "9007199254740994.0"},
        {0x1p-44, "5.684341886080802e-14"},
        {0x1p-1074, "5.0e-324"},
        {0x1p-1022, "2.2250738585072014e-308"},
        {-0x1.fffffffffffffp1023, "-1.7976931348623157e308"},
        {(double)NAN, "\"NaN\""},
        {(double)INFINITY, "\"Infinity\""},
        {-(double)INFINITY, "\"-Infinity\""},
    };
    (void)state;

    for (size_t i = 0; i < countof(cases); i++) {
        char out[NUMBER_MAX];
        assert_text(out, number_put_double(out, cases[i].x), cases[i].want);
    }
}

static void test_write_float(void **state)
{
    static const struct {
        float x;
        const char *want;
    } cases[] = {
        {-0.0f, "-0.0"},
        {0.1f, "0.1"},
        {1e-5f, "0.00001"},
        {16777216.0f, "16777216.0"},
        {33554432.0f, "33554432.0"},
        {3.3e10f, "33000000000.0"},
        {1e17f, "1.0e17"},
        {0x1p-149f, "1.0e-45"},
        {0x1.fffffep127f, "3.4028235e38"},
        {NAN, "\"NaN\""},
        {-INFINITY, "\"-Infinity\""},
    };
    (void)state;

    for (size_t i = 0; i < countof(cases); i++) {
        char out[NUMBER_MAX];
        assert_text(out, number_put_float(out, cases[i].x), cases[i].want);
    }
}

static void test_write_integer(void **state)
{
    static const int64_t edges[] = {0, 9, 10, -10, 99, 100, INT64_MAX, INT64_MIN};
    (void)state;

    for (int i = 0; i < 100000; i++) {
        int64_t x = (int64_t)random_bits() >> random_bits() % 64;
        char out[NUMBER_MAX], want[NUMBER_MAX];
        x = (size_t)i < countof(edges) ? edges[i] : x;
        assert_in_range(snprintf(want, sizeof want, "%lld", (long long)x), 1, 20);
        assert_text(out, number_put_int64(out, x), want);
    }
}

/* Bits that meet the edges of a format often: few bits, powers of two and their neighbours,
 * anything. */
static uint64_t awkward(int width)
{
    uint64_t bits = random_bits() >> (64 - width);

    switch (random_bits() % 4) {
    case 0: return bits;
    case 1: return bits >> random_bits() % (unsigned)width;
    case 2: return (bits >> (width * 3 / 4) << (width * 3 / 4)) + random_bits() % 3 - 1;
    default: return bits & (bits << 7);
    }
}

/* Written and read back each value keeps its bits; no text with a digit less would; and the C
 * library agrees on what the text means. */
static void test_double_round_trips(void **state)
{
    (void)state;

    for (int i = 0; i < 300000; i++) {
        double x = double_of(awkward(64) & (UINT64_MAX >> 1));
        char out[NUMBER_MAX + 1] = {0}, shorter[64];
        if (!isfinite(x))
            continue;
        unsigned length = number_put_double(out, x);
        assert_in_range(length, 3, NUMBER_MAX);
        out[length] = '\0';
        struct number n = scanned(out);
        if (double_bits(number_to_double(&n)) != double_bits(x) || strtod(out, NULL) != x)
            fail_msg("%a: %s", x, out);
        int digits = 0;
        for (uint64_t v = n.significand; v != 0; v /= 10)
            digits += v % 10 != 0 || digits > 0;
        if (digits < 2)
            continue;
        assert_in_range(snprintf(shorter, sizeof shorter, "%.*e", digits - 2, x), 1,
                        sizeof shorter);
        if (strtod(shorter, NULL) == x)
            fail_msg("%s is longer than %s", out, shorter);
    }
}

static void test_float_round_trips(void **state)
{
    (void)state;

    for (uint64_t bits = 0; bits < UINT64_C(0x7f800000); bits += 1 + random_bits() % 8000) {
        float x = float_of((uint32_t)bits);
        char out[NUMBER_MAX + 1] = {0};
        unsigned length = number_put_float(out, x);
        out[length] = '\0';
        struct number n = scanned(out);
        if (float_bits(number_to_float(&n)) != bits || float_bits(strtof(out, NULL)) != bits)
            fail_msg("%a: %s", (double)x, out);
    }
}

/* Long digit strings around the middle of two neighbours, against the C library. */
static void test_middles(void **state)
{
    (void)state;

    for (int i = 0; i < 20000; i++) {
        double low = double_of(awkward(62)), high = nextafter(low, (double)INFINITY);
        char text[1200];
        long double middle = ((long double)low + (long double)high) / 2;
        int length = snprintf(text, sizeof text, "%.*Le", (int)(random_bits() % 790), middle);
        assert_in_range(length, 1, sizeof text - 1);
        if (!isfinite(high))
            continue;
        struct number n = scanned(text);
        if (double_bits(number_to_double(&n)) != double_bits(strtod(text, NULL)))
            fail_msg("%s", text);
        if (float_bits(number_to_float(&n)) != float_bits(strtof(text, NULL)))
            fail_msg("float %s", text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_scan_stops_at_end),
        cmocka_unit_test(test_any_byte_ends_digits),
        cmocka_unit_test(test_read_double),
        cmocka_unit_test(test_read_float),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_read_integer),
        cmocka_unit_test(test_write_double),
        cmocka_unit_test(test_write_float),
        cmocka_unit_test(test_write_integer),
        cmocka_unit_test(test_double_round_trips),
        cmocka_unit_test(test_float_round_trips),
        cmocka_unit_test(test_middles),
    };

    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
