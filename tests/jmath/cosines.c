/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what Cosines.java writes with src/engine/dct.c; prints counts, and wrong lengths. */
#include "dct.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(const double *a, const double *b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

static double *doubles(size_t n)
{
    double *p = malloc(n * sizeof *p);

    if (!p)
        exit(2);
    return p;
}

/* Whether the transform of the vector that comes is Java's. */
static bool compare(uint32_t n, bool inverse)
{
    double *got = doubles(n), *want = doubles(n), *room = doubles(dct_room(n));
    bool whole = fread(got, sizeof *got, n, stdin) == n && fread(want, sizeof *want, n, stdin) == n;

    (inverse ? dct_inverse : dct_forward)(got, n, room);
    bool equal = whole && same(got, want, n);
    free(got);
    free(want);
    free(room);
    return equal;
}

int main(void)
{
    uint32_t head[2], last = 0;
    unsigned long vectors = 0, lengths = 0, wrong = 0;

    while (fread(head, sizeof *head, 2, stdin) == 2) {
        vectors++;
        lengths += head[0] != last;
        last = head[0];
        if (!compare(head[0], head[1] != 0)) {
            wrong++;
            fprintf(stderr, "length %u, %s: differs\n", head[0], head[1] ? "inverse" : "forward");
        }
    }
    printf("lengths %lu vectors %lu mismatches %lu\n", lengths, vectors, wrong);
    return vectors == 0 || wrong != 0;
}
