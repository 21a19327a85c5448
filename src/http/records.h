/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests were, on its way to somebody who is told of them: the access log, a collector of
 * spans. Each worker fills a ring of its own and never waits: where it is full the record is
 * dropped and counted. A thread takes them out, so a reader who is slow or gone costs nobody else
 * anything.
 */
#ifndef SCORED_HTTP_RECORDS_H
#define SCORED_HTTP_RECORDS_H

#include "tokens.h"
#include "trace.h"

#include "scored/err.h"
#include "scored/scoring.h"

#include <netinet/in.h>
#include <stdatomic.h>

enum { RECORD_ID = 65, RECORD_METHOD = 16, RECORD_VERSION = 65 };

/* Never a value of a row, nor a path or a query that somebody made up. */
struct record {
    uint64_t began_ns, ended_ns; /* clock_ns */
    uint64_t stage_ns[STAGE_COUNT], wait_ns;
    uint64_t bytes_in, bytes_out, rows; /* of bodies */
    const char *route;                  /* the pattern, or "none" */
    const char *model;                  /* NULL: it asked for none */
    enum problem problem;
    unsigned status;
    struct trace trace;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    char method[RECORD_METHOD], version[RECORD_VERSION], id[RECORD_ID]; /* or "", and cut */
    char token[TOKEN_NAME];                                             /* its name */
    char state[TRACE_STATE]; /* of spans: the caller's tracestate */
};

struct records;

/* Who is told, by a thread of its own. `flush` comes when there are no more for
 * now, or, where it `ends`, at all. */
struct reader_of_records {
    void (*take)(void *context, const struct record *r);
    void (*flush)(void *context, bool ends);
    void *context;
};

/* Rings for so many workers, and the thread. NULL on failure. */
struct records *records_start(const char *name, unsigned workers,
                              const struct reader_of_records *reader, struct err *e);

/* To be filled and put, by the worker's own thread; NULL: there is no room. */
struct record *records_next(struct records *r, unsigned worker);
void records_put(struct records *r, unsigned worker);
uint64_t records_dropped(const struct records *r);

/* Nothing more is put: the thread takes what is left, and ends. */
void records_end(struct records *r);

/* Asked by `take` and `flush` wherever they wait. */
bool records_ends(const struct records *r);

/* Ends it, and waits a bounded time for what is left to be taken. False: the thread hangs, and all
 * that it uses has to stay as it is. Takes NULL. */
bool records_stop(struct records *r);

#endif
