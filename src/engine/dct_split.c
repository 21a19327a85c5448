/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JTransforms' Fourier transforms of 2^n pairs, by Ooura's split radix. A complex sequence of more
 * than 16 is cut into quarters by a step of four, and each again, by a step of two kinds, until 8
 * or 16 are left, which have a transform of each kind. The order that this leaves is that of
 * reversed bits. Twiddles stand in levels of `size` doubles, 2 `size` before the end: 1, cos pi/4,
 * then of each second angle the cosines and sines of it and of its triple.
 */
#include "dct_priv.h"

#include "scored/fastmath.h"

#include <string.h>

#define QUARTER_PI 0.785398163397448278999490867136046290

static inline struct pair plus(struct pair a, struct pair b)
{
    return (struct pair){a.re + b.re, a.im + b.im};
}
static inline struct pair minus(struct pair a, struct pair b)
{
    return (struct pair){a.re - b.re, a.im - b.im};
}
/* a + i b and a - i b */
static inline struct pair plus_i(struct pair a, struct pair b)
{
    return (struct pair){a.re - b.im, a.im + b.re};
}
static inline struct pair minus_i(struct pair a, struct pair b)
{
    return (struct pair){a.re + b.im, a.im - b.re};
}
static inline struct pair times(double re, double im, struct pair a)
{
    return (struct pair){re * a.re - im * a.im, re * a.im + im * a.re};
}
/* By w (1 + i) and w (1 - i). */
static inline struct pair turn(double w, struct pair a)
{
    return (struct pair){w * (a.re - a.im), w * (a.re + a.im)};
}
static inline struct pair turn_back(double w, struct pair a)
{
    return (struct pair){w * (a.re + a.im), w * (a.im - a.re)};
}

/* The transform of z[0], z[step], z[2 step] and z[3 step]. */
static void transform4(const struct pair *z, size_t step, struct pair *y)
{
    struct pair x0 = plus(z[0], z[2 * step]), x1 = minus(z[0], z[2 * step]);
    struct pair x2 = plus(z[step], z[3 * step]), x3 = minus(z[step], z[3 * step]);

    y[0] = plus(x0, x2);
    y[1] = plus_i(x1, x3);
    y[2] = minus(x0, x2);
    y[3] = minus_i(x1, x3);
}

/* a + b, a - b, c + i d, c - i d */
static void put(struct pair *z, struct pair a, struct pair b, struct pair c, struct pair d)
{
    z[0] = plus(a, b);
    z[1] = minus(a, b);
    z[2] = plus_i(c, d);
    z[3] = minus_i(c, d);
}

/* As times, by the conjugate. */
static inline struct pair times_back(double re, double im, struct pair a)
{
    return (struct pair){re * a.re + im * a.im, re * a.im - im * a.re};
}

static const double *level(const struct split *s, size_t size)
{
    return s->w + s->n_w - 2 * size;
}

static void first8(const struct split *s, struct pair *z)
{
    double w = s->w[1];
    struct pair y[4], t[4];

    transform4(z, 2, y);
    transform4(z + 1, 2, t);
    put(z, y[0], t[0], y[2], t[2]);
    put(z + 4, y[1], turn(w, t[1]), y[3], turn(w, t[3]));
}

static void second8(const struct split *s, struct pair *z)
{
    const double *w = level(s, 4);
    struct pair y0 = plus_i(z[0], z[4]), y1 = minus_i(z[0], z[4]);
    struct pair y2 = turn(w[1], plus_i(z[2], z[6])), y3 = turn(w[1], minus_i(z[2], z[6]));
    struct pair y4 = times(w[2], w[3], plus_i(z[1], z[5]));
    struct pair y5 = times(w[3], w[2], minus_i(z[1], z[5]));
    struct pair y6 = times(w[3], w[2], plus_i(z[3], z[7]));
    struct pair y7 = times(w[2], w[3], minus_i(z[3], z[7]));

    put(z, plus(y0, y2), plus(y4, y6), minus(y0, y2), minus(y4, y6));
    put(z + 4, plus_i(y1, y3), minus(y5, y7), minus_i(y1, y3), plus(y5, y7));
}

