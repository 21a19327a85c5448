/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 8259 to the letter: documents that must be accepted, and others that must not, each as a body
 * and as the value of a field that the model does not know. Accepted bodies that are no rows are
 * 422. Beyond the grammar we choose: no byte order mark, no lone surrogates, no malformed UTF-8,
 * repeated unknown names pass, numbers of any length and size pass where nothing takes them.
 */
#include "cmocka_all.h"

#include "wire_kit.h"

#include <assert.h>

#define T(text)                \
    {                          \
        text, sizeof(text) - 1 \
    }

/* clang-format off */
static const struct text accepted[] = {
    /* structure */
    T("{}"), T("[]"), T("[[]]"), T("[[],[]]"), T("[{}]"), T("{\"a\":[]}"), T("{\"a\":{}}"), T(" [] "), T("\t[]\r\n"),
    T("[1,2,3]"), T("[ 1 , 2 ]"), T("[\n1\n,\n2\n]"), T("{\"a\":1,\"b\":2}"), T("{ \"a\" : 1 }"), T("{\"\":0}"),
    T("{\"a\":1,\"a\":2}"), T("{\"a\":1,\"a\":1}"), T("{\"a\\u0000b\":1}"), T("{\"a\":{\"b\":{\"c\":[1,{}]}}}"),
    T("{\"min\":-1.0e+28,\"max\":1.0e+28}"), T("{\"title\":\"\\u041f\\u043e\"}"), T("{\"\\u0078\":1}"),
    T("[null,1,\"1\",{}]"), T("[1]\n"), T("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"), T("[\"a\"]"), T("[[] ]"), T("[true,false,null]"),
    /* words and numbers */
    T("true"), T("false"), T("null"), T(" null "), T("0"), T("-0"), T("1"), T("-1"), T("10"), T("123456789"), T("0.5"),
    T("-0.5"), T("1.0"), T("0.0"), T("0e0"), T("0e+1"), T("0E-1"), T("1e5"), T("1E5"), T("1e+5"), T("1e-5"), T("1.5e5"),
    T("1E22"), T("1e00"), T("1e-02"), T("123.456e78"), T("123e65"), T("20e1"), T("-0.000000000000000000000000000000000001"),
    T("100000000000000000000"), T("-237462374673276894279832749832423479823246327846"), T("1.5e+9999"), T("-1e+9999"),
    T("123123e-10000000"), T("0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999999"),
    T("0.30000000000000000000000000000000000000000000000000000000000000000000000000004"), T("4"), T("[-123]"), T("[0,0]"),
    /* strings */
    T("\"\""), T("\" \""), T("\"a\""), T("\"asd \""), T("\"\\\"\""), T("\"\\\\\""), T("\"\\/\""), T("\"\\b\\f\\n\\r\\t\""),
    T("\"\\u0000\""), T("\"\\u001f\""), T("\"\\u0020\""), T("\"\\u0022\""), T("\"\\u005C\""), T("\"\\u00e9\""),
    T("\"\\uFFFF\""), T("\"\\uffff\""), T("\"\\uD801\\uDC37\""), T("\"\\ud83d\\ude39\\ud83d\\udc8d\""), T("\"\\uDBFF\\uDFFF\""),
    T("\"\\u0060\\u012a\\u12AB\""), T("\"\\\\u0000\""), T("\"\\\\a\""), T("\"\\\\n\""), T("\"a/*b*/c\""), T("\"\x7f\""),
    T("\"new\\u000Aline\""), T("\"\\uFDD0\""), T("\"\\u200B\""), T("\"\\u2064\""), T("\"\\uD83F\\uDFFE\""), T("\"\\u0821\""),
    T("\"\xc2\x80\""), T("\"\xc3\xa9\""), T("\"\xdf\xbf\""), T("\"\xe0\xa0\x80\""), T("\"\xe2\x82\xac\""), T("\"\xed\x9f\xbf\""),
    T("\"\xee\x80\x80\""), T("\"\xef\xbf\xbf\""), T("\"\xf0\x90\x80\x80\""), T("\"\xf4\x8f\xbf\xbf\""), T("\"\xe2\x80\xa8\""),
    T("\"\xe2\x80\xa9\""), T("\"\xef\xbb\xbf\""), T("\"\xc2\xa0\""), T("\"seven b\""), T("\"eight by\""), T("\"nine byte\""),
    T("\"sixteen bytes ok\\n\""), T("\"12345678\\\"\""), T("\"1234567\xc3\xa9\""), T("[\"\xf4\x8f\xbf\xbf\",\"a\"]"),
};

