/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_ENGINE_FASTMATH_TABLES_H
#define SCORED_ENGINE_FASTMATH_TABLES_H

/* A value in two parts: its leading bits, and the rest. */
struct fm_pair {
    double hi, lo;
};

enum { FM_EXP_LEAST = -709, FM_EXP_MOST = 709 };

extern const struct fm_pair fm_exp_of_whole[FM_EXP_MOST - FM_EXP_LEAST + 1]; /* e^(i - 709) */
extern const struct fm_pair fm_exp_of_part[1025];                            /* e^(i/1024) */
extern const struct fm_pair fm_log_of_part[1024];                            /* ln(1 + i/1024) */
extern const struct fm_pair fm_sine_of_part[14], fm_cosine_of_part[14];      /* of i/8 */

#endif
