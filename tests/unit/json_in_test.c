/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "../../src/wire/moment.h"
#include "wire_kit.h"

/* What a field "x" of a type makes of a JSON value: the answer's value, or "!" and what the reply
 * must contain. */
static const struct one {
    enum type type;
    const char *in, *want;
} ones[] = {
    {TYPE_BOOLEAN, "true", "true"},
    {TYPE_BOOLEAN, "false", "false"},
    {TYPE_BOOLEAN, "null", "null"},
    {TYPE_BOOLEAN, "1", "!wrong-type"},
    {TYPE_BOOLEAN, "\"true\"", "!expected a boolean, got a string in field \\\"x\\\""},
    {TYPE_BOOLEAN, "[true]", "!got an array"},
    {TYPE_BOOLEAN, "{\"a\":[{}]}", "!got an object"},
    {TYPE_TINYINT, "127", "127"},
    {TYPE_TINYINT, "-128", "-128"},
    {TYPE_TINYINT, "128", "!out-of-range"},
    {TYPE_TINYINT, "-129", "!out-of-range"},
    {TYPE_SMALLINT, "32767", "32767"},
    {TYPE_SMALLINT, "-32768", "-32768"},
    {TYPE_SMALLINT, "32768", "!out-of-range"},
    {TYPE_SMALLINT, "-32769", "!out-of-range"},
    {TYPE_INT, "41", "41"},
    {TYPE_INT, "41.0", "41"},
    {TYPE_INT, "4.1e1", "41"},
    {TYPE_INT, "410E-1", "41"},
    {TYPE_INT, "-0", "0"},
    {TYPE_INT, "0e999999999999", "0"},
    {TYPE_INT, "2147483647", "2147483647"},
    {TYPE_INT, "-2147483648", "-2147483648"},
    {TYPE_INT, "2147483648", "!out-of-range"},
    {TYPE_INT, "-2147483649", "!out-of-range"},
    {TYPE_INT, "41.5", "!a number with a fraction"},
    {TYPE_INT, "1e-1", "!wrong-type"},
    {TYPE_INT, "1e999", "!out-of-range"},
    {TYPE_INT, "\"41\"", "!wrong-type"},
    {TYPE_INT, "\"NaN\"", "!wrong-type"},
    {TYPE_INT, "true", "!got a boolean"},
    {TYPE_INT, "null", "null"},
    {TYPE_INT, "[]", "!got an array"},
    {TYPE_INT, "{}", "!got an object"},
    {TYPE_DECIMAL, "12.5", "\"12.50\""}, /* of 10 digits, 2 behind the point */
    {TYPE_DECIMAL, "-12.34", "\"-12.34\""},
    {TYPE_DECIMAL, "0", "\"0.00\""},
    {TYPE_DECIMAL, "-0.0", "\"0.00\""},
    {TYPE_DECIMAL, "0.05", "\"0.05\""},
    {TYPE_DECIMAL, "-0.01", "\"-0.01\""},
    {TYPE_DECIMAL, "100", "\"100.00\""},
    {TYPE_DECIMAL, "1e2", "\"100.00\""},
    {TYPE_DECIMAL, "1020e-1", "\"102.00\""},
    {TYPE_DECIMAL, "1.0200E2", "\"102.00\""},
    {TYPE_DECIMAL, "0.00000000000000000000125e21", "\"1.25\""},
    {TYPE_DECIMAL, "7.10000000000000000000000000000000000000000000", "\"7.10\""},
    {TYPE_DECIMAL, "99999999.99", "\"99999999.99\""},
    {TYPE_DECIMAL, "\"99999999.99\"", "\"99999999.99\""},
    {TYPE_DECIMAL, "\"-3\"", "\"-3.00\""},
    {TYPE_DECIMAL, "0e999999999999999999999", "\"0.00\""},
    {TYPE_DECIMAL, "null", "null"},
    {TYPE_DECIMAL, "100000000", "!a number beyond its range"},
    {TYPE_DECIMAL, "1e8", "!out-of-range"},
    {TYPE_DECIMAL, "1e999999999999999999999", "!out-of-range"},
    {TYPE_DECIMAL, "1e-999999999999999999999", "!out-of-range"},
    {TYPE_DECIMAL, "0.005", "!one with more digits behind the point than its type has"},
    {TYPE_DECIMAL, "123456789.001", "!a number beyond its range"},
    {TYPE_DECIMAL, "\"\"", "!another text"},
    {TYPE_DECIMAL, "\"1,5\"", "!wrong-type"},
    {TYPE_DECIMAL, "\"01\"", "!wrong-type"},
    {TYPE_DECIMAL, "\"NaN\"", "!wrong-type"},
    {TYPE_DECIMAL, "\" 1\"", "!wrong-type"},
    {TYPE_DECIMAL, "true", "!got a boolean"},
    {TYPE_DATE, "\"2026-11-27\"", "\"2026-11-27\""},
    {TYPE_DATE, "\"0001-01-01\"", "\"0001-01-01\""},
    {TYPE_DATE, "\"1582-10-10\"", "\"1582-10-10\""},
    {TYPE_DATE, "\"1970-01-01\"", "\"1970-01-01\""},
    {TYPE_DATE, "\"2000-02-29\"", "\"2000-02-29\""},
    {TYPE_DATE, "\"9999-12-31\"", "\"9999-12-31\""},
    {TYPE_DATE, "null", "null"},
    {TYPE_DATE, "\"1900-02-29\"", "!expected a date as \\\"2026-11-27\\\", got another text"},
    {TYPE_DATE, "\"2026-13-01\"", "!wrong-type"},
    {TYPE_DATE, "\"2026-00-01\"", "!wrong-type"},
    {TYPE_DATE, "\"2026-04-31\"", "!wrong-type"},
    {TYPE_DATE, "\"2026-04-00\"", "!wrong-type"},
    {TYPE_DATE, "\"0000-01-01\"", "\"0000-01-01\""},
    {TYPE_DATE, "\"+10000-01-01\"", "\"+10000-01-01\""},
    {TYPE_DATE, "\"-0001-12-31\"", "\"-0001-12-31\""},
    {TYPE_DATE, "\"+5881580-07-11\"", "\"+5881580-07-11\""},
    {TYPE_DATE, "\"-5877641-06-23\"", "\"-5877641-06-23\""},
    {TYPE_DATE, "\"+5881580-07-12\"", "!wrong-type"},
    {TYPE_DATE, "\"-5877641-06-22\"", "!wrong-type"},
    {TYPE_DATE, "\"10000-01-01\"", "!wrong-type"},
    {TYPE_DATE, "\"+2026-01-01\"", "!wrong-type"},
    {TYPE_DATE, "\"+02026-01-01\"", "!wrong-type"},
    {TYPE_DATE, "\"-0000-01-01\"", "!wrong-type"},
    {TYPE_DATE, "\"-001-01-01\"", "!wrong-type"},
    {TYPE_DATE, "\"+99999999-01-01\"", "!wrong-type"},
    {TYPE_DATE, "\"2026-1-1\"", "!wrong-type"},
    {TYPE_DATE, "\"2026-11-27 \"", "!wrong-type"},
    {TYPE_DATE, "\"20261127\"", "!wrong-type"},
    {TYPE_DATE, "\"\"", "!wrong-type"},
    {TYPE_DATE, "20261127", "!got a number"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:34:56Z\"", "\"2026-11-27T12:34:56Z\""},
    {TYPE_TIMESTAMP, "\"2026-11-27t12:34:56.120z\"", "\"2026-11-27T12:34:56.12Z\""},
    {TYPE_TIMESTAMP, "\"2026-11-27 00:30:00+01:00\"", "\"2026-11-26T23:30:00Z\""},
    {TYPE_TIMESTAMP, "\"2026-12-31T23:00:00-05:30\"", "\"2027-01-01T04:30:00Z\""},
    {TYPE_TIMESTAMP, "\"1969-12-31T23:59:59.999999Z\"", "\"1969-12-31T23:59:59.999999Z\""},
    {TYPE_TIMESTAMP, "\"0001-01-01T00:00:00Z\"", "\"0001-01-01T00:00:00Z\""},
    {TYPE_TIMESTAMP, "\"9999-12-31T23:59:59-18:00\"", "\"+10000-01-01T17:59:59Z\""},
    {TYPE_TIMESTAMP, "\"0001-01-01T00:00:00+18:00\"", "\"0000-12-31T06:00:00Z\""},
    {TYPE_TIMESTAMP, "\"+10000-01-01T17:59:59Z\"", "\"+10000-01-01T17:59:59Z\""},
    {TYPE_TIMESTAMP, "\"+5881580-01-01T00:00:00Z\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:34:56\"", "!wrong-type"}, /* whose time? */
    {TYPE_TIMESTAMP, "\"2026-11-27T12:34:56.1234567Z\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:34:56.Z\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T24:00:00Z\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:60:00Z\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:00:60Z\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:00:00+19:00\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:00:00Zx\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "\"2026-11-27T12:00\\u0000\"", "!wrong-type"},
    {TYPE_TIMESTAMP, "1", "!got a number"},
    {TYPE_BIGINT, "9007199254740993", "9007199254740993"},
    {TYPE_BIGINT, "9223372036854775807", "9223372036854775807"},
    {TYPE_BIGINT, "-9223372036854775808", "-9223372036854775808"},
    {TYPE_BIGINT, "9223372036854775808", "!out-of-range"},
    {TYPE_BIGINT, "-9223372036854775809", "!out-of-range"},
    {TYPE_BIGINT, "922337203685477580.7e1", "9223372036854775807"},
    {TYPE_FLOAT, "0.1", "0.1"},
    {TYPE_FLOAT, "-0", "-0.0"},
    {TYPE_FLOAT, "16777217", "16777216.0"},
    /* through double it would be rounded twice, to the even neighbour below */
    {TYPE_FLOAT, "1.00000005960464477540", "1.0000001"},
    {TYPE_FLOAT, "3.5e38", "!out-of-range"},
    {TYPE_FLOAT, "\"NaN\"", "\"NaN\""},
    {TYPE_FLOAT, "\"-Infinity\"", "\"-Infinity\""},
    {TYPE_FLOAT, "\"0.1\"", "!wrong-type"},
    {TYPE_FLOAT, "false", "!expected a float, got a boolean"},
    {TYPE_FLOAT, "null", "null"},
    {TYPE_FLOAT, "[1]", "!wrong-type"},
    {TYPE_FLOAT, "{}", "!wrong-type"},
    {TYPE_DOUBLE, "23.41", "23.41"},
    {TYPE_DOUBLE, "41", "41.0"},
    {TYPE_DOUBLE, "-0", "-0.0"},
    {TYPE_DOUBLE, "-0.0", "-0.0"},
    {TYPE_DOUBLE, "1e-400", "0.0"},
    {TYPE_DOUBLE, "-1e-400", "-0.0"},
    {TYPE_DOUBLE, "9007199254740993", "9007199254740992.0"},
    {TYPE_DOUBLE, "1e999", "!(for infinity send \\\"Infinity\\\")"},
    {TYPE_DOUBLE, "-1e999", "!(for minus infinity send \\\"-Infinity\\\")"},
    {TYPE_DOUBLE, "\"NaN\"", "\"NaN\""},
    {TYPE_DOUBLE, "\"Na\\u004e\"", "\"NaN\""},
    {TYPE_DOUBLE, "\"Infinity\"", "\"Infinity\""},
    {TYPE_DOUBLE, "\"-Infinity\"", "\"-Infinity\""},
    {TYPE_DOUBLE, "\"+Infinity\"", "!wrong-type"},
    {TYPE_DOUBLE, "\"nan\"", "!wrong-type"},
    {TYPE_DOUBLE, "\"\"", "!wrong-type"},
    {TYPE_DOUBLE, "\"41\"", "!expected a double, got a string in field \\\"x\\\""},
    {TYPE_DOUBLE, "true", "!wrong-type"},
    {TYPE_DOUBLE, "null", "null"},
    {TYPE_DOUBLE, "[1.0]", "!wrong-type"},
    {TYPE_DOUBLE, "{\"v\":1}", "!wrong-type"},
    {TYPE_STRING, "\"\"", "\"\""},
    {TYPE_STRING, "\"BMW\"", "\"BMW\""},
    {TYPE_STRING, "\"a\\u0000b\"", "\"a\\u0000b\""},
    {TYPE_STRING, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {TYPE_STRING, "\"\\u0065\\u0301 \\u00e9 \\u20aC \\ud83d\\ude00\"",
     "\"e\xcc\x81 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
    {TYPE_STRING, "\"\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"",
     "\"\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
    {TYPE_STRING, "\"long enough to be read eight at a time\\n, and on\"",
     "\"long enough to be read eight at a time\\n, and on\""},
    {TYPE_STRING, "\"\x7f\"", "\"\x7f\""},
    {TYPE_STRING, "41", "!expected a string, got a number"},
    {TYPE_STRING, "true", "!got a boolean"},
    {TYPE_STRING, "null", "null"},
    {TYPE_STRING, "[\"a\"]", "!got an array"},
    {TYPE_STRING, "{}", "!got an object"},
    {TYPE_ARRAY_STRING, "[]", "[]"},
    {TYPE_ARRAY_STRING, "[ \"a\" , \"\\u00e9\",null ]", "[\"a\",\"\xc3\xa9\",null]"},
    {TYPE_ARRAY_STRING, "[\"a\",1]", "!expected strings in its array, got a number"},
    {TYPE_ARRAY_STRING, "[[\"a\"]]", "!got an array"},
    {TYPE_ARRAY_STRING, "\"a\"", "!expected an array of strings, got a string"},
    {TYPE_ARRAY_STRING, "null", "null"},
    {TYPE_ARRAY_STRING, "{\"0\":\"a\"}", "!got an object"},
    {TYPE_ARRAY_STRING, "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]",
     "[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]"},
    {TYPE_ARRAY_DOUBLE, "[]", "[]"},
    {TYPE_ARRAY_DOUBLE, "[1,-0,\"NaN\",null,1e17]", "[1.0,-0.0,\"NaN\",null,1.0e17]"},
    {TYPE_ARRAY_DOUBLE, "[1,\"x\"]", "!expected numbers in its array, got a string"},
    {TYPE_ARRAY_DOUBLE, "[1e999]", "!out-of-range"},
    {TYPE_ARRAY_DOUBLE, "[true]", "!wrong-type"},
    {TYPE_ARRAY_DOUBLE, "1", "!expected an array of doubles, got a number"},
    {TYPE_ARRAY_INT, "[1,-2.0,null]", "[1,-2,null]"},
    {TYPE_ARRAY_INT, "[1.5]", "!a number with a fraction"},
    {TYPE_ARRAY_INT, "[3000000000]", "!out-of-range"},
    {TYPE_ARRAY_INT, "[\"1\"]", "!expected ints (whole numbers) in its array, got a string"},
    {TYPE_ARRAY_VECTOR, "[]", "[]"},
    {TYPE_ARRAY_VECTOR, "[[1,2],{\"size\":3,\"indices\":[1],\"values\":[0]},null,[]]",
     "[[1.0,2.0],{\"size\":3,\"indices\":[1],\"values\":[0.0]},null,[]]"},
    {TYPE_ARRAY_VECTOR, "[1]", "!expected vectors in its array, got a number"},
    {TYPE_ARRAY_VECTOR, "[[1],[\"x\"]]", "!expected numbers in its vector, got a string"},
    {TYPE_ARRAY_VECTOR, "[[1],\"x\"]", "!expected vectors in its array, got a string"},
    {TYPE_ARRAY_VECTOR, "[{}]", "!bad-vector"},
    {TYPE_VECTOR, "[]", "[]"},
    {TYPE_VECTOR, "[1,0,-0]", "[1.0,0.0,-0.0]"},
    {TYPE_VECTOR, "[1,\"Infinity\"]", "[1.0,\"Infinity\"]"},
    {TYPE_VECTOR, "[1,null]", "!expected numbers in its vector, got null"},
    {TYPE_VECTOR, "{\"type\":1,\"values\":[0,0,1]}", "[0.0,0.0,1.0]"},
    {TYPE_VECTOR, "{\"values\":[0],\"type\":1}", "[0.0]"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[1,4],\"values\":[1,0]}",
     "{\"size\":5,\"indices\":[1,4],\"values\":[1.0,0.0]}"},
    {TYPE_VECTOR, "{\"type\":0,\"size\":2,\"indices\":[],\"values\":[]}",
     "{\"size\":2,\"indices\":[],\"values\":[]}"},
    {TYPE_VECTOR, "{\"size\":2147483647,\"indices\":[9],\"values\":[1]}",
     "{\"size\":2147483647,\"indices\":[9],\"values\":[1.0]}"},
    {TYPE_VECTOR, "{\"size\":2147483648,\"indices\":[],\"values\":[]}", "!bad-vector"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[4,1],\"values\":[1,2]}", "!indices that do not ascend"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[1,1],\"values\":[1,2]}", "!bad-vector"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[5],\"values\":[1]}", "!an index beyond the size"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[-1],\"values\":[1]}", "!bad-vector"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[1.5],\"values\":[1]}", "!bad-vector"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[1],\"values\":[1,2]}", "!as many indices as values"},
    {TYPE_VECTOR, "{\"size\":5,\"values\":[1,2]}", "!bad-vector"},
    {TYPE_VECTOR, "{\"size\":5,\"size\":5,\"indices\":[],\"values\":[]}", "!twice"},
    {TYPE_VECTOR, "{\"size\":5,\"indices\":[],\"values\":[],\"x\":[{}]}", "!an unknown member"},
    {TYPE_VECTOR, "{\"type\":2,\"values\":[]}", "!bad-vector"},
    {TYPE_VECTOR, "{\"type\":1,\"size\":1,\"values\":[1]}",
     "!a dense vector has type and values only"},
    {TYPE_VECTOR, "{\"type\":\"1\",\"values\":[1]}", "!wrong-type"},
    {TYPE_VECTOR, "{\"type\":1,\"values\":1}", "!wrong-type"},
    {TYPE_VECTOR, "{\"type\":1,\"values\":[null]}", "!wrong-type"},
    {TYPE_VECTOR, "{}", "!bad-vector"},
    {TYPE_VECTOR, "1", "!expected a vector"},
    {TYPE_VECTOR, "\"[1]\"", "!got a string"},
    {TYPE_VECTOR, "null", "null"},
};

static void each_type_of_each_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(ones); i++) {
        struct kit_input input = {"x", ones[i].type, true, true};
        struct kit k;
        struct buf body = {0}, want = {0}, out = {0};
        struct body_problem why;
        bool fails = ones[i].want[0] == '!';

        kit_open(&k, &input, 1, 1);
        buf_printf(&body, "{\"x\":%s}", ones[i].in);
        buf_printf(&want, fails ? "%s" : "{\"x\":%s}", ones[i].want + fails);
        unsigned status = kit_body(&k, body.data, body.len, &out, &why);
        if (status != (fails ? 422U : 200U) ||
            !(fails ? strstr(out.data, want.data) != NULL : strcmp(out.data, want.data) == 0))
            fail_msg("%s as %s: %u %s %s, not %s", body.data, type_name(ones[i].type), status,
                     out.data ? out.data : "", why.detail, want.data);
        buf_done(&body);
        buf_done(&want);
        buf_done(&out);
        kit_close(&k);
    }
}

static const struct kit_input two[] = {
    {"make", TYPE_STRING, false, false},
    {"age", TYPE_DOUBLE, true, false},
    {"tags", TYPE_ARRAY_STRING, true, false},
};

/* Whole bodies: status, and what the reply, or the detail, contains. */
static const struct body {
    const char *in;
    unsigned status;
    const char *want;
} bodies[] = {
    {"{\"make\":\"a\",\"age\":1}", 200, "{\"make\":\"a\",\"age\":1.0,\"tags\":null}"},
    {" \t\r\n{ \"age\" : 1 , \"make\" : \"a\" } \n", 200,
     "{\"make\":\"a\",\"age\":1.0,\"tags\":null}"},
    {"{\"m\\u0061ke\":\"a\"}", 200, "{\"make\":\"a\",\"age\":null,\"tags\":null}"},
    {"{\"Make\":\"a\"}", 422,
     "none of the model's 3 fields; by \\\"Make\\\", did you mean \\\"make\\\"?"},
    {"{\"age\":1,\"Make\":\"a\"}", 422, "expected a string, got nothing in field \\\"make\\\""},
    {"{}", 422, "the row holds none of the model's 3 fields, such as \\\"make\\\""},
    {"{\"colour\":1,\"\":2}", 422, "unknown-field"},
    {"{\"instances\":[{\"make\":\"a\"}]}", 422, "without \\\"instances\\\" around them"},
    {"[{\"make\":\"a\"},{}]", 200, "such as \\\"make\\\""},
    {"{\"make\":null}", 422, "expected a string, got null in field"},
    {"{\"make\":\"a\",\"tags\":[null]}", 422, "expected strings in its array, got null"},
    {"{\"make\":\"a\",\"age\":1,\"age\":1}", 400,
     "field \"age\" stands at byte 12 and again at byte 20 (line 1, column 21)"},
    {"{\"make\":\"a\",\"m\\u0061ke\":\"b\"}", 400, "again at byte 12"},
    {"{\"u\":1,\"u\":2,\"make\":\"a\"}", 200, "{\"make\":\"a\","},
    {"{\"make\":1,\"age\":\"x\"}", 422, "got a number in field \\\"make\\\""},
    {"{\"make\":1,\"age\":}", 400, "expected a value, found '}' at byte 16"},
    {"{\"make\":1,\n \"age\":01}", 400, "at byte 18 (line 2, column 8)"},
    {"{\"make\":\"a\\nb\",\n\"age\"", 400,
     "expected ':', found the end of the text at byte 21 (line 2, column 6)"},
    {"{\"make\":\"\\ud800\"}", 400, "a surrogate without its other half at byte 9"},
    {"{\"make\":\"\xff\"}", 400, "expected UTF-8, found byte 0xff at byte 9"},
    {"17", 422, "expected an object, got a number"},
    {"\"a\"", 422, "not-a-row"},
    {"null", 422, "expected an object, got null"},
    {"", 400, "found the end of the text at byte 0 (line 1, column 1)"},
    {"[]", 200, "[]"},
    {" [ ] ", 200, "[]"},
    {"[{\"make\":\"a\"},3,[],{\"make\":2}]", 200, "\"row\":3}}]"},
    {"[3]", 200,
     "[{\"error\":{\"type\":\"urn:scored:not-a-row\",\"title\":\"A row is not a JSON "
     "object\",\"status\":422,\"detail\":\"expected an object, got a number\",\"row\":0}}]"},
    {"[{\"make\":\"a\"}", 400, "expected ',' or ']'"},
    {"[{\"make\":\"a\"},]", 400, "expected a value, found ']'"},
    {"[{\"make\":\"a\"}]]", 400, "expected the end of the text"},
    {"{\"make\":\"a\"}{}", 400, "expected the end of the text, found '{'"},
};

static void whole_bodies(void **state)
{
    struct kit k;

    (void)state;
    kit_open(&k, two, countof(two), 2);
    for (size_t i = 0; i < countof(bodies); i++) {
        struct buf out = {0};
        struct body_problem why;
        buf_lit(&out, "before");
        unsigned status = kit_body(&k, bodies[i].in, strlen(bodies[i].in), &out, &why);
        const char *said = status == 400 ? why.detail : out.data + 6;
        if (status != bodies[i].status || !strstr(said, bodies[i].want))
            fail_msg("%s: %u %s, not %s", bodies[i].in, status, said, bodies[i].want);
        assert_int_equal(why.problem != PROBLEM_NONE, status == 400);
        if (status == 400)
            assert_string_equal(out.data, "before");
        buf_done(&out);
    }
    kit_close(&k);
}

static void depth_is_capped(void **state)
{
    struct kit k;
    struct body_problem why;

    (void)state;
    kit_open(&k, two, countof(two), 2);
    for (unsigned depth = 62; depth < 65; depth++) {
        struct buf body = {0}, out = {0};
        buf_lit(&body, "{\"make\":\"a\",\"u\":");
        for (unsigned i = 0; i < depth; i++)
            buf_char(&body, '[');
        for (unsigned i = 0; i < depth; i++)
            buf_char(&body, ']');
        buf_char(&body, '}');
        unsigned status = kit_body(&k, body.data, body.len, &out, &why);
        assert_int_equal(status, depth < 64 ? 200 : 400);
        assert_int_equal(why.problem, depth < 64 ? PROBLEM_NONE : PROBLEM_TOO_DEEP);
        buf_done(&body);
        buf_done(&out);
    }
    kit_close(&k);
}

static void unknown_fields_are_counted_or_refused(void **state)
{
    static const char body[] = "[{\"make\":\"a\",\"u\":[1,{\"v\":2}],\"w\":3},{\"make\":\"b\"}]";
    struct kit k;
    struct body_problem why;
    struct buf out = {0};

    (void)state;
    kit_open(&k, two, countof(two), 2);
    assert_int_equal(kit_body(&k, body, sizeof body - 1, &out, &why), 200);
    assert_int_equal(k.scoring.counts.unknown_fields, 2);
    assert_int_equal(k.scoring.counts.failed, 0);
    buf_reset(&out);
    k.question.reject_unknown = true;
    assert_int_equal(kit_body(&k, body, sizeof body - 1, &out, &why), 200);
    assert_non_null(strstr(out.data, "the model has no field \\\"u\\\""));
    assert_non_null(strstr(out.data, "{\"make\":\"b\""));
    assert_int_equal(k.scoring.counts.failed, 1);
    buf_done(&out);
    kit_close(&k);
}

/* Lists and vectors of n elements, as they are answered. Some elements are null, the last ones not
 * always. */
static void put_lists(struct buf *out, unsigned n)
{
    buf_lit(out, "{\"s\":[");
    for (unsigned i = 0; i < n; i++)
        buf_text(out, i % 7 == 3 ? &",null"[!i] : &",\"a\""[!i]);
    buf_lit(out, "],\"d\":[");
    for (unsigned i = 0; i < n; i++)
        buf_text(out, i == n / 2 ? &",null"[!i] : &",1.5"[!i]);
    buf_lit(out, "],\"v\":[");
    for (unsigned i = 0; i < n; i++)
        buf_text(out, &",-0.0"[!i]);
    buf_printf(out, "],\"w\":{\"size\":%u,\"indices\":[", 3 * n);
    for (unsigned i = 0; i < n; i++)
        buf_printf(out, "%s%u", i ? "," : "", 3 * i);
    buf_lit(out, "],\"values\":[");
    for (unsigned i = 0; i < n; i++)
        buf_text(out, &",2.0"[!i]);
    buf_lit(out, "]}}");
}

static void lists_may_be_of_any_length(void **state)
{
    static const struct kit_input inputs[] = {
        {"s", TYPE_ARRAY_STRING, true, true},
        {"d", TYPE_ARRAY_DOUBLE, true, true},
        {"v", TYPE_VECTOR, true, false},
        {"w", TYPE_VECTOR, true, false},
    };
    static const unsigned lengths[] = {0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000, 70000};
    struct buf body = {0}, out = {0};
    struct body_problem why;
    struct kit k;

    (void)state;
    kit_open(&k, inputs, countof(inputs), 5);
    for (size_t i = 0; i < countof(lengths); i++) {
        buf_reset(&body);
        buf_reset(&out);
        buf_lit(&body, "[");
        for (size_t row = 0; row < 7; row++) { /* neighbours of other lengths, and two frames */
            if (row)
                buf_lit(&body, ",");
            put_lists(&body, row % 2 ? lengths[i] : 5);
        }
        buf_lit(&body, "]");
        assert_int_equal(kit_body(&k, body.data, body.len, &out, &why), 200);
        assert_int_equal(out.len, body.len);
        assert_memory_equal(out.data, body.data, body.len);
    }
    buf_done(&body);
    buf_done(&out);
    kit_close(&k);
}

/* A timestamp without a zone is the session's, where that is always as far from UTC. */
static void local_time_is_the_sessions(void **state)
{
    static const struct kit_input input = {"x", TYPE_TIMESTAMP, true, false};
    static const char row[] = "{\"x\":\"2026-07-01T12:00:00\"}",
                      zoned[] = "{\"x\":\"2026-07-01T12:00:00Z\"}";
    static const struct {
        const char *zone, *want;
    } zones[] = {
        {"UTC", "\"2026-07-01T12:00:00Z\""},
        {"Etc/UTC", "\"2026-07-01T12:00:00Z\""},
        {"+05:30", "\"2026-07-01T06:30:00Z\""},
        {"-08:00", "\"2026-07-01T20:00:00Z\""},
        {"Europe/London", "wrong-type"},
        {"+5:30", "wrong-type"},
        {"+05:30x", "wrong-type"},
        {"", "wrong-type"},
    };

    (void)state;
    for (size_t i = 0; i < countof(zones); i++) {
        const struct platform platform = {.time_zone = zones[i].zone};
        struct body_problem why;
        struct buf out = {0};
        struct kit k;
        kit_open(&k, &input, 1, 1);
        k.plan.platform = &platform;
        k.scoring.schema = schema_new(&k.plan, &k.arena);
        kit_body(&k, row, sizeof row - 1, &out, &why);
        if (!strstr(out.data, zones[i].want))
            fail_msg("%s: expected %s, got %s", zones[i].zone, zones[i].want, out.data);
        buf_reset(&out);
        kit_body(&k, zoned, sizeof zoned - 1, &out, &why);
        assert_non_null(strstr(out.data, "2026-07-01T12:00:00Z"));
        buf_done(&out);
        kit_close(&k);
    }
}

/* Days come back as they were, and follow each other. */
static void days_are_written_and_read(void **state)
{
    char before[32] = "";
    struct buf text = {0};
    int64_t day;

    (void)state;
    for (int64_t d = -719162; d <= 2932896; d += d > -80000 && d < 80000 ? 1 : 61) {
        buf_reset(&text);
        moment_put_date(&text, d);
        const struct text t = {text.data, (uint32_t)text.len};
        if (!moment_read_date(&t, &day) || day != d || strcmp(before, text.data) >= 0)
            fail_msg("day %lld is written %s, after %s", (long long)d, text.data, before);
        snprintf(before, sizeof before, "%s", text.data);
    }
    assert_true(moment_read_date(&(struct text){"2000-03-01", 10}, &day));
    assert_int_equal(day, 11017);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_of_each_value),
        cmocka_unit_test(lists_may_be_of_any_length),
        cmocka_unit_test(whole_bodies),
        cmocka_unit_test(depth_is_capped),
        cmocka_unit_test(unknown_fields_are_counted_or_refused),
        cmocka_unit_test(local_time_is_the_sessions),
        cmocka_unit_test(days_are_written_and_read),
    };

    return cmocka_run_group_tests_name("json_in", tests, NULL, NULL);
}
