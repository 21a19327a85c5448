/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as JDK 17 writes them; tests/jmath/texts.sh writes the table, and compares millions. */
#include "../../src/engine/jtext.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct vector {
    uint64_t bits;
    char type;
    const char *text;
} vectors[] = {
#include "jtext_vectors.h"
};

static unsigned write_number(const struct vector *v, char out[JTEXT_MAX])
{
    uint32_t low = (uint32_t)v->bits;
    double d;
    float f;

    memcpy(&d, &v->bits, sizeof d);
    memcpy(&f, &low, sizeof f);
    return v->type == 'd' ? jtext_double(d, out) : jtext_float(f, out);
}

static void numbers_are_written_as_java_does(void **state)
{
    char out[JTEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *v = &vectors[i];
        unsigned n = write_number(v, out);
        if (n != strlen(v->text) || memcmp(out, v->text, n) != 0)
            fail_msg("%c %016" PRIx64 ": %.*s, not %s", v->type, v->bits, (int)n, out, v->text);
    }
}

static void whole_numbers_are_written(void **state)
{
    char out[JTEXT_MAX];

    (void)state;
    assert_int_equal(jtext_long(INT64_MIN, out), 20);
    assert_memory_equal(out, "-9223372036854775808", 20);
    assert_int_equal(jtext_long(0, out), 1);
    assert_memory_equal(out, "0", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_as_java_does),
        cmocka_unit_test(whole_numbers_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
