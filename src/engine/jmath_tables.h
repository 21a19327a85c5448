/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_ENGINE_JMATH_TABLES_H
#define SCORED_ENGINE_JMATH_TABLES_H

#include <stdint.h>

/* A value in two parts, whose sum it is unless said otherwise. */
struct jm_pair {
    double hi, lo;
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

#endif
