/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of a JVM, and for the other maker's processors those of a campaign's arguments at which
 * the two differ; see tests/jmath for how they were made and for comparing millions.
 */
#include "scored/fastmath.h"
#include "scored/jmath.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define countof(a) (sizeof(a) / sizeof *(a))

static const struct vector {
    const char *function;
    uint64_t x, y, intel, amd;
} vectors[] = {
#include "jmath_vectors.h"
};

static double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Functions of x alone, whoever made the processor. */
#define RUN(function)                                                    \
    static double run_##function(double x, double y, enum jmath_cpu cpu) \
    {                                                                    \
        (void)y, (void)cpu;                                              \
        return jm_##function(x);                                         \
    }

RUN(exp)
RUN(log1p)
RUN(expm1)
RUN(sin)
RUN(cos)
RUN(tan)
RUN(tanh)
RUN(cbrt)

#define RUN_COMMONS(function)                                               \
    static double run_fm_##function(double x, double y, enum jmath_cpu cpu) \
    {                                                                       \
        (void)y, (void)cpu;                                                 \
        return fm_##function(x);                                            \
    }

RUN_COMMONS(exp)
RUN_COMMONS(log)
RUN_COMMONS(erf)

static double run_log(double x, double y, enum jmath_cpu cpu)
{
    (void)y;
    return jm_log(x, cpu);
}

static double run_log10(double x, double y, enum jmath_cpu cpu)
{
    (void)y;
    return jm_log10(x, cpu);
}

static struct function {
    const char *name;
    double (*run)(double x, double y, enum jmath_cpu cpu);
    bool by_maker; /* the makers' results differ somewhere */
} functions[] = {
    {"exp", run_exp, false},       {"log", run_log, true},        {"log10", run_log10, true},
    {"pow", jm_pow, true},         {"log1p", run_log1p, false},   {"expm1", run_expm1, false},
    {"sin", run_sin, false},       {"cos", run_cos, false},       {"tan", run_tan, false},
    {"tanh", run_tanh, false},     {"cbrt", run_cbrt, false},     {"fm_exp", run_fm_exp, false},
    {"fm_log", run_fm_log, false}, {"fm_erf", run_fm_erf, false},
};

static void check(const struct function *f, const struct vector *v, enum jmath_cpu cpu)
{
    double got = f->run(from_bits(v->x), from_bits(v->y), cpu);
    double want = from_bits(cpu == JMATH_AMD ? v->amd : v->intel);

    if (bits_of(got) != bits_of(want) && !(isnan(got) && isnan(want)))
        fail_msg("%s of %a, %a for %s: got %a, want %a", f->name, from_bits(v->x), from_bits(v->y),
                 cpu == JMATH_AMD ? "amd" : "intel", got, want);
}

static void test_function(void **state)
{
    const struct function *f = *state;
    int checked = 0, differ = 0;

    for (size_t i = 0; i < countof(vectors); i++) {
        const struct vector *v = &vectors[i];
        if (strcmp(v->function, f->name) != 0)
            continue;
        check(f, v, JMATH_INTEL);
        check(f, v, JMATH_AMD);
        checked++;
        differ += v->intel != v->amd;
    }
    assert_in_range(checked, 200, countof(vectors));
    assert_int_equal(f->by_maker, differ > 0);
}

int main(void)
{
    struct CMUnitTest tests[countof(functions)];

    for (size_t i = 0; i < countof(functions); i++)
        tests[i] = (struct CMUnitTest){functions[i].name, test_function, NULL, NULL, &functions[i]};
    return cmocka_run_group_tests_name("jmath", tests, NULL, NULL);
}
