/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/distance.h"

#include <stdio.h>
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

void text_nearer(const char *typed, const char *word, const char **best)
{
    size_t n = strnlen(typed, LONGEST), m = strnlen(word, LONGEST);
    size_t d = text_distance(typed, word);

    if (d * 2 <= (n > m ? n : m) && (!*best || d < text_distance(typed, *best)))
        *best = word;
}

const char *text_meant(char out[MEANT], const char *prefix, const char *best)
{
    out[0] = '\0';
    if (best)
        snprintf(out, MEANT, "; did you mean %s%.*s?", prefix, LONGEST, best);
    return out;
}
