/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

enum { FEW = 32, DIGIT_BITS = 8, DIGITS = 1 << DIGIT_BITS };

static void sort_few(uint32_t *a, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t value = a[i], at = i;
        for (; at && a[at - 1] > value; at--)
            a[at] = a[at - 1];
        a[at] = value;
    }
}

/* By one digit, stable. */
static void sort_digit(const uint32_t *from, uint32_t n, unsigned shift, uint32_t *to)
{
    uint32_t ends[DIGITS] = {0}, sum = 0;

    for (uint32_t i = 0; i < n; i++)
        ends[from[i] >> shift & (DIGITS - 1)]++;
    for (unsigned d = 0; d < DIGITS; d++) {
        uint32_t count = ends[d];
        ends[d] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < n; i++)
        to[ends[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

/* In linear time whatever comes, and without memory of its own. */
static void sort_places(uint32_t *a, uint32_t n, uint32_t *spare)
{
    if (n <= FEW) {
        sort_few(a, n);
        return;
    }
    for (unsigned shift = 0; shift < 32; shift += 2 * DIGIT_BITS) {
        sort_digit(a, n, shift, spare);
        sort_digit(spare, n, shift + DIGIT_BITS, a);
    }
}

struct vec *counts_room(const struct unit *u, struct frame *f, unsigned row, uint32_t size,
                        uint32_t **places)
{
    uint32_t n = f->columns[u->in[0]].list[row].n;
    struct vec *v = frame_vec(f, u->out, row, n);

    *places = v ? frame_take(f, n, 2 * sizeof **places) : NULL;
    if (!*places)
        return NULL;
    v->size = size;
    v->sparse = true;
    return v;
}

void counts_fill(struct vec *v, uint32_t *places, uint32_t n)
{
    sort_places(places, n, places + n);
    v->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i && places[i] == places[i - 1]) {
            v->values[v->n - 1] += 1;
            continue;
        }
        v->indices[v->n] = places[i];
        v->values[v->n++] = 1;
    }
}

uint64_t fail_null_lists(const struct unit *u, struct frame *f, uint64_t rows)
{
    uint64_t nulls = f->columns[u->in[0]].nulls & rows;

    FOR_ROWS(r, nulls)
    frame_fail(f, r, u, u->in[0], PROBLEM_NULL_VALUE, "the array is null");
    return rows & ~nulls;
}