static void first16(const struct split *s, struct pair *z)
{
    const double *v = level(s, 4);
    double w = v[1], re = v[2], im = v[3];
    struct pair a[4], b[4], c[4], d[4];

    transform4(z, 4, a);
    transform4(z + 1, 4, b);
    transform4(z + 2, 4, c);
    transform4(z + 3, 4, d);
    put(z, plus(a[0], c[0]), plus(b[0], d[0]), minus(a[0], c[0]), minus(b[0], d[0]));
    put(z + 4, plus_i(a[2], c[2]), turn(w, plus_i(b[2], d[2])), minus_i(a[2], c[2]),
        turn(w, minus_i(b[2], d[2])));
    b[1] = times(re, im, b[1]);
    c[1] = turn(w, c[1]);
    d[1] = times(im, re, d[1]);
    put(z + 8, plus(a[1], c[1]), plus(b[1], d[1]), minus(a[1], c[1]), minus(b[1], d[1]));
    b[3] = times(im, re, b[3]);
    c[3] = turn_back(w, c[3]);
    d[3] = times(re, im, d[3]);
    put(z + 12, minus(a[3], c[3]), minus(b[3], d[3]), plus(a[3], c[3]), plus(b[3], d[3]));
}

/* x + y and x - y, of one kind of sum and of the other. */
struct both {
    struct pair sum, rest;
};

static struct both add_both(struct pair x, struct pair y)
{
    return (struct both){plus(x, y), minus(x, y)};
}

static void second16(const struct split *s, struct pair *z)
{
    const double *w = level(s, 16);
    double w1r = w[4], w1i = w[5], w3r = w[6], w3i = -w[7], w2r = w[8], w2i = w[9];
    struct pair x = turn(w[1], minus_i(z[4], z[12]));
    struct both a = add_both(plus_i(z[0], z[8]), turn(w[1], plus_i(z[4], z[12])));
    struct both e = {plus_i(minus_i(z[0], z[8]), x), minus_i(minus_i(z[0], z[8]), x)};
    struct both b =
        add_both(times(w1r, w1i, plus_i(z[1], z[9])), times(w3i, w3r, plus_i(z[5], z[13])));
    struct both f =
        add_both(times(w3r, w3i, minus_i(z[1], z[9])), times_back(w1r, w1i, minus_i(z[5], z[13])));
    struct both c =
        add_both(times(w2r, w2i, plus_i(z[2], z[10])), times(w2i, w2r, plus_i(z[6], z[14])));
    struct both g =
        add_both(times(w2i, w2r, minus_i(z[2], z[10])), times(w2r, w2i, minus_i(z[6], z[14])));
    struct both d =
        add_both(times(w3r, w3i, plus_i(z[3], z[11])), times(w1i, w1r, plus_i(z[7], z[15])));
    struct both h =
        add_both(times_back(w1i, w1r, minus_i(z[3], z[11])), times(w3i, w3r, minus_i(z[7], z[15])));

    put(z, plus(a.sum, c.sum), plus(b.sum, d.sum), minus(a.sum, c.sum), minus(b.sum, d.sum));
    put(z + 4, plus_i(a.rest, c.rest), turn(w[1], plus_i(b.rest, d.rest)), minus_i(a.rest, c.rest),
        turn(w[1], minus_i(b.rest, d.rest)));
    put(z + 8, plus(e.sum, g.rest), minus(f.rest, h.sum), minus(e.sum, g.rest),
        plus(f.rest, h.sum));
    put(z + 12, plus_i(e.rest, g.sum), turn(w[1], minus_i(f.sum, h.rest)), minus_i(e.rest, g.sum),
        turn(w[1], plus_i(f.sum, h.rest)));
}

static inline struct pair conjugate(struct pair a)
{
    return (struct pair){a.re, -a.im};
}

