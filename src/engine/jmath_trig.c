/* SPDX-License-Identifier: Apache-2.0 */
/* Math.sin, cos and tan as the Intel LIBM in HotSpot has them; see jmath.c. */
#include "scored/java.h"

#include "jmath_priv.h"

#include <math.h>
#include <stdbool.h>

/* An angle as high + low, to be turned by so many steps of pi/32. */
struct angle {
    double high;
    double low;
    int steps;
};

/* The sine; |angle| < 90112. */
static double sine_of(struct angle angle)
{
    const double steps_per_unit = 0x1.45f306dc9c883p+3; /* 32 / pi */
    const double step1 = 0x1.921fb544p-4, step2 = 0x1.0b4611a6p-38, step3 = 0x1.3198a2e037073p-73;
    const double s3 = -0x1.5555555555555p-3, s5 = 0x1.1111111111111p-7;
    const double s7 = -0x1.a01a01a01a01ap-13, s9 = 0x1.71de3a556c734p-19;
    const double c2 = -0.5, c4 = 0x1.5555555555555p-5, c6 = -0x1.6c16c16c16c17p-10,
                 c8 = 0x1.a01a01a01a01ap-16;

    double x = angle.high;
    int n = j_d2i(x * steps_per_unit + copysign(0.5, x));
    double r1 = x - n * step1;
    double r = r1 - n * step2;
    double minus_c = (n * step3 - ((r1 - r) - n * step2)) - angle.low; /* the angle is r + c */
    const struct jm_angle *b = &jm_angles[(n + angle.steps) & 63];

    double slope = b->cos_rest + b->sigma; /* cos b */
    double corr = minus_c * (b->sin_hi * r - slope) + b->sin_lo;
    double r2 = r * r, r4 = r2 * r2;
    double sines = ((s3 + s5 * r2) + (s7 + s9 * r1 * r) * r4) * (slope * r * r2);
    double cosines = ((c2 + c4 * r2) + (c6 + c8 * r1 * r) * r4) * (b->sin_hi * r2);

    double turned = b->sigma * r, rest = b->cos_rest * r;
    double sum = turned + b->sin_hi;
    double result = rest + sum;
    double lost = corr + ((b->sin_hi - sum) + turned);
    return result + (((lost + ((sum - result) + rest)) + sines) + cosines);
}

__extension__ typedef unsigned __int128 wide;

/* A fraction of 192 bits, the most significant limb first. */
struct fraction {
    uint64_t limb[3];
};

/* mantissa times six words of 2/pi, cut to 192 bits, plus the overflow of a seventh times the
 * mantissa's upper half. */
static struct fraction times_two_over_pi(uint64_t mantissa, const uint32_t *words)
{
    struct fraction f;
    wide product =
        (wide)mantissa * ((uint64_t)words[4] << 32 | words[5]) + (wide)words[6] * (mantissa >> 32);
    f.limb[2] = (uint64_t)product;
    product = (wide)mantissa * ((uint64_t)words[2] << 32 | words[3]) + (uint64_t)(product >> 64);
    f.limb[1] = (uint64_t)product;
    f.limb[0] = mantissa * ((uint64_t)words[0] << 32 | words[1]) + (uint64_t)(product >> 64);
    return f;
}

/* 2^point - f, where the first limb of f has point fraction bits. */
static void complement(struct fraction *f, int point)
{
    bool borrow = f->limb[2] != 0;
    f->limb[2] = -f->limb[2];
    bool next = f->limb[1] != 0 || borrow;
    f->limb[1] = -f->limb[1] - borrow;
    f->limb[0] = (UINT64_C(1) << point) - f->limb[0] - next;
}

/* Shifts f until its first limb has thirty bits; returns by how much to the left. */
static int normalise(struct fraction *f)
{
    int moved = 0;
    while (f->limb[0] == 0 && moved < 128) {
        f->limb[0] = f->limb[1];
        f->limb[1] = f->limb[2];
        f->limb[2] = 0;
        moved += 64;
    }
    if (f->limb[0] == 0)
        return moved;
    int shift = __builtin_clzll(f->limb[0]) - 34;
    if (shift > 0) {
        f->limb[0] = f->limb[0] << shift | f->limb[1] >> (64 - shift);
        f->limb[1] = f->limb[1] << shift | f->limb[2] >> (64 - shift);
    } else if (shift < 0) {
        f->limb[1] = f->limb[1] >> -shift | f->limb[0] << (64 + shift);
        f->limb[0] >>= -shift;
    }
    return moved + shift;
}

/* pi/4 in two parts, short enough for thirty bits times the first to be exact. */
static const double sine_quarter[2] = {0x1.921fb4p-1, 0x1.4442d18469899p-25};
static const double tangent_quarter[2] = {0x1.921fbp-1, 0x1.5110b4611a626p-23};

/*
 * Any finite x of 2^12 or more, by multiplying with 2/pi: the nearest multiple of pi/4 as steps,
 * and the rest. With quadrants set the nearest multiple of pi/2.
 */
static struct angle reduce_large(double x, bool quadrants, const double quarter[2])
{
    int place = biased_exponent(x) - 1014;
    int point = 60 - place % 32; /* of the first limb, the bits after the point in units of pi/4 */
    int whole = point + (quadrants ? 1 : 0);
    uint64_t mantissa = (bits_of(x) & FRACTION_BITS) | UINT64_C(1) << 52;
    struct fraction f = times_two_over_pi(mantissa, &jm_two_over_pi[place / 32]);
    int turns = (int)(f.limb[0] >> whole & 7);
    bool above_half = f.limb[0] >> (whole - 1) & 1;
    f.limb[0] &= (UINT64_C(1) << whole) - 1;
    if (above_half) {
        complement(&f, whole);
        turns++;
    }
    point += normalise(&f);