static const struct text refused[] = {
    /* structure */
    T(""), T(" "), T("["), T("]"), T("{"), T("}"), T("[}"), T("{]"), T("[]]"), T("{}}"), T("[1"), T("[1,"), T("[1,]"),
    T("[,1]"), T("[,]"), T("[1,,2]"), T("[1 2]"), T("[1:2]"), T("[\"\":1]"), T("[\"a\" \"b\"]"), T("[3[4]]"), T("[1]x"),
    T("[1],"), T("[1][2]"), T("{}{}"), T("{\"a\":1}#"), T("{\"a\""), T("{\"a\":"), T("{\"a\":1"), T("{\"a\":1,"),
    T("{\"a\":1,}"), T("{\"a\":1,,\"b\":2}"), T("{,\"a\":1}"), T("{,}"), T("{\"a\" 1}"), T("{\"a\"::1}"), T("{\"a\",1}"),
    T("{a:1}"), T("{'a':1}"), T("{1:1}"), T("{null:1}"), T("{[]:1}"), T("{\"a\":1 \"b\":2}"), T("{\"a\":}"), T("{:1}"),
    T("{\"a\":1]"), T("[{\"a\":1]"), T("[\"a\",\n4\n,1,"), T("[\"a"), T("{\"a\":\"b"), T("[[["), T("{\"a\":[{"), T("/**/[]"),
    T("[]/**/"), T("[1,//x\n2]"), T("#\n[]"), T("[\v1]"), T("[\f1]"), T("\f[]"), T("[\x01]"), T("[1\x00]"), T("\x00[]"),
    T("[]\x00"), T("\xef\xbb\xbf{}"), T("\xef\xbb\xbf"), T("\xef\xbb{}"), T("\xe2\x81\xa0[]"), T("[\xc2\xa0" "1]"), T("[\xff]"), T("*"),
    T("[*]"), T("<.>"), T("[<null>]"), T("(1)"), T("\xff\xfe[\x00]\x00"), T("\x00[\x00]"), T("`1`"), T("1;"),
    /* words */
    T("True"), T("TRUE"), T("tru"), T("truee"), T("true1"), T("t"), T("fals"), T("f"), T("nul"), T("nullx"), T("n"), T("NULL"),
    T("[tru]"), T("[nul]"), T("[fals]"), T("NaN"), T("nan"), T("-NaN"), T("Infinity"), T("-Infinity"), T("inf"), T("undefined"),
    T("[truefalse]"), T("true false"),
    /* numbers */
    T("+1"), T("++1"), T("-"), T("--1"), T("- 1"), T("-a"), T("01"), T("-01"), T("00"), T("-00"), T("0123"), T("1."), T("-1."),
    T(".5"), T("-.5"), T("1.e5"), T("0.e1"), T("1e"), T("1E"), T("1e+"), T("1e-"), T("1e+-2"), T("1ee2"), T("1.5.5"), T("1e1.5"),
    T("0e"), T("0E+"), T("1.0e"), T("0x1"), T("0x"), T("1f"), T("1L"), T("1_000"), T("1 000"), T("1,000"), T("0.3e"), T("9.e+"),
    T("-2."), T("1+2"), T("1e5e5"), T("\xef\xbc\x91"), T("1a"), T("1e1a"), T("0.1.2"), T("-0x1"), T("1-2"), T("2.e3"), T("2.e-3"),
    T("[1.]"), T("[-]"), T("[-1x]"), T("[0e]"), T("[.2]"), T("[1e]"), T("[012]"), T("[-012]"), T("[1eE2]"), T("[+Inf]"), T("1.\x00"),
    /* strings */
    T("\""), T("\"a"), T("a\""), T("'a'"), T("\"\"\""), T("\"\\"), T("\"\\\""), T("\"\\x41\""), T("\"\\a\""), T("\"\\0\""),
    T("\"\\'\""), T("\"\\v\""), T("\"\\e\""), T("\"\\U0041\""), T("\"\\u\""), T("\"\\u0\""), T("\"\\u00\""), T("\"\\u004\""),
    T("\"\\u00g0\""), T("\"\\u 041\""), T("\"\\u+041\""), T("\"\\u-041\""), T("\"\\u00\xc3\xa9\""), T("\"\\\xc3\xa9\""),
    T("\"\\\x00\""), T("\"a\x00" "b\""), T("\"a\nb\""), T("\"a\tb\""), T("\"a\rb\""), T("\"\x1f\""), T("\"\x01\""), T("\"12345678\x1f\""),
    T("\"\\ud800\""), T("\"\\udc00\""), T("\"\\ud800x\""), T("\"\\ud800\\n\""), T("\"\\ud800\\u0041\""), T("\"\\ud800\\ud800\""),
    T("\"\\udc00\\ud800\""), T("\"\\ud800\\u\""), T("\"\\ud800\\udc0\""), T("\"\\ud800\\"), T("\"\\u00"), T("\"\\ud83d"),
    T("\"\x80\""), T("\"\xbf\""), T("\"\xc0\x80\""), T("\"\xc0\xaf\""), T("\"\xc1\xbf\""), T("\"\xc3\""), T("\"\xc3\x28\""),
    T("\"\xe0\x80\x80\""), T("\"\xe0\x9f\xbf\""), T("\"\xe2\x82\""), T("\"\xe2\x28\xa1\""), T("\"\xed\xa0\x80\""), T("\"\xed\xbf\xbf\""),
    T("\"\xf0\x80\x80\x80\""), T("\"\xf0\x8f\xbf\xbf\""), T("\"\xf0\x9f\x98\""), T("\"\xf4\x90\x80\x80\""), T("\"\xf5\x80\x80\x80\""),
    T("\"\xf8\x88\x80\x80\x80\""), T("\"\xfe\""), T("\"\xff\""), T("\"1234567\xff\""), T("\"\xc3"), T("\"\xf0\x9f"), T("\\u0022a\""),
    T("[\\n]"), T("[\"a\\\n\"]"), T("{\"\\ud800\":1}"), T("{\"\xff\":1}"), T("{\"a\tb\":1}"), T("\\\"a\\\""),
};
/* clang-format on */

