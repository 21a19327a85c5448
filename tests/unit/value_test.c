/* SPDX-License-Identifier: Apache-2.0 */
/* When two values are the same. They are written as JSON and decoded as requests are. */
#include "cmocka_all.h"

#include "wire_kit.h"

#include "scored/value.h"

static const struct pair {
    enum type type;
    const char *a, *b;
    uint32_t ulps;
    bool equal;
} pairs[] = {
    {TYPE_BOOLEAN, "true", "true", 0, true},
    {TYPE_BOOLEAN, "true", "false", 0, false},
    {TYPE_TINYINT, "-3", "-3.0", 0, true},
    {TYPE_BIGINT, "9007199254740993", "9007199254740992", 0, false},
    {TYPE_BIGINT, "1", "2", 9, false},
    {TYPE_INT, "0", "null", 0, false},
    {TYPE_INT, "null", "null", 0, true},
    {TYPE_DATE, "\"2026-11-27\"", "\"2026-11-27\"", 0, true},
    {TYPE_DATE, "\"2026-11-27\"", "\"2026-11-28\"", 9, false},
    {TYPE_TIMESTAMP, "\"2026-11-27T00:00:00Z\"", "\"2026-11-27T01:00:00+01:00\"", 0, true},
    {TYPE_TIMESTAMP, "\"2026-11-27T00:00:00Z\"", "\"2026-11-27T00:00:00.000001Z\"", 9, false},
    {TYPE_DECIMAL, "12345678901234567890123456789012345.678",
     "12345678901234567890123456789012345.6780", 0, true},
    {TYPE_DECIMAL, "12345678901234567890123456789012345.678",
     "12345678901234567890123456789012345.677", 9, false},
    {TYPE_FLOAT, "0.1", "0.1", 0, true},
    {TYPE_FLOAT, "0.0", "-0.0", 0, false},
    {TYPE_FLOAT, "\"NaN\"", "\"NaN\"", 0, true},
    {TYPE_FLOAT, "1.0", "1.0000001", 3, false},
    {TYPE_DOUBLE, "0.0", "-0.0", 0, false},
    {TYPE_DOUBLE, "0.0", "-0.0", 1, true},
    {TYPE_DOUBLE, "\"NaN\"", "\"NaN\"", 0, true},
    {TYPE_DOUBLE, "\"NaN\"", "\"Infinity\"", 4000000000, false},
    {TYPE_DOUBLE, "1.0", "1.0000000000000002", 0, false},
    {TYPE_DOUBLE, "1.0", "1.0000000000000002", 1, true},
    {TYPE_DOUBLE, "1.0", "1.0000000000000004", 1, false},
    {TYPE_DOUBLE, "5e-324", "-5e-324", 2, false},
    {TYPE_DOUBLE, "5e-324", "-5e-324", 3, true},
    {TYPE_STRING, "\"a\\u0000b\"", "\"a\\u0000b\"", 0, true},
    {TYPE_STRING, "\"a\\u0000b\"", "\"a\\u0000c\"", 0, false},
    {TYPE_STRING, "\"a\"", "\"ab\"", 0, false},
    {TYPE_STRING, "\"\"", "null", 0, false},
    {TYPE_VECTOR, "[1,0]", "[1,0]", 0, true},
    {TYPE_VECTOR, "[1,0]", "[1,-0.0]", 0, false},
    {TYPE_VECTOR, "[1,0]", "{\"size\":2,\"indices\":[0],\"values\":[1]}", 0, false},
    {TYPE_VECTOR, "{\"size\":2,\"indices\":[0],\"values\":[1]}",
     "{\"size\":3,\"indices\":[0],\"values\":[1]}", 0, false},
    {TYPE_VECTOR, "{\"size\":2,\"indices\":[0],\"values\":[1]}",
     "{\"size\":2,\"indices\":[1],\"values\":[1]}", 0, false},
    {TYPE_VECTOR, "{\"size\":2,\"indices\":[0],\"values\":[1]}",
     "{\"size\":2,\"indices\":[0,1],\"values\":[1,0]}", 0, false},
    {TYPE_VECTOR, "[1.0]", "[1.0000000000000002]", 1, true},
    {TYPE_ARRAY_STRING, "[\"a\",null]", "[\"a\",null]", 0, true},
    {TYPE_ARRAY_STRING, "[\"a\",null]", "[\"a\",\"\"]", 0, false},
    {TYPE_ARRAY_STRING, "[\"a\"]", "[\"a\",null]", 0, false},
    {TYPE_ARRAY_STRING, "[]", "[]", 0, true},
    {TYPE_ARRAY_STRING, "[]", "null", 0, false},
    {TYPE_ARRAY_INT, "[1,2]", "[1,2]", 0, true},
    {TYPE_ARRAY_INT, "[1,2]", "[1,3]", 0, false},
    {TYPE_ARRAY_FLOAT, "[1.5,\"NaN\"]", "[1.5,\"NaN\"]", 0, true},
    {TYPE_ARRAY_FLOAT, "[0.0]", "[-0.0]", 0, false},
    {TYPE_ARRAY_DOUBLE, "[1.0,\"NaN\"]", "[1.0,\"NaN\"]", 0, true},
    {TYPE_ARRAY_DOUBLE, "[1.0]", "[1.0000000000000002]", 0, false},
    {TYPE_ARRAY_DOUBLE, "[1.0]", "[1.0000000000000002]", 1, true},
    {TYPE_ARRAY_VECTOR, "[[1],[2,3]]", "[[1],[2,3]]", 0, true},
    {TYPE_ARRAY_VECTOR, "[[1],[2,3]]", "[[1],[2,4]]", 0, false},
    {TYPE_ARRAY_VECTOR, "[[1],[2,3]]", "[[1,2],[3]]", 0, false},
    {TYPE_ARRAY_VECTOR, "[null,[1]]", "[null,[1]]", 0, true},
};

static void values_are_the_same_or_not(void **state)
{
    bool seen[TYPE_COUNT] = {false};

    (void)state;
    for (size_t i = 0; i < countof(pairs); i++) {
        const struct pair *p = &pairs[i];
        kit_digits = (struct digits){38, 3};
        const struct kit_input input = {"x", p->type, true, true};
        struct body_problem why;
        char text[2][128];
        struct kit k;
        kit_open(&k, &input, 1, 2);
        frame_reset(k.scoring.frame, &k.scratch);
        for (unsigned row = 0; row < 2; row++) {
            int n = snprintf(text[row], sizeof text[row], "{\"x\":%s}", row ? p->b : p->a);
            assert_true(decode_row(&k.scoring, row, text[row], (size_t)n, &why));
        }
        assert_int_equal(k.scoring.frame->failed, 0);
        const struct column *c = &k.scoring.frame->columns[0];
        if (column_equal(p->type, c, 0, c, 1, p->ulps) != p->equal ||
            column_equal(p->type, c, 1, c, 0, p->ulps) != p->equal)
            fail_msg("%s: %s and %s, %u apart", type_name(p->type), p->a, p->b, p->ulps);
        assert_true(column_equal(p->type, c, 0, c, 0, 0));
        seen[p->type] |= p->equal;
        kit_close(&k);
    }
    for (unsigned t = 0; t < TYPE_COUNT; t++)
        assert_true(seen[t] || t == TYPE_SMALLINT || t == TYPE_BIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_are_the_same_or_not)};

    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
