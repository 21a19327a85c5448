/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_DISTANCE_H
#define SCORED_DISTANCE_H

/* How many letters must be added, removed or changed to make one text of the other; of long texts
 * the first 32 bytes count. For "did you mean". */
unsigned text_distance(const char *a, const char *b);

/* Keeps the nearer of two known words in *best, which may be NULL: the one that fewer changes make
 * of what was typed, if those are at most half of its letters, or of the word's. Otherwise it is no
 * slip of the fingers, and the word no help. */
void text_nearer(const char *typed, const char *word, const char **best);

/* "; did you mean --port?" of the prefix "--" and the word "port"; "" of NULL. */
enum { MEANT = 64 };
const char *text_meant(char out[MEANT], const char *prefix, const char *best);

#endif
