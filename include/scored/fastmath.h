/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions of Apache commons-math 3.6.1, bit for bit: its FastMath, which is a library of its own
 * and the same on every processor, and what stands on it. Spark takes them where it calls
 * commons-math, breeze or JTransforms instead of java.lang.Math.
 */
#ifndef SCORED_FASTMATH_H
#define SCORED_FASTMATH_H

#include <stdbool.h>

double fm_exp(double x);
double fm_log(double x);
double fm_sin(double x); /* 0 <= x < 3e6 */
double fm_cos(double x); /* the same */

/* Special Erf.erf, |x| of any size. */
double fm_erf(double x);

/* Special Gamma.digamma. False: x is so far below zero that the reference's recursion may not end.
 */
bool fm_digamma(double x, double *out);

#endif
