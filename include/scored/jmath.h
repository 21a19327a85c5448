/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elementary functions of java.lang.Math, bit for bit as HotSpot computes them on x86-64 (JDK
 * 17). No function sets errno, allocates or keeps state. They assume the default rounding mode,
 * subnormals, and no fused multiply-add.
 */
#ifndef SCORED_JMATH_H
#define SCORED_JMATH_H

/* Whose processor the JVM to be reproduced ran on; the one that this code runs on does not matter.
 */
enum jmath_cpu { JMATH_INTEL, JMATH_AMD };

double jm_exp(double x);
double jm_log(double x, enum jmath_cpu cpu);
double jm_log10(double x, enum jmath_cpu cpu);
double jm_pow(double x, double y, enum jmath_cpu cpu);
double jm_sin(double x);
double jm_cos(double x);
double jm_tan(double x);

/* java.lang.Math takes these from StrictMath: they are the same everywhere. (JDK 25 has tanh and
 * cbrt of its own.) */
double jm_log1p(double x);
double jm_expm1(double x);
double jm_tanh(double x);
double jm_cbrt(double x);

/* Those of java.lang.StrictMath, the same everywhere. */
double jm_strict_exp(double x);
double jm_strict_log(double x);
double jm_strict_log10(double x);
double jm_strict_pow(double x, double y);

#endif
