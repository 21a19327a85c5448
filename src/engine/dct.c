/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cosine transforms of JTransforms 3.1, DCT-II and its inverse, scaled, to the bit. Of 2^n
 * numbers the sums and differences of neighbours are a complex sequence of half the length; the
 * halves of its transform (dct_split.c) are taken apart, and turned. Of others twice as many,
 * mirrored, go through a Fourier transform, by passes of its factors (dct_passes.c), or where what
 * is left without 2, 3 and 5 is 211 and more, by Bluestein's convolution with a chirp.
 */
#include "dct_priv.h"

#include "scored/fastmath.h"

#include <math.h>
#include <string.h>

#define PI         3.14159265358979311599796346854418516
#define QUARTER_PI 0.785398163397448278999490867136046290

static bool is_power_of_two(size_t n)
{
    return (n & (n - 1)) == 0;
}

/* Whether the Fourier transform of n numbers is by Bluestein's. */
static bool is_rough(size_t n)
{
    static const size_t smooth[] = {2, 3, 5};

    for (unsigned i = 0; i < 3; i++)
        while (n % smooth[i] == 0)
            n /= smooth[i];
    return n >= 211;
}

/* The least 2^k of at least 2 n - 1. */
static size_t padded(size_t n)
{
    size_t size = 1;

    while (size < 2 * n - 1)
        size *= 2;
    return size;
}

size_t dct_room(size_t n)
{
    size_t two = 2 * (size_t)n;

    if (is_power_of_two(n))
        return two;
    return two +
           (is_rough(2 * n) ? 2 * two + 4 * (size_t)padded(2 * n) + padded(2 * n) / 2 : 2 * two);
}

/* What Bluestein's needs: a chirp, its transform, and room for what is convolved. */
struct chirp {
    size_t n, size;
    double *turns, *kernel, *pairs;
    struct split split;
};

static void plan_chirp(struct chirp *c, size_t n, double *room)
{
    double step = PI / (double)n;
    size_t size = padded(n);
    double scale = 1.0 / (double)size;

    *c = (struct chirp){n, size, room, room + 2 * n, room + 2 * n + 2 * size, {0}};
    split_plan(&c->split, size / 2, c->pairs + 2 * size);
    memset(c->kernel, 0, 2 * size * sizeof(double));
    for (size_t i = 0, k = 0; i < n; i++) {
        double *turn = c->turns + 2 * i;
        if (i > 0)
            k = (k + 2 * i - 1) % (2 * n);
        turn[0] = i == 0 ? 1 : fm_cos(step * (double)k);
        turn[1] = i == 0 ? 0 : fm_sin(step * (double)k);
        for (unsigned j = 0; j < 2; j++) {
            c->kernel[2 * i + j] = turn[j] * scale;
            if (i > 0)
                c->kernel[2 * (size - i) + j] = turn[j] * scale;
        }
    }
    split_transform(&c->split, c->kernel, size, true);
}

/* Convolves the pairs with the chirp; sign 1 or -1 is that of the kernel's imaginary part. */
static void convolve(struct chirp *c, double sign)
{
    split_transform(&c->split, c->pairs, c->size, true);
    for (size_t i = 0; i < c->size; i++) {
        double *p = c->pairs + 2 * i, re = c->kernel[2 * i], im = sign * c->kernel[2 * i + 1];
        double x = p[0] * im + p[1] * re;
        p[0] = p[0] * re - p[1] * im;
        p[1] = x;
    }
    split_transform(&c->split, c->pairs, c->size, false);
}

static void chirp_forward(double *a, size_t n, double *room)
{
    struct chirp c;

    plan_chirp(&c, n, room);
    memset(c.pairs, 0, 2 * c.size * sizeof(double));
    for (size_t i = 0; i < n; i++) {
        c.pairs[2 * i] = a[i] * c.turns[2 * i];
        c.pairs[2 * i + 1] = -a[i] * c.turns[2 * i + 1];
    }
    convolve(&c, 1);
    const double *t = c.turns, *p = c.pairs;
    for (size_t i = 0; i < n; i += 2) {
        a[i] = t[i] * p[i] + t[i + 1] * p[i + 1];
        a[i + 1] = -t[i + 1] * p[i] + t[i] * p[i + 1];
    }
    a[1] = t[n] * p[n] + t[n + 1] * p[n + 1];
}

static void chirp_backward(double *a, size_t n, double *room)
{
    struct chirp c;

    plan_chirp(&c, n, room);
    double *t = c.turns, *p = c.pairs;
    memset(p, 0, 2 * c.size * sizeof(double));
    p[0] = a[0] * t[0];
    p[1] = a[0] * t[1];
    for (size_t i = 2; i < n; i += 2) {
        p[i] = a[i] * t[i] - a[i + 1] * t[i + 1];
        p[i + 1] = a[i] * t[i + 1] + a[i + 1] * t[i];
    }
    p[n] = a[1] * t[n];
    p[n + 1] = a[1] * t[n + 1];
    for (size_t i = n + 2; i < 2 * n; i += 2) {
        const double *b = a + 2 * n - i;
        p[i] = b[0] * t[i] + b[1] * t[i + 1];
        p[i + 1] = b[0] * t[i + 1] - b[1] * t[i];
    }
    convolve(&c, -1);
    for (size_t i = 0; i < n; i++)
        a[i] = t[2 * i] * p[2 * i] - t[2 * i + 1] * p[2 * i + 1];
}

