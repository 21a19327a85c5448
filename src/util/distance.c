/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/distance.h"

#include <string.h>

enum { LONGEST = 32 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's. */
unsigned text_distance(const char *a, const char *b)
{
    unsigned row[LONGEST + 1];
    unsigned n = (unsigned)strnlen(a, LONGEST), m = (unsigned)strnlen(b, LONGEST);

    for (unsigned j = 0; j <= m; j++)
        row[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[m];
}
