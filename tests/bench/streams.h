/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of requests, each with a timetable of its own, sent by one thread. A request is due when
 * its timetable says so, whatever became of the ones before it.
 */
#ifndef TESTS_BENCH_STREAMS_H
#define TESTS_BENCH_STREAMS_H

#include "scored/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STREAMS_MAX = 16, PHASES_MAX = 8, HEAD_MAX = 2048 };

enum mode {
    KEPT,  /* requests wait, in order, for a connection that is free */
    FRESH, /* a connection a request */
    LOOP,  /* each connection asks again when it was answered */
};

#define OUTCOMES(X)                                                          \
    X(WAITING, "waiting")   /* never answered, nor given up */               \
    X(ACCEPTED, "accepted") /* 200 */                                        \
    X(BUSY, "busy")         /* 503 and 429 */                                \
    X(LATE, "late")         /* 504 */                                        \
    X(OTHER, "other")       /* another status */                             \
    X(RESET, "reset")       /* the connection ended before the answer did */ \
    X(REFUSED, "refused")   /* there was no connection */                    \
    X(GAVE_UP, "gave_up")   /* the client closed: it had waited long enough */
#define OUTCOME_CODE(code, name) OUTCOME_##code,
enum outcome { OUTCOMES(OUTCOME_CODE) N_OUTCOMES };

struct phase {
    double rate; /* requests a second */
    uint64_t ns; /* for how long */
    size_t end;  /* number of the first request after it */
};

/* Nanoseconds on the monotonic clock; 0 where it has not happened. */
struct record {
    uint64_t due;
    uint64_t taken; /* when this program turned to it */
    uint64_t sent;  /* when its connection was asked for, or its first byte was sent */
    uint64_t came;  /* when the system had the end of the answer, whenever this program read it */
    uint64_t done;
    uint32_t line;   /* place in the stream's lines */
    uint16_t status; /* of the answer */
    uint8_t outcome;
};

struct line {
    int fd;
    struct stream *stream;
    struct record *request; /* or NULL */
    struct line *next;      /* of those that are free */
    size_t sent, got;       /* bytes of the request, of its answer */
    size_t size;            /* of the answer, once its head is complete */
    bool awaits_room, closes;
    char head[HEAD_MAX];
};

struct stream {
    char name[32];
    uint16_t port;
    enum mode mode;
    bool poisson;
    uint64_t give_up; /* nanoseconds after which a client closes; 0: never */
    struct buf request;
    struct phase phases[PHASES_MAX];
    unsigned n_phases;

    struct record *records;
    size_t n, taken, sent; /* records; those due so far; those sent, in order */
    size_t looked_at;      /* those before it have been answered or given up */
    size_t open;           /* sent and not done */
    struct line *lines, *free;
    unsigned n_lines;
    uint64_t connects, closed;
};

struct streams {
    struct stream list[STREAMS_MAX];
    unsigned n;
    int epoll;
    uint64_t start, end, grace; /* grace: waited after the end for answers */
};

/* Lines are there and timetables made. Ends the program where anything fails. */
void streams_open(struct streams *s);
void streams_run(struct streams *s);
void streams_die(const char *what) __attribute__((noreturn));

#endif