/* A step at z[0], z[q], z[2 q] and z[3 q], before twiddles; of conjugates. */
static void step(struct pair *z, size_t q, bool of_conjugates, struct pair *y2, struct pair *y3)
{
    struct pair z0 = of_conjugates ? conjugate(z[0]) : z[0];
    struct pair z2 = of_conjugates ? conjugate(z[2 * q]) : z[2 * q];
    struct pair x0 = plus(z0, z2), x1 = minus(z0, z2);
    struct pair x2 = plus(z[q], z[3 * q]), x3 = minus(z[q], z[3 * q]);

    if (of_conjugates) {
        x2 = conjugate(x2);
        x3 = conjugate(x3);
    }
    z[0] = plus(x0, x2);
    z[q] = minus(x0, x2);
    *y2 = plus_i(x1, x3);
    *y3 = minus_i(x1, x3);
}

/* The angle t of a step: its cosine and sine, and of its triple. A step of all numbers has twice as
 * many angles as its level: those between are means, stretched. */
static void angle(const double *w, size_t q, size_t t, bool all, double v[4])
{
    static const double one[4] = {1, 0, 1, 0};
    const double end[4] = {w[1], w[1], -w[1], -w[1]};

    if (!all || t % 2 == 0) {
        memcpy(v, w + (all ? 2 * t : 4 * t), 4 * sizeof *v);
        return;
    }
    const double *below = t == 1 ? one : w + 2 * (t - 1);
    const double *above = 2 * (t + 1) == q ? end : w + 2 * (t + 1);
    for (unsigned i = 0; i < 4; i++)
        v[i] = w[i < 2 ? 2 : 3] * (below[i] + above[i]);
}

/* The step of the first kind, of n numbers. */
static void step_first(const double *w, struct pair *z, size_t n, bool all, bool of_conjugates)
{
    size_t q = n / 4;
    struct pair y2, y3;
    double v[4];

    step(z, q, of_conjugates, &y2, &y3);
    z[2 * q] = y2;
    z[3 * q] = y3;
    for (size_t t = 1; t < q / 2; t++) {
        angle(w, q, t, all, v);
        step(z + t, q, of_conjugates, &y2, &y3);
        z[t + 2 * q] = times(v[0], v[1], y2);
        z[t + 3 * q] = times_back(v[2], v[3], y3);
        step(z + q - t, q, of_conjugates, &y2, &y3);
        z[3 * q - t] = times(v[1], v[0], y2);
        z[4 * q - t] = times_back(v[3], v[2], y3);
    }
    step(z + q / 2, q, of_conjugates, &y2, &y3);
    z[q / 2 + 2 * q] = turn(w[1], y2);
    z[q / 2 + 3 * q] = turn_back(-w[1], y3);
}

/* The four sums of a step of the second kind. */
struct second {
    struct pair x0, x1, x2, x3;
};

static struct second sums(const struct pair *z, size_t q)
{
    return (struct second){plus_i(z[0], z[2 * q]), minus_i(z[0], z[2 * q]), plus_i(z[q], z[3 * q]),
                           minus_i(z[q], z[3 * q])};
}

static void put_second(struct pair *z, size_t q, const double v[4], const double u[4])
{
    struct second x = sums(z, q);
    struct both low = add_both(times(v[0], v[1], x.x0), times(u[0], u[1], x.x2));
    struct both high = add_both(times_back(v[2], v[3], x.x1), times_back(u[2], u[3], x.x3));

    z[0] = low.sum;
    z[q] = low.rest;
    z[2 * q] = high.sum;
    z[3 * q] = high.rest;
}

static void step_second(const double *w, struct pair *z, size_t n)
{
    size_t q = n / 4;
    struct second x = sums(z, q);
    struct pair y = turn(w[1], x.x2);

    z[0] = plus(x.x0, y);
    z[q] = minus(x.x0, y);
    y = turn(w[1], x.x3);
    z[2 * q] = plus_i(x.x1, y);
    z[3 * q] = minus_i(x.x1, y);
    for (size_t t = 1; t < q / 2; t++) {
        const double *v = w + 4 * t, *u = w + 4 * (q - t);
        double swapped_v[4] = {v[1], v[0], v[3], v[2]}, swapped_u[4] = {u[1], u[0], u[3], u[2]};
        put_second(z + t, q, v, swapped_u);
        put_second(z + q - t, q, u, swapped_v);
    }
    const double *v = w + 2 * q;
    x = sums(z + q / 2, q);
    struct both low = add_both(times(v[0], v[1], x.x0), times(v[1], v[0], x.x2));
    struct both high = add_both(times(v[1], v[0], x.x1), times(v[0], v[1], x.x3));
    z[q / 2] = low.sum;
    z[q / 2 + q] = low.rest;
    z[q / 2 + 2 * q] = high.rest;
    z[q / 2 + 3 * q] = high.sum;
}

