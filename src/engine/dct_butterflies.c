/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of 2, 3, 4 and 5 numbers that JTransforms' passes are made of, in its order. */
#include "dct_priv.h"

#include <stddef.h>

#define TAU_R     -0.5
#define TAU_I     0.866025403784438707610604524234076962
#define HALF_ROOT 0.707106781186547572737310929369414225
#define ROOT      1.41421356237309514547462185873882845
#define C1        0.309016994374947451262869435595348477
#define S1        0.951056516295153531181938433292089030
#define C2        -0.809016994374947340240566973079694435
#define S2        0.587785252292473248125759255344746634

/* -- forward butterflies: z becomes y; x, all real, becomes rows -- */

static void forward2(const struct pair *z, struct pair *y)
{
    y[0] = (struct pair){z[0].re + z[1].re, z[0].im + z[1].im};
    y[1] = (struct pair){z[0].re - z[1].re, z[1].im - z[0].im};
}
static void forward2_real(const double *x, double *r)
{
    r[0] = x[0] + x[1];
    r[1] = x[0] - x[1];
}
static void forward2_end(const double *x, double *r)
{
    r[0] = x[0];
    r[1] = -x[1];
}

static void forward3(const struct pair *z, struct pair *y)
{
    struct pair c = {z[1].re + z[2].re, z[1].im + z[2].im};
    double tr2 = z[0].re + TAU_R * c.re, ti2 = z[0].im + TAU_R * c.im;
    double tr3 = TAU_I * (z[1].im - z[2].im), ti3 = TAU_I * (z[2].re - z[1].re);

    y[0] = (struct pair){z[0].re + c.re, z[0].im + c.im};
    y[1] = (struct pair){tr2 - tr3, ti3 - ti2};
    y[2] = (struct pair){tr2 + tr3, ti2 + ti3};
}
static void forward3_real(const double *x, double *r)
{
    double c = x[1] + x[2];

    r[0] = x[0] + c;
    r[1] = x[0] + TAU_R * c;
    r[2] = TAU_I * (x[2] - x[1]);
}

static void forward4(const struct pair *z, struct pair *y)
{
    double tr1 = z[1].re + z[3].re, tr4 = z[3].re - z[1].re;
    double ti1 = z[1].im + z[3].im, ti4 = z[1].im - z[3].im;
    double ti2 = z[0].im + z[2].im, ti3 = z[0].im - z[2].im;
    double tr2 = z[0].re + z[2].re, tr3 = z[0].re - z[2].re;

    y[0] = (struct pair){tr1 + tr2, ti1 + ti2};
    y[1] = (struct pair){tr3 - ti4, tr4 - ti3};
    y[2] = (struct pair){ti4 + tr3, tr4 + ti3};
    y[3] = (struct pair){tr2 - tr1, ti1 - ti2};
}
static void forward4_real(const double *x, double *r)
{
    double t1 = x[1] + x[3], t2 = x[0] + x[2];

    r[0] = t1 + t2;
    r[1] = x[0] - x[2];
    r[2] = x[3] - x[1];
    r[3] = t2 - t1;
}
static void forward4_end(const double *x, double *r)
{
    double ti = -HALF_ROOT * (x[1] + x[3]), tr = HALF_ROOT * (x[1] - x[3]);

    r[0] = tr + x[0];
    r[1] = ti - x[2];
    r[2] = x[0] - tr;
    r[3] = ti + x[2];
}

static void forward5(const struct pair *z, struct pair *y)
{
    double cr2 = z[1].re + z[4].re, ci5 = z[4].re - z[1].re;
    double cr5 = z[1].im - z[4].im, ci2 = z[1].im + z[4].im;
    double cr3 = z[2].re + z[3].re, ci4 = z[3].re - z[2].re;
    double cr4 = z[2].im - z[3].im, ci3 = z[2].im + z[3].im;
    double tr2 = z[0].re + C1 * cr2 + C2 * cr3, ti2 = z[0].im + C1 * ci2 + C2 * ci3;
    double tr3 = z[0].re + C2 * cr2 + C1 * cr3, ti3 = z[0].im + C2 * ci2 + C1 * ci3;
    double tr5 = S1 * cr5 + S2 * cr4, ti5 = S1 * ci5 + S2 * ci4;
    double tr4 = S2 * cr5 - S1 * cr4, ti4 = S2 * ci5 - S1 * ci4;

    y[0] = (struct pair){z[0].re + cr2 + cr3, z[0].im + ci2 + ci3};
    y[1] = (struct pair){tr2 - tr5, ti5 - ti2};
    y[2] = (struct pair){tr2 + tr5, ti2 + ti5};
    y[3] = (struct pair){tr3 - tr4, ti4 - ti3};
    y[4] = (struct pair){tr3 + tr4, ti3 + ti4};
}
static void forward5_real(const double *x, double *r)
{
    double cr2 = x[4] + x[1], ci5 = x[4] - x[1], cr3 = x[3] + x[2], ci4 = x[3] - x[2];

    r[0] = x[0] + cr2 + cr3;
    r[1] = x[0] + C1 * cr2 + C2 * cr3;
    r[2] = S1 * ci5 + S2 * ci4;
    r[3] = x[0] + C2 * cr2 + C1 * cr3;
    r[4] = S2 * ci5 - S1 * ci4;
}

/* -- backward: rows y become z, before its twiddles -- */

