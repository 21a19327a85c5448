/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the cosine transforms share. */
#ifndef SCORED_DCT_PRIV_H
#define SCORED_DCT_PRIV_H

#include "dct.h"

#include <stdbool.h>

struct pair {
    double re, im;
};

/* Twiddles of transforms of 2 n_w pairs, which take n_w doubles of room. */
struct split {
    size_t n_w;
    const double *w;
};
void split_plan(struct split *s, size_t n_w, double *room);

/* The Fourier transform of n pairs, n = 2^k >= 2. */
void split_transform(const struct split *s, double *a, size_t n, bool inverse);

/* Of n >= 2 real numbers, no power of two, and back; 2 n doubles of room. The real part of entry 0,
 * then the pairs of the following ones, and where n is even the real part of the middle one. */
void passes_forward(double *a, size_t n, double *room);
void passes_backward(double *a, size_t n, double *room);

enum { BUTTERFLY_MOST = 5 };

typedef void pairs_fn(const struct pair *, struct pair *);
typedef void reals_fn(const double *, double *);

/* Transforms of 2 to 5: of pairs, of what is real, and of what stands at the end of an even block;
 * forward sequences become rows, backward rows sequences. */
struct butterfly {
    pairs_fn *forward, *backward;
    reals_fn *forward_real, *forward_end, *backward_real, *backward_end;
};
extern const struct butterfly dct_butterflies[BUTTERFLY_MOST + 1];

#endif