static void quarters(const struct split *s, struct pair *z, size_t n, bool first);

static void part(const struct split *s, struct pair *z, size_t n, bool first)
{
    if (n == 8)
        (first ? first8 : second8)(s, z);
    else if (n == 16)
        (first ? first16 : second16)(s, z);
    else {
        if (first)
            step_first(level(s, n / 2), z, n, false, false);
        else
            step_second(level(s, n), z, n);
        quarters(s, z, n, first);
    }
}

static void quarters(const struct split *s, struct pair *z, size_t n, bool first)
{
    for (unsigned i = 0; i < 4; i++)
        part(s, z + i * (n / 4), n / 4, i == 3 ? first : i != 1);
}

/* Swaps what stands at each place and at that of its bits reversed. */
static void reverse(struct pair *z, size_t n)
{
    for (size_t i = 0, r = 0; i < n; i++) {
        if (i < r) {
            struct pair t = z[i];
            z[i] = z[r];
            z[r] = t;
        }
        size_t bit = n / 2;
        for (; bit > 0 && r & bit; bit /= 2)
            r ^= bit;
        r |= bit;
    }
}

/* Result i and result n - i change places. */
static void mirror(struct pair *z, size_t n)
{
    for (size_t i = 1; i < n - i; i++) {
        struct pair t = z[i];
        z[i] = z[n - i];
        z[n - i] = t;
    }
}

static void transform_many(const struct split *s, struct pair *z, size_t n, bool inverse)
{
    step_first(s->w, z, n, true, inverse);
    quarters(s, z, n, true);
    reverse(z, n);
    for (size_t i = 0; inverse && i < n; i++)
        z[i] = conjugate(z[i]);
}

/* Of n pairs, at least 2. */
void split_transform(const struct split *s, double *a, size_t n, bool inverse)
{
    struct pair *z = (struct pair *)(void *)a;

    if (n > 16) {
        transform_many(s, z, n, inverse);
        return;
    }
    if (n == 2) {
        struct pair x = minus(z[0], z[1]);
        z[0] = plus(z[0], z[1]);
        z[1] = x;
    } else if (n == 4) {
        struct pair y[4];
        transform4(z, 1, y);
        memcpy(z, y, sizeof y);
    } else {
        part(s, z, n, true);
        reverse(z, n);
    }
    if (inverse)
        mirror(z, n);
}

/* Twiddles of transforms of 2 n_w pairs. */
static void make_levels(double *w, size_t n_w)
{
    size_t size = n_w / 2;
    double unit = QUARTER_PI / (double)size, root = fm_cos(unit * (double)size);

    w[0] = 1;
    w[1] = root;
    if (size == 4) {
        w[2] = fm_cos(unit * 2);
        w[3] = fm_sin(unit * 2);
    } else if (size > 4) {
        w[2] = 0.5 / fm_cos(unit * 2);
        w[3] = 0.5 / fm_cos(unit * 6);
    }
    for (size_t j = 4; j < size; j += 4) {
        double x = unit * (double)j, triple = 3 * x;
        w[j] = fm_cos(x);
        w[j + 1] = fm_sin(x);
        w[j + 2] = fm_cos(triple);
        w[j + 3] = -fm_sin(triple);
    }
    for (const double *above = w; size > 2; above = w) {
        w += size;
        size /= 2;
        w[0] = 1;
        w[1] = root;
        if (size == 4)
            memcpy(w + 2, above + 4, 2 * sizeof *w);
        else if (size > 4) {
            w[2] = 0.5 / above[4];
            w[3] = 0.5 / above[6];
        }
        for (size_t j = 4; j < size; j += 4)
            memcpy(w + j, above + 2 * j, 4 * sizeof *w);
    }
}

void split_plan(struct split *s, size_t n_w, double *room)
{
    s->n_w = n_w;
    s->w = room;
    if (n_w > 2)
        make_levels(room, n_w);
}