static void backward2(const struct pair *y, struct pair *z)
{
    z[0] = (struct pair){y[0].re + y[1].re, y[0].im - y[1].im};
    z[1] = (struct pair){y[0].re - y[1].re, y[0].im + y[1].im};
}
static void backward2_end(const double *r, double *x)
{
    x[0] = 2 * r[0];
    x[1] = -2 * r[1];
}

static void backward3(const struct pair *y, struct pair *z)
{
    double tr2 = y[2].re + y[1].re, cr2 = y[0].re + TAU_R * tr2;
    double ti2 = y[2].im - y[1].im, ci2 = y[0].im + TAU_R * ti2;
    double cr3 = TAU_I * (y[2].re - y[1].re), ci3 = TAU_I * (y[2].im + y[1].im);

    z[0] = (struct pair){y[0].re + tr2, y[0].im + ti2};
    z[1] = (struct pair){cr2 - ci3, ci2 + cr3};
    z[2] = (struct pair){cr2 + ci3, ci2 - cr3};
}
static void backward3_real(const double *r, double *x)
{
    double tr2 = 2 * r[1], cr2 = r[0] + TAU_R * tr2, ci3 = 2 * TAU_I * r[2];

    x[0] = r[0] + tr2;
    x[1] = cr2 - ci3;
    x[2] = cr2 + ci3;
}

static void backward4(const struct pair *y, struct pair *z)
{
    double ti1 = y[0].im + y[3].im, ti2 = y[0].im - y[3].im;
    double ti3 = y[2].im - y[1].im, tr4 = y[2].im + y[1].im;
    double tr1 = y[0].re - y[3].re, tr2 = y[0].re + y[3].re;
    double ti4 = y[2].re - y[1].re, tr3 = y[2].re + y[1].re;

    z[0] = (struct pair){tr2 + tr3, ti2 + ti3};
    z[1] = (struct pair){tr1 - tr4, ti1 + ti4};
    z[2] = (struct pair){tr2 - tr3, ti2 - ti3};
    z[3] = (struct pair){tr1 + tr4, ti1 - ti4};
}
static void backward4_real(const double *r, double *x)
{
    double t1 = r[0] - r[3], t2 = r[0] + r[3], t3 = r[1] + r[1], t4 = r[2] + r[2];

    x[0] = t2 + t3;
    x[1] = t1 - t4;
    x[2] = t2 - t3;
    x[3] = t1 + t4;
}
static void backward4_end(const double *r, double *x)
{
    double ti1 = r[1] + r[3], ti2 = r[3] - r[1], tr1 = r[0] - r[2], tr2 = r[0] + r[2];

    x[0] = tr2 + tr2;
    x[1] = ROOT * (tr1 - ti1);
    x[2] = ti2 + ti2;
    x[3] = -ROOT * (tr1 + ti1);
}

static void backward5(const struct pair *y, struct pair *z)
{
    double ti5 = y[2].im + y[1].im, ti2 = y[2].im - y[1].im;
    double ti4 = y[4].im + y[3].im, ti3 = y[4].im - y[3].im;
    double tr5 = y[2].re - y[1].re, tr2 = y[2].re + y[1].re;
    double tr4 = y[4].re - y[3].re, tr3 = y[4].re + y[3].re;
    double cr2 = y[0].re + C1 * tr2 + C2 * tr3, ci2 = y[0].im + C1 * ti2 + C2 * ti3;
    double cr3 = y[0].re + C2 * tr2 + C1 * tr3, ci3 = y[0].im + C2 * ti2 + C1 * ti3;
    double cr5 = S1 * tr5 + S2 * tr4, ci5 = S1 * ti5 + S2 * ti4;
    double cr4 = S2 * tr5 - S1 * tr4, ci4 = S2 * ti5 - S1 * ti4;

    z[0] = (struct pair){y[0].re + tr2 + tr3, y[0].im + ti2 + ti3};
    z[1] = (struct pair){cr2 - ci5, ci2 + cr5};
    z[2] = (struct pair){cr3 - ci4, ci3 + cr4};
    z[3] = (struct pair){cr3 + ci4, ci3 - cr4};
    z[4] = (struct pair){cr2 + ci5, ci2 - cr5};
}
static void backward5_real(const double *r, double *x)
{
    double ti5 = 2 * r[2], ti4 = 2 * r[4], tr2 = 2 * r[1], tr3 = 2 * r[3];
    double cr2 = r[0] + C1 * tr2 + C2 * tr3, cr3 = r[0] + C2 * tr2 + C1 * tr3;
    double ci5 = S1 * ti5 + S2 * ti4, ci4 = S2 * ti5 - S1 * ti4;

    x[0] = r[0] + tr2 + tr3;
    x[1] = cr2 - ci5;
    x[2] = cr3 - ci4;
    x[3] = cr3 + ci4;
    x[4] = cr2 + ci5;
}

const struct butterfly dct_butterflies[BUTTERFLY_MOST + 1] = {
    [2] = {forward2, backward2, forward2_real, forward2_end, forward2_real, backward2_end},
    [3] = {forward3, backward3, forward3_real, NULL, backward3_real, NULL},
    [4] = {forward4, backward4, forward4_real, forward4_end, backward4_real, backward4_end},
    [5] = {forward5, backward5, forward5_real, NULL, backward5_real, NULL},
};