/* Of an even n of numbers: the real parts of entries 0 and n/2, then the pairs of 1 to n/2 - 1. */
static void fourier(double *a, size_t n, double *room)
{
    if (is_rough(n)) {
        chirp_forward(a, n, room);
        return;
    }
    passes_forward(a, n, room);
    double middle = a[n - 1];
    memmove(a + 2, a + 1, (n - 2) * sizeof *a);
    a[1] = middle;
}

static void fourier_back(double *a, size_t n, double *room)
{
    if (is_rough(n))
        chirp_backward(a, n, room);
    else {
        double middle = a[1];
        memmove(a + 1, a + 2, (n - 2) * sizeof *a);
        a[n - 1] = middle;
        passes_backward(a, n, room);
    }
    for (size_t i = 0; i < n; i++)
        a[i] *= 1.0 / (double)n;
}

static double cosine(size_t i, double step)
{
    return i == 0 ? 1 : fm_cos(step * (double)i);
}
static double minus_sine(size_t i, double step)
{
    return i == 0 ? 0 : -fm_sin(step * (double)i);
}

static void forward(double *a, size_t n, double *room)
{
    double *t = room, step = PI / (double)(2 * n), by = 1 / sqrt((double)(2 * n));

    memcpy(t, a, n * sizeof *a);
    for (size_t i = 0; i < n; i++)
        t[2 * n - 1 - i] = a[i];
    fourier(t, 2 * n, room + 2 * n);
    for (size_t i = 0; i < n; i++)
        a[i] = (cosine(i, step) * t[2 * i] - minus_sine(i, step) * t[2 * i + 1]) * by;
    a[0] = a[0] / sqrt(2.0);
}

static void inverse(double *a, size_t n, double *room)
{
    double *t = room, step = PI / (double)(2 * n), by = sqrt((double)(2 * n));

    for (size_t i = 0; i < n; i++)
        a[i] *= by;
    a[0] = a[0] * sqrt(2.0);
    for (size_t i = 0; i < n; i++) {
        t[2 * i] = cosine(i, step) * a[i];
        t[2 * i + 1] = -minus_sine(i, step) * a[i];
    }
    fourier_back(t, 2 * n, room + 2 * n);
    memcpy(a, t, n * sizeof *a);
}

/* -- 2^n numbers -- */

/* Half cosines and sines of multiples of pi/4 over n/2; c[0] is not halved. */
static void half_angles(size_t n, double *c)
{
    size_t half = n / 2;
    double step = QUARTER_PI / (double)half;

    c[0] = fm_cos(step * (double)half);
    c[half] = 0.5 * c[0];
    for (size_t j = 1; j < half; j++) {
        c[j] = 0.5 * fm_cos(step * (double)j);
        c[n - j] = 0.5 * fm_sin(step * (double)j);
    }
}

/* The transform of reals from that of pairs, or back, sign being -1 or 1. */
static void take_apart(size_t n, double *a, const double *c, double sign)
{
    for (size_t j = 2, k = 4; j < n / 2; j += 2, k += 4) {
        double *low = a + j, *high = a + n - j;
        double wr = 0.5 - c[n - k], wi = c[k];
        double re = low[0] - high[0], im = low[1] + high[1];
        double yr = sign > 0 ? wr * re - wi * im : wr * re + wi * im;
        double yi = sign > 0 ? wr * im + wi * re : wr * im - wi * re;
        low[0] -= yr;
        low[1] -= yi;
        high[0] += yr;
        high[1] -= yi;
    }
}

static void turn_all(size_t n, double *a, const double *c)
{
    for (size_t j = 1; j < n / 2; j++) {
        double wr = c[j] - c[n - j], wi = c[j] + c[n - j], x = wi * a[j] - wr * a[n - j];
        a[j] = wr * a[j] + wi * a[n - j];
        a[n - j] = x;
    }
    a[n / 2] *= c[0];
}

static void scale(double *a, size_t n)
{
    double by = sqrt(2.0 / (double)n);

    for (size_t i = 0; i < n; i++)
        a[i] *= by;
    a[0] = a[0] / sqrt(2.0);
}

static void split_forward(double *a, size_t n, double *room)
{
    double *c = room, last = a[n - 1];
    struct split s;

    half_angles(n, c);
    split_plan(&s, n / 4, room + n);
    for (size_t j = n; (j -= 2) >= 2;) {
        a[j + 1] = a[j] - a[j - 1];
        a[j] += a[j - 1];
    }
    a[1] = a[0] - last;
    a[0] += last;
    if (n > 4)
        take_apart(n, a, c, -1);
    if (n >= 4)
        split_transform(&s, a, n / 2, true);
    turn_all(n, a, c);
    scale(a, n);
}

static void split_inverse(double *a, size_t n, double *room)
{
    double *c = room, last;
    struct split s;

    half_angles(n, c);
    split_plan(&s, n / 4, room + n);
    scale(a, n);
    turn_all(n, a, c);
    if (n >= 4)
        split_transform(&s, a, n / 2, false);
    if (n > 4)
        take_apart(n, a, c, 1);
    last = a[0] - a[1];
    a[0] += a[1];
    for (size_t j = 2; j < n; j += 2) {
        a[j - 1] = a[j] - a[j + 1];
        a[j] += a[j + 1];
    }
    a[n - 1] = last;
}

void dct_forward(double *a, size_t n, double *room)
{
    if (n > 1)
        (is_power_of_two(n) ? split_forward : forward)(a, n, room);
}

void dct_inverse(double *a, size_t n, double *room)
{
    if (n > 1)
        (is_power_of_two(n) ? split_inverse : inverse)(a, n, room);
}
