/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_ENGINE_JMATH_TABLES_H
#define SCORED_ENGINE_JMATH_TABLES_H

#include <stdint.h>

/* A value in two parts, whose sum it is unless said otherwise. */
struct jm_pair {
    double hi, lo;
};

/* What is known of the angle b = j pi/32 for sines: sigma is the power of two nearest to cos b. */
struct jm_angle {
    double cos_rest; /* cos b - sigma */
    double sin_hi, sin_lo;
    double sigma;
};

/* The same for tangents of b + r: those of the series, or of what it leaves of a reciprocal. */
struct jm_tangent {
    double hi, lo;
    double sigma, slope_rest; /* of r, in two parts */
    double tau;               /* 1: less the reciprocal of the distance from the pole; else 0 */
    double c[14];             /* of r^2 to r^15 */
};

/* The processor's estimate of 1/m, 1 <= m < 2, in units of 2^-13: by the first 11 fraction bits of
 * m on Intel's, by the first 12 on AMD's. */
extern const uint16_t jm_intel_reciprocal[2048];
extern const uint16_t jm_amd_reciprocal[4096];

extern const struct jm_pair jm_exp64[64];   /* 2^(j/64): cut, and what is missing relative to it */
extern const struct jm_pair jm_exp256[256]; /* 2^(j/256): rounded, and the rest */
extern const struct jm_pair jm_log_table[129];   /* -ln b, b = (128+i)/256; hi in units of 2^-43 */
extern const struct jm_pair jm_log10_table[129]; /* -log10(b / (111/256)); hi in units of 2^-44 */
extern const struct jm_pair jm_log2_table[513];  /* -log2(b / (185/128)); hi in units of 2^-24 */

extern const struct jm_angle jm_angles[64];
extern const struct jm_tangent jm_tangents[32];
extern const uint32_t jm_two_over_pi[39]; /* its fraction, after two words of zeros */

#endif
