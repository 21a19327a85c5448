/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The discrete cosine transforms of JTransforms 3.1, scaled, to the bit: what Spark's DCT calls.
 * `room` is memory of as many doubles as `dct_room` tells of the length, which may be any from 1 to
 * DCT_MOST.
 */
#ifndef SCORED_DCT_H
#define SCORED_DCT_H

#include <stddef.h>
#include <stdint.h>

enum { DCT_MOST = 1 << 28 }; /* the reference takes no more */

size_t dct_room(size_t n);
void dct_forward(double *a, size_t n, double *room);
void dct_inverse(double *a, size_t n, double *room);

#endif
