/* SPDX-License-Identifier: Apache-2.0 */
#include "head_priv.h"

#include <string.h>

struct scan {
    const char *p, *end;
    const struct head_limits *limits;
    struct head_verdict *out;
};

static enum head_state stop(struct scan *s, enum problem problem, const char *why)
{
    head_fault(s->out, problem, why);
    return HEAD_WRONG;
}

/* A carriage return and a line feed. What else may stand here ended what stood before. */
static enum head_state read_line_end(struct scan *s, const char *otherwise)
{
    if (s->p == s->end)
        return HEAD_PARTIAL;
    if (*s->p == '\n')
        return stop(s, PROBLEM_BAD_REQUEST, "a line ends with a line feed alone");
    if (*s->p != '\r')
        return stop(s, PROBLEM_BAD_REQUEST, otherwise);
    if (s->p + 1 == s->end)
        return HEAD_PARTIAL;
    if (s->p[1] != '\n')
        return stop(s, PROBLEM_BAD_REQUEST, "a carriage return stands alone");
    s->p += 2;
    return HEAD_WHOLE;
}

/* Bytes of a kind, and one space behind them. */
static enum head_state read_word(struct scan *s, unsigned kind, size_t max, enum problem problem,
                                 const char *too_long, const char *otherwise)
{
    size_t left = (size_t)(s->end - s->p),
           n = head_span(s->p, left < max + 1 ? left : max + 1, kind);

    s->p += n;
    if (n > max)
        return stop(s, problem, too_long);
    if (n == left)
        return HEAD_PARTIAL;
    if (!n || *s->p != ' ')
        return stop(s, PROBLEM_BAD_REQUEST, otherwise);
    s->p++;
    return HEAD_WHOLE;
}

static enum head_state read_version(struct scan *s)
{
    size_t left = (size_t)(s->end - s->p);

    if (!head_is_version(s->p, left < VERSION_BYTES ? left : VERSION_BYTES))
        return stop(s, PROBLEM_BAD_REQUEST, NO_VERSION);
    if (left < VERSION_BYTES)
        return HEAD_PARTIAL;
    s->p += VERSION_BYTES;
    return read_line_end(s, NO_VERSION);
}

static enum head_state read_request(struct scan *s)
{
    const char *method = s->p;
    enum head_state state =
        read_word(s, TOKEN, MAX_METHOD, PROBLEM_NOT_IMPLEMENTED, LONG_METHOD, NO_METHOD);
    if (state != HEAD_WHOLE)
        return state;
    const char *target = s->p;
    state = read_word(s, TARGET, s->limits->target, PROBLEM_URI_TOO_LONG, LONG_TARGET, NO_TARGET);
    if (state != HEAD_WHOLE)
        return state;
    const char *version = s->p;
    state = read_version(s);
    if (state != HEAD_WHOLE)
        return state;
    return head_line(s->out, method, (size_t)(target - method) - 1, target,
                     (size_t)(version - target) - 1, version)
               ? HEAD_WHOLE
               : HEAD_WRONG;
}

/* Values are long: eight bytes at a time, up to the first that is a control character. */
static const char *value_end(const char *p, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t w;

    while (end - p >= 8) {
        memcpy(&w, p, sizeof w);
        uint64_t deletes = w ^ ones * 0x7f;
        uint64_t found = (((w - ones * 0x20) & ~w) | ((deletes - ones) & ~deletes)) & tops;
        if (!found) {
            p += 8;
            continue;
        }
        p += __builtin_ctzll(found) / 8;
        if (*p != '\t')
            return p;
        p++;
    }
    return p + head_span(p, (size_t)(end - p), VALUE);
}

static enum head_state read_field(struct scan *s)
{
    const char *name = s->p;
    size_t left = (size_t)(s->end - s->p), n = head_span(name, left, TOKEN);

    s->p += n;
    if (n == left)
        return HEAD_PARTIAL;
    if (!n || *s->p != ':')
        return stop(s, PROBLEM_BAD_REQUEST,
                    n || (*s->p != ' ' && *s->p != '\t') ? NO_NAME : "a header is folded");
    do
        s->p++;
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'));
    const char *value = s->p;
    const char *end = s->p = value_end(value, s->end);
    enum head_state state = read_line_end(s, NO_VALUE);
    if (state != HEAD_WHOLE)
        return state;
    return head_note(s->out, name, n, value, (size_t)(end - value), s->limits) ? HEAD_WHOLE
                                                                               : HEAD_WRONG;
}

static enum head_state read_head(struct scan *s)
{
    const char *begin = s->p;
    enum head_state state = HEAD_WHOLE;

    if (s->p < s->end && *s->p == '\r') /* RFC 9112, 2.2 */
        state = read_line_end(s, NO_METHOD);
    if (state == HEAD_WHOLE)
        state = read_request(s);
    while (state == HEAD_WHOLE && (s->p == s->end || *s->p != '\r'))
        state = read_field(s);
    if (state == HEAD_WHOLE)
        state = read_line_end(s, NO_NAME);
    if (state != HEAD_WHOLE)
        return state;
    s->out->size = (size_t)(s->p - begin);
    return head_end(s->out) ? HEAD_WHOLE : HEAD_WRONG;
}

enum head_state head_judge(const char *bytes, size_t n, bool more_may_come,
                           const struct head_limits *limits, struct head_verdict *out)
{
    struct scan s = {bytes, bytes + (n < limits->head ? n : limits->head), limits, out};

    *out = (struct head_verdict){0};
    enum head_state state = read_head(&s);
    if (state == HEAD_PARTIAL && n >= limits->head)
        return stop(&s, PROBLEM_HEADERS_TOO_LARGE, "the head is too large");
    if (state == HEAD_PARTIAL && !more_may_come)
        return stop(&s, PROBLEM_BAD_REQUEST, "the head ends too early");
    return state;
}