static bool is_accepted(struct kit *k, const struct text *document, bool wrapped, struct buf *said)
{
    struct buf body = {0}, out = {0};
    struct body_problem why;

    buf_text(&body, wrapped ? "{\"unknown\":" : "");
    buf_put(&body, document->p, document->len);
    buf_text(&body, wrapped ? ",\"x\":1}" : "");
    unsigned status = kit_body(k, body.data, body.len, &out, &why);
    assert_true(status == 200 || status == 400 || (status == 422 && !wrapped));
    assert_int_equal(status == 400, why.problem != PROBLEM_NONE);
    if (status == 200 && wrapped)
        assert_string_equal(out.data, "{\"x\":1.0}");
    buf_text(said, why.detail);
    buf_done(&body);
    buf_done(&out);
    return status != 400;
}

static void judge(const struct text *documents, size_t n, bool want)
{
    static const struct kit_input input = {"x", TYPE_DOUBLE, true, false};
    struct kit k;

    kit_open(&k, &input, 1, 2);
    for (size_t i = 0; i < n; i++) {
        for (int wrapped = 0; wrapped < 2; wrapped++) {
            struct buf said = {0};
            if (is_accepted(&k, &documents[i], wrapped, &said) != want)
                fail_msg("%s %.*s: %s", wrapped ? "wrapped" : "body", (int)documents[i].len,
                         documents[i].p, said.data);
            buf_done(&said);
        }
    }
    kit_close(&k);
}

static void accepts_what_is_json(void **state)
{
    (void)state;
    judge(accepted, countof(accepted), true);
}

static void refuses_what_is_not(void **state)
{
    (void)state;
    judge(refused, countof(refused), false);
}

/* Every byte alone, and every byte after a backslash. */
static void judges_every_byte(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const char alone = (char)c, escaped[] = {'"', '\\', (char)c, '"'};
        const char inside[] = {'"', (char)c, '"'};
        judge(&(struct text){&alone, 1}, 1, c >= '0' && c <= '9');
        if (c != '"') /* the three bytes in front are a string then, with a quote behind */
            judge(&(struct text){escaped, 4}, 1, c && strchr("\\/bfnrt", (int)c));
        judge(&(struct text){inside, 3}, 1, c >= ' ' && c < 0x80 && c != '"' && c != '\\');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_is_json),
        cmocka_unit_test(refuses_what_is_not),
        cmocka_unit_test(judges_every_byte),
    };

    static_assert(countof(accepted) + countof(refused) >= 300, "a suite");
    return cmocka_run_group_tests_name("json_suite", tests, NULL, NULL);
}
