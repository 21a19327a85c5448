/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JTransforms' real Fourier transform of lengths that are no powers of two, by passes of one factor
 * each (Swarztrauber's): 4, 2, 3 and 5 have butterflies of their own, other primes a general pass.
 *
 * A pass has `ip` sub-sequences of l1 blocks of `ido` numbers: forward, pairs (real, imaginary) at
 * (i - 1, i) of the sub-sequences are turned by their twiddles and made into `ip` rows; an even row
 * keeps the pair's place i, an odd one has its conjugate at ido - i. What is real stands alone at
 * the block's beginning, and where ido is even, at its end. Backward is the same the other way.
 */
#include "dct_priv.h"

#include "scored/fastmath.h"

#include <string.h>

#define TWO_PI 6.28318530717958647692528676655900576

struct pass {
    size_t ip, l1, ido;
    const double
        *w; /* of each sub-sequence but the first, ido apart: cosine and sine of each pair */
};

enum { FACTORS_MOST = 32 };
static inline size_t by_sub(const struct pass *p, size_t j, size_t k)
{
    return ((size_t)j * p->l1 + k) * p->ido;
}

static inline size_t by_row(const struct pass *p, size_t j, size_t k)
{
    return ((size_t)k * p->ip + j) * p->ido;
}

static inline struct pair twiddle(const struct pass *p, size_t j, size_t i)
{
    const double *w = p->w + (size_t)(j - 1) * p->ido + i;

    return (struct pair){w[-2], w[-1]};
}

/* Where the rows have what is real: odd ones at their end, or, of the block's end, the other way.
 */
static inline size_t real_place(const struct pass *p, size_t j, size_t k, bool end)
{
    return by_row(p, j, k) + ((j % 2 == 1) != end ? p->ido - 1 : 0);
}

static void forward_reals(const struct pass *p, size_t k, bool end, const double *in, double *out)
{
    const struct butterfly *b = &dct_butterflies[p->ip];
    double x[BUTTERFLY_MOST], r[BUTTERFLY_MOST];

    for (size_t j = 0; j < p->ip; j++)
        x[j] = in[by_sub(p, j, k) + (end ? p->ido - 1 : 0)];
    (end ? b->forward_end : b->forward_real)(x, r);
    for (size_t j = 0; j < p->ip; j++)
        out[real_place(p, j, k, end)] = r[j];
}

static void forward_pairs(const struct pass *p, size_t k, size_t i, const double *in, double *out)
{
    struct pair z[BUTTERFLY_MOST], y[BUTTERFLY_MOST];

    for (size_t j = 0; j < p->ip; j++) {
        const double *at = in + by_sub(p, j, k) + i;
        z[j] = (struct pair){at[-1], at[0]};
        if (j > 0) {
            struct pair w = twiddle(p, j, i), t = z[j];
            z[j] = (struct pair){w.re * t.re + w.im * t.im, w.re * t.im - w.im * t.re};
        }
    }
    dct_butterflies[p->ip].forward(z, y);
    for (size_t j = 0; j < p->ip; j++) {
        double *at = out + by_row(p, j, k) + (j % 2 == 1 ? p->ido - i : i);
        at[-1] = y[j].re;
        at[0] = y[j].im;
    }
}

static void forward_pass(const struct pass *p, const double *in, double *out)
{
    for (size_t k = 0; k < p->l1; k++) {
        forward_reals(p, k, false, in, out);
        for (size_t i = 2; i < p->ido; i += 2)
            forward_pairs(p, k, i, in, out);
        if (p->ido % 2 == 0)
            forward_reals(p, k, true, in, out);
    }
}

static void backward_reals(const struct pass *p, size_t k, bool end, const double *in, double *out)
{
    const struct butterfly *b = &dct_butterflies[p->ip];
    double x[BUTTERFLY_MOST], r[BUTTERFLY_MOST];

    for (size_t j = 0; j < p->ip; j++)
        r[j] = in[real_place(p, j, k, end)];
    (end ? b->backward_end : b->backward_real)(r, x);
    for (size_t j = 0; j < p->ip; j++)
        out[by_sub(p, j, k) + (end ? p->ido - 1 : 0)] = x[j];
}

static void backward_pairs(const struct pass *p, size_t k, size_t i, const double *in, double *out)
{
    struct pair z[BUTTERFLY_MOST], y[BUTTERFLY_MOST];

    for (size_t j = 0; j < p->ip; j++) {
        const double *at = in + by_row(p, j, k) + (j % 2 == 1 ? p->ido - i : i);
        y[j] = (struct pair){at[-1], at[0]};
    }
    dct_butterflies[p->ip].backward(y, z);
    for (size_t j = 0; j < p->ip; j++) {
        double *at = out + by_sub(p, j, k) + i;
        if (j > 0) {
            struct pair w = twiddle(p, j, i), t = z[j];
            z[j] = (struct pair){w.re * t.re - w.im * t.im, w.re * t.im + w.im * t.re};
        }
        at[-1] = z[j].re;
        at[0] = z[j].im;
    }
}

static void backward_pass(const struct pass *p, const double *in, double *out)
{
    for (size_t k = 0; k < p->l1; k++) {
        backward_reals(p, k, false, in, out);
        for (size_t i = 2; i < p->ido; i += 2)
            backward_pairs(p, k, i, in, out);
        if (p->ido % 2 == 0)
            backward_reals(p, k, true, in, out);
    }
}

/* -- other primes -- */

/* to[l] = from[0] + sum cos(2 pi l j/ip) from[j], and of the sines at ip - l. */
static void rotate(const struct pass *p, const double *from, double *to)
{
    size_t block = (size_t)p->ido * p->l1;
    size_t half = (p->ip + 1) / 2;
    double c = fm_cos(TWO_PI / (double)p->ip), s = fm_sin(TWO_PI / (double)p->ip);
    struct pair a = {1, 0};

    for (size_t l = 1; l < half; l++) {
        double *cosines = to + l * block, *sines = to + (p->ip - l) * block;
        a = (struct pair){c * a.re - s * a.im, c * a.im + s * a.re};
        for (size_t i = 0; i < block; i++) {
            cosines[i] = from[i] + a.re * from[block + i];
            sines[i] = a.im * from[(p->ip - 1) * block + i];
        }
        struct pair b = a;
        for (size_t j = 2; j < half; j++) {
            const double *first = from + j * block, *last = from + (p->ip - j) * block;
            b = (struct pair){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
            for (size_t i = 0; i < block; i++) {
                cosines[i] += b.re * first[i];
                sines[i] += b.im * last[i];
            }
        }
    }
}

/* to[0] += from[1] + ... */
static void add_up(const struct pass *p, const double *from, double *to)
{
    size_t block = (size_t)p->ido * p->l1;

    for (size_t j = 1; j < (p->ip + 1) / 2; j++)
        for (size_t i = 0; i < block; i++)
            to[i] += from[j * block + i];
}

/* c has the pass's numbers, and then what it makes of them; ch is room. */
static void forward_general(const struct pass *p, double *c, double *ch)
{
    size_t ido = p->ido;

    memcpy(ch, c, (size_t)p->ip * p->l1 * ido * sizeof(double));
    for (size_t j = 1; j < p->ip; j++)
        for (size_t k = 0; k < p->l1; k++)
            for (size_t i = 2; i < ido; i += 2) {
                const double *from = c + by_sub(p, j, k) + i;
                double *to = ch + by_sub(p, j, k) + i;
                struct pair w = twiddle(p, j, i);
                to[-1] = w.re * from[-1] + w.im * from[0];
                to[0] = w.re * from[0] - w.im * from[-1];
            }
    for (size_t j = 1; j < (p->ip + 1) / 2; j++)
        for (size_t k = 0; k < p->l1; k++) {
            size_t a = by_sub(p, j, k), b = by_sub(p, p->ip - j, k);
            c[a] = ch[a] + ch[b];
            c[b] = ch[b] - ch[a];
            for (size_t i = 2; i < ido; i += 2) {
                c[a + i - 1] = ch[a + i - 1] + ch[b + i - 1];
                c[a + i] = ch[a + i] + ch[b + i];
                c[b + i - 1] = ch[a + i] - ch[b + i];
                c[b + i] = ch[b + i - 1] - ch[a + i - 1];
            }
        }
    rotate(p, c, ch);
    add_up(p, c, ch);
    for (size_t k = 0; k < p->l1; k++) {
        memcpy(c + by_row(p, 0, k), ch + by_sub(p, 0, k), ido * sizeof(double));
        for (size_t j = 1; j < (p->ip + 1) / 2; j++) {
            size_t a = by_sub(p, j, k), b = by_sub(p, p->ip - j, k);
            double *odd = c + by_row(p, 2 * j - 1, k), *even = c + by_row(p, 2 * j, k);
            odd[ido - 1] = ch[a];
            even[0] = ch[b];
            for (size_t i = 2; i < ido; i += 2) {
                even[i - 1] = ch[a + i - 1] + ch[b + i - 1];
                odd[ido - i - 1] = ch[a + i - 1] - ch[b + i - 1];
                even[i] = ch[a + i] + ch[b + i];
                odd[ido - i] = ch[b + i] - ch[a + i];
            }
        }
    }
}

static void backward_general(const struct pass *p, double *c, double *ch)
{
    size_t ido = p->ido;

    for (size_t k = 0; k < p->l1; k++) {
        memcpy(ch + by_sub(p, 0, k), c + by_row(p, 0, k), ido * sizeof(double));
        for (size_t j = 1; j < (p->ip + 1) / 2; j++) {
            size_t a = by_sub(p, j, k), b = by_sub(p, p->ip - j, k);
            const double *odd = c + by_row(p, 2 * j - 1, k), *even = c + by_row(p, 2 * j, k);
            ch[a] = odd[ido - 1] + odd[ido - 1];
            ch[b] = even[0] + even[0];
            for (size_t i = 2; i < ido; i += 2) {
                ch[a + i - 1] = even[i - 1] + odd[ido - i - 1];
                ch[b + i - 1] = even[i - 1] - odd[ido - i - 1];
                ch[a + i] = even[i] - odd[ido - i];
                ch[b + i] = even[i] + odd[ido - i];
            }
        }
    }
    rotate(p, ch, c);
    add_up(p, ch, ch);
    for (size_t j = 1; j < (p->ip + 1) / 2; j++)
        for (size_t k = 0; k < p->l1; k++) {
            size_t a = by_sub(p, j, k), b = by_sub(p, p->ip - j, k);
            ch[a] = c[a] - c[b];
            ch[b] = c[a] + c[b];
            for (size_t i = 2; i < ido; i += 2) {
                ch[a + i - 1] = c[a + i - 1] - c[b + i];
                ch[b + i - 1] = c[a + i - 1] + c[b + i];
                ch[a + i] = c[a + i] + c[b + i - 1];
                ch[b + i] = c[a + i] - c[b + i - 1];
            }
        }
    memcpy(c, ch, (size_t)p->ip * p->l1 * ido * sizeof(double));
    for (size_t j = 1; j < p->ip; j++)
        for (size_t k = 0; k < p->l1; k++)
            for (size_t i = 2; i < ido; i += 2) {
                const double *from = ch + by_sub(p, j, k) + i;
                double *to = c + by_sub(p, j, k) + i;
                struct pair w = twiddle(p, j, i);
                to[-1] = w.re * from[-1] - w.im * from[0];
                to[0] = w.re * from[0] + w.im * from[-1];
            }
}

/* -- plans -- */

/* A plan, and what goes from pass to pass. */
struct passes {
    size_t n, n_factors, factors[FACTORS_MOST];
    double *twiddles, *c, *ch;
};

/* The factors, 4s first, but a 2 before them; then 3s, 5s and other primes. */
static void factorise(struct passes *f)
{
    static const size_t first[] = {4, 2, 3, 5};
    size_t n = f->n, factor = 0;

    for (size_t i = 0; n > 1; i++) {
        factor = i < 4 ? first[i] : factor + 2;
        for (; n % factor == 0; n /= factor) {
            f->factors[f->n_factors++] = factor;
            if (factor == 2 && f->n_factors > 1) {
                memmove(f->factors + 1, f->factors, (f->n_factors - 1) * sizeof *f->factors);
                f->factors[0] = 2;
            }
        }
    }
}

static struct passes plan(double *a, size_t n, double *room)
{
    struct passes f = {.n = n, .twiddles = room, .c = a, .ch = room + n};
    double step = TWO_PI / (double)n, *w = room;
    size_t l1 = 1;

    factorise(&f);
    for (size_t q = 0; q + 1 < f.n_factors; q++) {
        size_t ido = n / (l1 * f.factors[q]);
        for (size_t j = 1; j < f.factors[q]; j++, w += ido) {
            double angle = (double)(j * l1) * step;
            for (size_t i = 1; 2 * i < ido; i++) {
                w[2 * i - 2] = fm_cos((double)i * angle);
                w[2 * i - 1] = fm_sin((double)i * angle);
            }
        }
        l1 *= f.factors[q];
    }
    return f;
}

/* What is made stands in ch, and is now c. */
static void swap(struct passes *f)
{
    double *c = f->c;

    f->c = f->ch;
    f->ch = c;
}

void passes_forward(double *a, size_t n, double *room)
{
    struct passes f = plan(a, n, room);
    const double *w = f.twiddles + n - 1;
    size_t l2 = n;

    for (size_t q = f.n_factors; q-- > 0;) {
        struct pass p = {.ip = f.factors[q], .l1 = l2 / f.factors[q], .ido = n / l2};
        w -= (size_t)(p.ip - 1) * p.ido;
        p.w = w;
        if (p.ip > BUTTERFLY_MOST)
            forward_general(&p, f.c, f.ch);
        else {
            forward_pass(&p, f.c, f.ch);
            swap(&f);
        }
        l2 = p.l1;
    }
    if (f.c != a)
        memcpy(a, f.c, n * sizeof *a);
}

void passes_backward(double *a, size_t n, double *room)
{
    struct passes f = plan(a, n, room);
    const double *w = f.twiddles;
    size_t l1 = 1;

    for (size_t q = 0; q < f.n_factors; q++) {
        struct pass p = {f.factors[q], l1, n / (l1 * f.factors[q]), w};
        if (p.ip > BUTTERFLY_MOST)
            backward_general(&p, f.c, f.ch);
        else {
            backward_pass(&p, f.c, f.ch);
            swap(&f);
        }
        l1 *= p.ip;
        w += (size_t)(p.ip - 1) * p.ido;
    }
    if (f.c != a)
        memcpy(a, f.c, n * sizeof *a);
}
