/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of jmath share: doubles as bits, and the processor's reciprocal estimate. */
#ifndef SCORED_ENGINE_JMATH_PRIV_H
#define SCORED_ENGINE_JMATH_PRIV_H

#include "scored/jmath.h"

#include "jmath_tables.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "doubles must be evaluated as doubles"
#endif

static inline uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define SIGN_BIT       UINT64_C(0x8000000000000000)
#define MAGNITUDE_BITS UINT64_C(0x7fffffffffffffff)
#define FRACTION_BITS  UINT64_C(0x000fffffffffffff)
#define EXPONENT_BITS  UINT64_C(0x7ff0000000000000)
#define ONE_BITS       UINT64_C(0x3ff0000000000000)
#define QUIET_NAN_BITS UINT64_C(0x7ff8000000000000)
/* What the processor makes of an invalid operation. */
#define DEFAULT_NAN_BITS UINT64_C(0xfff8000000000000)

/* Sign, exponent and the first four fraction bits: enough for most range checks. */
static inline uint32_t top16(double x)
{
    return (uint32_t)(bits_of(x) >> 48);
}

static inline int biased_exponent(double x)
{
    return (int)(bits_of(x) >> 52 & 0x7ff);
}

/* x without the bits that are not in mask. */
static inline double keep(double x, uint64_t mask)
{
    return from_bits(bits_of(x) & mask);
}

/* 2^e, for a normal result. */
static inline double power_of_two(int e)
{
    return from_bits((uint64_t)(e + 1023) << 52);
}

/* x times 2^e by adding to the exponent field: no rounding, and no check either. */
static inline double add_exponent(double x, int e)
{
    return from_bits(bits_of(x) + ((uint64_t)(int64_t)e << 52));
}

/*
 * The estimate of scale / mantissa, rounded to a float whose last `dropped` bits are zero; the
 * float's bits. The product is exact: thirteen bits times at most eight.
 */
static inline uint32_t rounded_reciprocal(uint64_t fraction, float scale, int dropped,
                                          enum jmath_cpu cpu)
{
    uint16_t units =
        cpu == JMATH_AMD ? jm_amd_reciprocal[fraction >> 40] : jm_intel_reciprocal[fraction >> 41];
    float estimate = (float)units * (scale * 0x1p-13f);
    uint32_t bits;
    memcpy(&bits, &estimate, sizeof bits);
    bits += UINT32_C(1) << (dropped - 1);
    return bits >> dropped << dropped;
}

static inline double float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

#endif
