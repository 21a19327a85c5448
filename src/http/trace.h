/* SPDX-License-Identifier: Apache-2.0 */
/*
 * W3C Trace Context (https://www.w3.org/TR/trace-context/, 3.2): whose request a request is part
 * of.
 */
#ifndef SCORED_HTTP_TRACE_H
#define SCORED_HTTP_TRACE_H

#include <stdbool.h>
#include <stdint.h>

/* Texts in lower-case hex, with their NUL. */
enum { TRACE_ID = 32 + 1, SPAN_ID = 16 + 1, TRACEPARENT = 55 + 1 };

struct trace {
    char id[TRACE_ID];    /* "": the request is part of none, and the rest means nothing */
    char parent[SPAN_ID]; /* the caller's span; "": it has none */
    char span[SPAN_ID];   /* the request's own */
    bool sampled;         /* the caller wants its spans kept */
};

/* What a caller's tracestate headers say in all (3.3.1), and a NUL. */
enum { TRACE_STATE = 512 + 1, TRACE_STATES = 4 /* headers at most */ };

/* Joins their members, so many as fit; where they do not, first those of more than 128 bytes go,
 * then the last. "" where one is not as the rules have it, or there are more than 32. The first
 * NULL ends the headers. */
void trace_state(char out[TRACE_STATE], const char *const headers[TRACE_STATES]);

/* Takes what a traceparent header says; NULL or what the rules do not allow makes it none. */
void trace_read(struct trace *t, const char *traceparent);

/* The request begins a trace of that number, which is kept. */
void trace_begin(struct trace *t, uint64_t number);

/* Gives the request a span: any number but 0, never the same twice. */
void trace_span(struct trace *t, uint64_t number);

/* A traceparent whose span is the request's own. */
void trace_write(const struct trace *t, char out[TRACEPARENT]);

#endif
