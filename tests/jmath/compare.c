/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the vectors of Vectors.java from standard input and compares them with jmath for the
 * processor that the JVM ran on (intel or amd), and with the C library:
 *
 *     java Vectors.java log 1000000 1 | ./compare log amd
 *
 * Prints one line of counts; the first mismatches go to standard error. With a third argument N it
 * prints rows for tests/unit/jmath_vectors.h instead: of every Nth vector, of some of the special
 * ones that come first, and of all where the results for the two makers differ. Two NaNs count as
 * equal, their payloads apart.
 */
#include "scored/fastmath.h"
#include "scored/jmath.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN(function)                                          \
    static double own_##function(double x, enum jmath_cpu cpu) \
    {                                                          \
        (void)cpu;                                             \
        return jm_##function(x);                               \
    }

OWN(exp)
OWN(log1p)
OWN(expm1)
OWN(sin)
OWN(cos)
OWN(tan)
OWN(tanh)
OWN(cbrt)

#define OWN_COMMONS(function)                                     \
    static double own_fm_##function(double x, enum jmath_cpu cpu) \
    {                                                             \
        (void)cpu;                                                \
        return fm_##function(x);                                  \
    }

OWN_COMMONS(exp)
OWN_COMMONS(log)
OWN_COMMONS(erf)

static const struct function {
    const char *name;
    double (*own)(double, enum jmath_cpu);
    double (*library)(double);
} functions[] = {
    {"exp", own_exp, exp},       {"log", jm_log, log},        {"log10", jm_log10, log10},
    {"log1p", own_log1p, log1p}, {"expm1", own_expm1, expm1}, {"sin", own_sin, sin},
    {"cos", own_cos, cos},       {"tan", own_tan, tan},       {"tanh", own_tanh, tanh},
    {"cbrt", own_cbrt, cbrt},    {"fm_exp", own_fm_exp, exp}, {"fm_log", own_fm_log, log},
    {"fm_erf", own_fm_erf, erf},
};

static struct tally {
    uint64_t cases, wrong, nan_payloads, makers_differ, library_wrong;
} tally;

/* What rows to print, if any. */
static struct sample {
    const char *name;
    uint64_t every, n_special;
    bool amd;
} sample;

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static bool same(double a, double b)
{
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

/* x and, for pow, y; Java's result; ours for Java's processor and for the other one; the C
 * library's. */
struct result {
    double x, y, expected, own, other, library;
};

/* Prints a vector as a row of C; of its results Java's stands for itself, ours for the other maker.
 */
static void print_row(const struct result *r)
{
    uint64_t intel = bits_of(sample.amd ? r->other : r->expected);
    uint64_t on_amd = bits_of(sample.amd ? r->expected : r->other);

    printf("    {\"%s\", 0x%016" PRIx64 ", 0x%016" PRIx64 ", 0x%016" PRIx64 ", 0x%016" PRIx64
           "},\n",
           sample.name, bits_of(r->x), bits_of(r->y), intel, on_amd);
}

static bool is_sampled(const struct result *r)
{
    uint64_t i = tally.cases;

    return i % sample.every == 0 || (i < sample.n_special && i % (sample.n_special / 76) == 0) ||
           !same(r->own, r->other);
}

static void count(const struct result *r)
{
    if (sample.every != 0 && is_sampled(r))
        print_row(r);
    tally.cases++;
    tally.makers_differ += !same(r->own, r->other);
    tally.library_wrong += !same(r->library, r->expected);
    if (same(r->own, r->expected)) {
        tally.nan_payloads += bits_of(r->own) != bits_of(r->expected);
        return;
    }
    if (tally.wrong++ < 20)
        fprintf(stderr, "x %a y %a: expected %a, got %a\n", r->x, r->y, r->expected, r->own);
}

static void compare_pow(enum jmath_cpu cpu, enum jmath_cpu other)
{
    double v[3];

    while (fread(v, sizeof *v, 3, stdin) == 3)
        count(&(struct result){v[0], v[1], v[2], jm_pow(v[0], v[1], cpu), jm_pow(v[0], v[1], other),
                               pow(v[0], v[1])});
}

static void compare_one(const struct function *f, enum jmath_cpu cpu, enum jmath_cpu other)
{
    double v[2];

    while (fread(v, sizeof *v, 2, stdin) == 2)
        count(&(struct result){v[0], 0.0, v[1], f->own(v[0], cpu), f->own(v[0], other),
                               f->library(v[0])});
}

static const struct function *find(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const char *name = argc >= 3 ? argv[1] : "";
    const struct function *function = find(name);
    bool amd = argc >= 3 && strcmp(argv[2], "amd") == 0;
    bool intel = argc >= 3 && strcmp(argv[2], "intel") == 0;
    enum jmath_cpu cpu = amd ? JMATH_AMD : JMATH_INTEL, other = amd ? JMATH_INTEL : JMATH_AMD;

    if ((!function && strcmp(name, "pow") != 0) || !(amd || intel)) {
        fprintf(stderr, "usage: compare FUNCTION intel|amd [N] < vectors\n");
        return 2;
    }
    if (argc == 4)
        sample = (struct sample){name, strtoull(argv[3], NULL, 10), function ? 76 : 76 * 76, amd};
    if (function)
        compare_one(function, cpu, other);
    else
        compare_pow(cpu, other);
    if (sample.every == 0)
        printf("%s %s cases %" PRIu64 " mismatches %" PRIu64 " other_nan_bits %" PRIu64
               " makers_differ %" PRIu64 " c_library_mismatches %" PRIu64 "\n",
               name, argv[2], tally.cases, tally.wrong, tally.nan_payloads, tally.makers_differ,
               tally.library_wrong);
    return tally.cases == 0 || tally.wrong != 0;
}
