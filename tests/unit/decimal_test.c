/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals as doubles: the nearest one, ties to even, as strtod has it of the same digits. */
#include "scored/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 200000 };

static uint64_t state = 88172645463325252;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void check(int128 unscaled, unsigned scale)
{
    const struct decimal d = {.unscaled = unscaled, .scale = scale};
    char digits[DECIMAL_DIGITS + 1], text[64];
    unsigned n = decimal_digits(unscaled, digits);

    snprintf(text, sizeof text, "%s%.*se-%u", unscaled < 0 ? "-" : "", (int)n, digits, scale);
    double expected = strtod(text, NULL), got = decimal_double(&d);
    if (memcmp(&expected, &got, sizeof got) != 0)
        fail_msg("%s: expected %.17g, got %.17g", text, expected, got);
}

static void doubles_are_the_nearest(void **unused)
{
    int128 most = 1;

    (void)unused;
    for (int i = 0; i < DECIMAL_DIGITS; i++)
        most *= 10;
    for (unsigned scale = 0; scale <= DECIMAL_DIGITS; scale++) {
        check(0, scale);
        check(most - 1, scale);
        check(1 - most, scale);
        check(((int128)1 << 53) + 1, scale); /* a tie */
        check(-((int128)1 << 54) - 3, scale);
    }
    for (unsigned i = 0; i < DRAWS; i++) {
        int128 wide = (int128)draw() << 62 | draw() >> 2;
        wide = (wide % most) >> draw() % 120;
        check(draw() & 1 ? -wide : wide, (unsigned)(draw() % (DECIMAL_DIGITS + 1)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_are_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
