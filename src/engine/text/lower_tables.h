/* SPDX-License-Identifier: Apache-2.0 */
/* What Java knows of code points: their lower case, and what they are to its words. */
#ifndef SCORED_LOWER_TABLES_H
#define SCORED_LOWER_TABLES_H

#include <stdint.h>

enum { LOWER_PAGE = 64 };

/* Code points from here on have no lower case. */
extern const uint32_t lower_end;
/* The page of 64 code points, in it the index of the difference to the lower case. */
extern const uint8_t lower_page_of[], lower_pages[];
extern const int32_t lower_differences[];

/* A letter that has case is WORD_LETTER | WORD_CASED. */
enum word_class {
    WORD_OTHER,
    WORD_LETTER,
    WORD_DIGIT,
    WORD_MARK,      /* goes with the letter or digit before it */
    WORD_FORMAT,    /* as if it were not there */
    WORD_IN_WORD,   /* one of them may stand between two letters, */
    WORD_IN_NUMBER, /* between two digits, */
    WORD_IN_BOTH,   /* or both */
    WORD_DANDA,     /* ends a word */
    WORD_CLASSES,
    WORD_CASED = 16,
    MARK_ABOVE = 32, /* of combining class 230 */
    MARK_BESIDE = 64 /* of another than 0 and 230 */
};

/* Code points from `first` up to the next run's. Line feed, of its neighbours' class, is not asked.
 */
struct word_run {
    uint32_t first;
    int what;
};
extern const struct word_run word_runs[];
extern const uint32_t word_run_count;

#endif
