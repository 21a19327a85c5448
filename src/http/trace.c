/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include "scored/hex.h"

#include <stdio.h>
#include <string.h>

/* "vv-" trace "-" span "-ff" */
enum { VERSION_AT = 0, ID_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

/* The digits are lower case, and a dash or the end follows. */
static bool is_field(const char *p, size_t digits)
{
    return strspn(p, "0123456789abcdef") == digits && (p[digits] == '-' || !p[digits]);
}

static bool is_zero(const char *p, size_t digits)
{
    return strspn(p, "0") >= digits;
}

/* A later version may add fields behind a dash; ff is none. */
static bool is_version(const char *p, size_t n)
{
    if (!memcmp(p, "ff", 2))
        return false;
    return n == LENGTH || (p[LENGTH] == '-' && memcmp(p, "00", 2) != 0);
}

static bool is_traceparent(const char *p)
{
    size_t n = strlen(p);

    return n >= LENGTH && is_field(p + VERSION_AT, 2) && is_field(p + ID_AT, TRACE_ID - 1) &&
           is_field(p + SPAN_AT, SPAN_ID - 1) && is_field(p + FLAGS_AT, 2) &&
           !is_zero(p + ID_AT, TRACE_ID - 1) && !is_zero(p + SPAN_AT, SPAN_ID - 1) &&
           is_version(p, n);
}

void trace_read(struct trace *t, const char *traceparent)
{
    t->id[0] = '\0';
    if (!traceparent || !is_traceparent(traceparent))
        return;
    memcpy(t->id, traceparent + ID_AT, TRACE_ID - 1);
    memcpy(t->parent, traceparent + SPAN_AT, SPAN_ID - 1);
    t->id[TRACE_ID - 1] = t->parent[SPAN_ID - 1] = '\0';
    t->sampled = strchr("13579bdf", traceparent[FLAGS_AT + 1]) != NULL;
}

/* A permutation of 64-bit numbers that keeps 0 (the finalizer of MurmurHash3), so that spans of one
 * process do not look like a count. */
static uint64_t mix(uint64_t n)
{
    n = (n ^ n >> 33) * UINT64_C(0xff51afd7ed558ccd);
    n = (n ^ n >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return n ^ n >> 33;
}

void trace_begin(struct trace *t, uint64_t number)
{
    const uint64_t other = UINT64_C(0x9e3779b97f4a7c15);

    hex_number(mix(number ^ other), (SPAN_ID - 1) / 2, t->id);
    hex_number(mix(number), (SPAN_ID - 1) / 2, t->id + SPAN_ID - 1);
    t->id[TRACE_ID - 1] = t->parent[0] = '\0';
    t->sampled = true;
}

void trace_span(struct trace *t, uint64_t number)
{
    hex_number(mix(number), (SPAN_ID - 1) / 2, t->span);
    t->span[SPAN_ID - 1] = '\0';
}

void trace_write(const struct trace *t, char out[TRACEPARENT])
{
    snprintf(out, TRACEPARENT, "00-%s-%s-0%d", t->id, t->span, t->sampled);
}

/* -- tracestate -- */

enum { MEMBERS = 32, LONG_MEMBER = 128, KEY_MAX = 256, VALUE_MAX = 256 };

struct members {
    struct {
        const char *p;
        size_t n;
    } of[MEMBERS];
    unsigned n;
    size_t bytes; /* of all, and the commas between */
};

/* key=value: lower case, digits and "_-*@/"; what can be printed, but no comma or equals sign, and
 * no blank at the end. */
static bool is_member(const char *p, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-*@/";
    size_t key = strspn(p, letters), i = key + 1;

    if (!key || key > KEY_MAX || key >= n || p[key] != '=' || strchr("_-*@/", p[0]))
        return false;
    while (i < n && p[i] >= ' ' && p[i] <= '~' && p[i] != '=')
        i++;
    return i == n && n > key + 1 && n - key - 1 <= VALUE_MAX;
}

/* False: one is wrong, or there are too many. Empty ones are allowed, and none. */
static bool add_members(struct members *m, const char *header)
{
    for (const char *p = header; *p; p += *p == ',') {
        p += strspn(p, " \t");
        size_t all = strcspn(p, ","), n = all;
        while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
            n--;
        if (n && (m->n == MEMBERS || !is_member(p, n)))
            return false;
        if (n) {
            m->bytes += n + (m->n > 0);
            m->of[m->n].p = p;
            m->of[m->n++].n = n;
        }
        p += all;
    }
    return true;
}

void trace_state(char out[TRACE_STATE], const char *const headers[TRACE_STATES])
{
    struct members m = {.n = 0};
    size_t len = 0;
    bool ok = true;

    for (unsigned i = 0; i < TRACE_STATES && headers[i]; i++)
        ok = ok && add_members(&m, headers[i]);
    for (unsigned i = 0; ok && i < m.n; i++) {
        size_t n = m.of[i].n;
        if (m.bytes >= TRACE_STATE && n > LONG_MEMBER)
            continue;
        if (len + n + (len > 0) >= TRACE_STATE)
            break;
        if (len)
            out[len++] = ',';
        memcpy(out + len, m.of[i].p, n);
        len += n;
    }
    out[len] = '\0';
}
