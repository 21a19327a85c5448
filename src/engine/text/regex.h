/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions of Java, by PCRE2. The exporter has parsed them: what is left of one is sets
 * of code points, groups, quantifiers and anchors (FORMAT.md, `expression`).
 *
 * Java looks at UTF-16, and may search between the two halves of a character beyond U+FFFF. Where
 * that can make a difference texts that have such characters are searched with each half as a
 * character.
 */
#ifndef SCORED_REGEX_H
#define SCORED_REGEX_H

#include "../engine_priv.h"
#include "scored/value.h"

enum { REGEX_STEPS = 10000000 }; /* that a text may take */

/* Set i has the ranges offsets[i] to offsets[i + 1]: pairs of code points, first and last. */
struct regex_sets {
    uint32_t n;
    const uint32_t *offsets, *ranges;
};

struct regex {
    const void *plain, *halves; /* of PCRE2; halves: NULL where they make no difference */
};

/* How Java searches (FORMAT.md). */
struct regex_how {
    bool units;   /* halves can make a difference, */
    bool aligned; /* only behind an empty match */
};

/* Everything is in the arena. */
bool regex_compile(struct regex *x, const char *expression, const struct regex_sets *sets,
                   struct regex_how how, struct arena *a, struct err *e);

/* Searches of one run. All its memory is the frame's. */
struct regex_search {
    const struct regex *regex;
    const void *code;
    void *data, *context; /* of PCRE2 */
    struct frame *frame;
    struct text text;
    uint32_t begin, end, from; /* of the match; where the next search begins */
    uint32_t steps;
};

/* False as frame_take gives NULL. */
bool regex_search_init(struct regex_search *s, const struct regex *x, struct frame *f);

/* A text to search from its beginning: `t`, or its halves where the expression asks for that, and
 * then true in `halved`. False as above. */
bool regex_search_text(struct regex_search *s, struct text t, bool *halved);

/* The next match as Java's Matcher.find has it. REGEX_FULL: as frame_take's NULL. */
enum regex_found { REGEX_FOUND, REGEX_NONE, REGEX_FULL, REGEX_TOO_LONG };
enum regex_found regex_next(struct regex_search *s);

/* Halves become characters again, in place; one alone becomes a question mark, as Java encodes it.
 * Returns the length. */
uint32_t regex_join(char *p, uint32_t n);

#endif
