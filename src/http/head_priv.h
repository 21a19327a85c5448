/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader of a head's bytes (head.c) takes from the rules (head_rules.c). */
#ifndef SCORED_HTTP_HEAD_PRIV_H
#define SCORED_HTTP_HEAD_PRIV_H

#include "head.h"

enum { MAX_METHOD = 32, VERSION_BYTES = 8 };

/* What a byte can be part of; each is spelled out in the unit test. HOST is a name without
 * escapes, LITERAL what stands within brackets. */
enum { TOKEN = 1, TARGET = 2, HOST = 4, LITERAL = 8, VALUE = 16, HEX = 32, DIGIT = 64 };
extern const uint8_t head_kinds[256];

static inline bool head_is_kind(char c, unsigned kind)
{
    return head_kinds[(unsigned char)c] & kind;
}

/* How many bytes from the beginning are of a kind. */
static inline size_t head_span(const char *p, size_t n, unsigned kind)
{
    const unsigned char *u = (const unsigned char *)p;
    const uint8_t *k = head_kinds;
    size_t i = 0;

    while (n - i >= 4 && (k[u[i]] & k[u[i + 1]] & k[u[i + 2]] & k[u[i + 3]] & kind))
        i += 4;
    while (i < n && (k[u[i]] & kind))
        i++;
    return i;
}

#define NO_METHOD   "the request line does not begin with a method and one space"
#define LONG_METHOD "the method is longer than any that there is"
#define LONG_TARGET "the request target is too long"
#define NO_TARGET   "the request target is empty, or has a character that is not allowed"
#define NO_VERSION  "the request line does not end with a version of HTTP"
#define NO_NAME     "a header has a name that is not valid"
#define NO_VALUE    "a header has a control character in its value"

/* Each returns false. */
bool head_fault(struct head_verdict *v, enum problem problem, const char *why);

/* Is it the first `n` bytes, all at most, of "HTTP/1.1" or its like? */
bool head_is_version(const char *p, size_t n);

/* The steps that look at whole parts, once their characters are right. */
bool head_line(struct head_verdict *v, const char *method, size_t method_len, const char *target,
               size_t target_len, const char *version);
bool head_note(struct head_verdict *v, const char *name, size_t name_len, const char *value,
               size_t value_len, const struct head_limits *limits);
bool head_end(struct head_verdict *v);

#endif