    double unit = above_half != (bool)signbit(x) ? -1.0 : 1.0;
    double head = (double)f.limb[0] * (unit * power_of_two(-point));
    double tail = (double)(int64_t)(f.limb[1] >> 1) * (unit * power_of_two(-point - 63));
    double high = head * quarter[0];
    double low = quarter[1] * (head + tail) + tail * quarter[0];
    int steps = turns * (quadrants ? 16 : 8);
    struct angle angle = {high + low, 0.0, signbit(x) ? -steps : steps};
    angle.low = low + (high - angle.high);
    return angle;
}

/* turn is 0 for the sine, 16 steps of pi/32 for the cosine. */
static double sine_or_cosine(double x, int turn)
{
    uint32_t top = top16(x) & 0x7fff;
    if (top >= 0x7ff0)
        return x * -0.0;
    if (top < 0x3030) /* |x| < 2^-252 */
        return turn ? 1.0 : x;
    struct angle angle = {x, 0.0, 0};
    if (top > 0x40f5) /* |x| >= 90112 */
        angle = reduce_large(x, false, sine_quarter);
    angle.steps += turn;
    return sine_of(angle);
}

double jm_sin(double x)
{
    return sine_or_cosine(x, 0);
}

double jm_cos(double x)
{
    return sine_or_cosine(x, 16);
}

/* c2 r^2 + ... + c15 r^15 in the reference's order; c[0] belongs to r^2. */
static double tangent_series(const double c[14], double r)
{
    double r2 = r * r, r4 = r2 * r2, r5 = r * r4, r8 = r4 * r4;
    double far = ((c[6] + c[7] * r) + (c[8] + c[9] * r) * r2) + c[10] * r4;
    double near = (0.0 + (c[0] + c[1] * r) * r2) + c[2] * r4;
    far += ((c[11] + c[12] * r) + c[13] * r2) * r5;
    near += ((c[3] + c[4] * r) + c[5] * r2) * r5;
    return r8 * far + near;
}

/* |x| < 2^31. */
static double nearest(double x)
{
    return (double)j_d2i(x + copysign(0.5, x));
}

/* The tangent; |angle| < 12800. */
static double tangent_of(struct angle angle)
{
    const double per_quadrant = 0x1.45f306dc9c883p-1, per_step = 0x1.45f306dc9c883p+3;
    double x = angle.high;
    double n = nearest(x * per_step), quadrant = 16.0 * nearest(x * per_quadrant);

    /* The angle is n pi/32 + r + c, and also quadrant pi/32 + pole + pole_rest, with a short pole.
     */
    double r1 = x - n * 0x1.921fb5444p-4;
    double r = r1 - n * 0x1.68c234c4cp-43;
    double c = (((r1 - r) - n * 0x1.68c234c4cp-43) - n * 0x1.98a2e03707345p-81) + angle.low;
    double q1 = x - quadrant * 0x1.921fb54444p-4;
    double q2 = quadrant * -0x1.2e7b967674p-44;
    double q = q1 - q2;
    double pole = keep(quadrant * 0x1.2e7b9676733afp-44 + q1, UINT64_C(0xfffffffffffc0000));
    double pole_rest =
        ((((q1 - q) - q2) - quadrant * 0x1.8a2e03707344ap-85) + angle.low) + (q - pole);

    const struct jm_tangent *row = &jm_tangents[(j_d2i(n) + angle.steps) & 31];
    double series = tangent_series(row->c, r);
    double turned = row->sigma * r, rest = row->slope_rest * r;
    double middle = turned + rest;
    double lost = rest + (turned - middle);
    double low = series + ((((row->sigma + row->slope_rest) * c) + row->lo) + lost);

    /* tau is 1 where the tangent is taken as a series less 1 / (pole + pole_rest), else 0. */
    double reciprocal = 1.0 / pole;
    double short_reciprocal = row->tau != 0 ? keep(reciprocal, UINT64_C(0xfffffff800000000)) : 0.0;
    double reciprocal_rest =
        ((1.0 - pole * short_reciprocal) - pole_rest * reciprocal) * (reciprocal * row->tau);
    double high = short_reciprocal - row->hi;
    double result = middle - high;
    low += middle - (result + high);
    return (low - reciprocal_rest) + result;
}

/* 2^-29 <= |x| < 0.1015625 */
static double tangent_small(double x)
{
    const double q3 = 0x1.5555555555612p-2, q5 = 0x1.1111111092746p-3, q7 = 0x1.ba1ba52c4c8abp-5;
    const double q9 = 0x1.664a0bf847a43p-6, q11 = 0x1.2609ab8fe4d77p-7;
    double square = x * x, cube = x * square;
    return x + ((((q11 * square + q9) * square + q7) * square + q5) * square + q3) * cube;
}

double jm_tan(double x)
{
    uint32_t top = top16(x) & 0x7fff;
    if (top >= 0x7ff0)
        return x * -0.0;
    if (top < 0x3e20)
        return x;
    if (top < 0x3fba)
        return tangent_small(x);
    if (top > 0x40c8) /* |x| >= 12800 */
        return tangent_of(reduce_large(x, true, tangent_quarter));
    return tangent_of((struct angle){x, 0.0, 0});
}
