/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <stdio.h>
#include <string.h>

/* "vv-" trace "-" span "-ff" */
enum { VERSION_AT = 0, ID_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, LENGTH = 55 };

void put_hex(char *out, uint64_t n, unsigned digits)
{
    while (digits--) {
        out[digits] = "0123456789abcdef"[n & 15];
        n >>= 4;
    }
}

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

    put_hex(t->id, mix(number ^ other), SPAN_ID - 1);
    put_hex(t->id + SPAN_ID - 1, mix(number), SPAN_ID - 1);
    t->id[TRACE_ID - 1] = t->parent[0] = '\0';
    t->sampled = true;
}

void trace_span(struct trace *t, uint64_t number)
{
    put_hex(t->span, mix(number), SPAN_ID - 1);
    t->span[SPAN_ID - 1] = '\0';
}

void trace_write(const struct trace *t, char out[TRACEPARENT])
{
    snprintf(out, TRACEPARENT, "00-%s-%s-0%d", t->id, t->span, t->sampled);
}
