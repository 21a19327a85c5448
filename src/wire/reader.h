/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text as RFC 8259 has it, read from front to back without allocating. The byte at `end` is no
 * part of the text, NUL or a newline: what looks for another byte need not look for the end. A
 * reader that returned false has filled `why` and is done for.
 */
#ifndef WIRE_READER_H
#define WIRE_READER_H

#include "scored/number.h"
#include "scored/scoring.h"

enum { DEPTH_MAX = 64 };

struct reader {
    char *p, *end; /* what is left */
    char *start, *line_start;
    size_t line;
    unsigned depth; /* objects and arrays around p */
    struct body_problem *why;
};

void reader_init(struct reader *r, char *text, size_t n, struct body_problem *why);

/* Both return false. `at` is where the problem is; "expected WHAT, found ..." is said of r->p. */
bool reader_fail(struct reader *r, const char *at, enum problem problem, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool reader_expected(struct reader *r, const char *what);

/* Steps over white space, which mostly is none or one blank. Returns the byte there, NUL at the
 * end. */
char reader_space_slow(struct reader *r);
static inline char reader_space(struct reader *r)
{
    r->p += *r->p == ' ';
    return *r->p > ' ' ? *r->p : reader_space_slow(r);
}

/* Steps over white space, which mostly is none, and one byte that must be there. */
static inline bool reader_take(struct reader *r, char c, const char *what)
{
    if (*r->p != c && reader_space(r) != c)
        return reader_expected(r, what);
    r->p++;
    return true;
}

/* Enters the object or array whose first byte is at p; `reader_leave` steps over its last. */
bool reader_enter(struct reader *r);
void reader_leave(struct reader *r);

/* After a member or element: 1 where another follows, 0 where `close` was stepped over, -1 on
 * failure. */
int reader_more_slow(struct reader *r, char close);
static inline int reader_more(struct reader *r, char close)
{
    if (*r->p != ',' && reader_space(r) != ',')
        return reader_more_slow(r, close);
    r->p++;
    return 1;
}

/* The string at p. With `keep` it is unescaped in place and `out` (may be NULL) set; else the text
 * stays. */
bool reader_string(struct reader *r, bool keep, struct text *out);
bool reader_number(struct reader *r, struct number *out);
bool reader_word(struct reader *r, const char *word); /* true, false, null */

/* Steps over a value of any kind, checking all of it. */
bool reader_skip(struct reader *r);

/* Nothing but white space is left. */
bool reader_finish(struct reader *r);

/* What kind of value begins with this byte, as "a string"; NULL where none does. */
const char *reader_kind(char first);

#endif
