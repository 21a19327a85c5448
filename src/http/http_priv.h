/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this room share. A connection has one `struct exchange`, used again for each of
 * its requests, so that a request on a kept connection allocates nothing here. Handlers know
 * exchanges, never libmicrohttpd.
 */
#ifndef SCORED_HTTP_PRIV_H
#define SCORED_HTTP_PRIV_H

#include "access_log.h"
#include "budget.h"
#include "queue.h"
#include "scored/buf.h"
#include "scored/config.h"
#include "scored/registry.h"
#include "spans.h"
#include "tokens.h"
#include "trace.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    REQUEST_ID = 65,
    KEPT_BYTES = 4 * 1024, /* of a buffer between two requests of a connection */
    ECHO_LIST = ECHO_MAX,
    RELOAD_BODY = 1024,
};

/* Listeners, and which of them have a route. */
enum side {
    SIDE_PUBLIC = 1,
    SIDE_ADMIN = 2,
    SIDE_PROBE = 4,
    SIDE_BOTH = SIDE_PUBLIC | SIDE_ADMIN,
    SIDE_ALL = SIDE_BOTH | SIDE_PROBE,
};

/* At most so many events a second; the next one that passes tells how many did not. */
struct limiter {
    pthread_mutex_t lock; /* guards all below */
    uint64_t second;
    unsigned passed, dropped;
};
#define LIMITER_INIT                      \
    {                                     \
        .lock = PTHREAD_MUTEX_INITIALIZER \
    }
bool limiter_pass(struct limiter *l, unsigned *dropped);

struct metrics;
struct tls;
struct documents;
struct connection;
struct worker;

/* How a server ends: SIGTERM makes it a lame duck, which is unready and answers; then it takes
 * nothing new and finishes what it has. */
enum life { LIFE_SERVING, LIFE_LAME, LIFE_CLOSING, LIFE_OVER };

/* What a row of a slot's model costs, and how long it is: running means, for a guess of what a body
 * will take. */
struct cost {
    _Atomic uint32_t row_ns, row_bytes; /* 0: not known yet */
};

/* What all exchanges of a server share. */
struct app {
    struct registry *registry;
    const struct config *config;
    struct metrics *metrics;
    struct documents *documents;
    struct budget budget;
    struct queue queue;
    struct cost *costs;  /* by slot */
    struct worker **all; /* those that score, and behind them those of other listeners */
    unsigned workers;    /* that score */
    struct tls *tls;     /* NULL: nothing is encrypted */
    const char *library; /* version of libmicrohttpd */
    uint32_t run;        /* random, in the request ids made here */
    _Atomic enum life life;
    atomic_uint connections, most_connections;
    struct access_rule access_rule;
    struct access_log *access_log; /* NULL: none */
    struct spans *spans;           /* NULL: none */
    struct limiter failed_requests, strange_fields;
    struct strangers *strangers; /* by slot */
    struct tokens *tokens;       /* NULL: anybody may ask */
};

static inline enum life app_life(const struct app *app)
{
    return atomic_load_explicit(&app->life, memory_order_relaxed);
}

/* The request's head. Texts borrow the connection's memory. */
struct head {
    const char *host, *content_type, *accept, *accept_encoding, *request_id, *expect, *origin;
    const char *if_none_match, *asks_method;
    const char *content_encoding, *traceparent; /* "": several, which contradict each other */
    const char *tracestate[TRACE_STATES];       /* as they came; NULL ends them */
    const char *authorization;                  /* the same */
    const char *timeout_ms, *content_length, *transfer_encoding;
    uint64_t length; /* of the body; 0 where none is told */
    bool chunked;
    bool doubtful;     /* where the body ends was not looked for */
    const char *wrong; /* why it is refused, or NULL */
};

enum phase { PHASE_IDLE, PHASE_HEAD, PHASE_BODY, PHASE_WORK, PHASE_DROP, PHASE_ANSWERED };

struct route;

struct exchange {
    struct app *app;
    struct connection *connection;
    struct MHD_Connection *handle; /* the library's, for library.c */
    enum side side;
    unsigned
        worker; /* index of the thread that is at it; that of the admin thread is app->workers */
    enum phase phase;

    /* request */
    struct buf target;  /* as it was sent; query_open writes into it */
    const char *method; /* borrows from the library; NULL: not read yet */
    struct text path;
    char *query; /* NUL-terminated, or NULL */
    struct head head;
    const struct route *route;
    struct slot *slot;
    struct text version;    /* of {version}; empty: the current one */
    bool is_head;           /* the method was HEAD */
    char token[TOKEN_NAME]; /* the name of the token it came with; "": with none that is known */
    char id[REQUEST_ID];
    struct trace trace;
    uint64_t began_ns;
    uint64_t complete_ns; /* when all of it was there; 0: not yet */
    uint64_t late_ns;     /* when nobody waits for the answer any more */
    uint64_t received;    /* bytes of the body */
    uint32_t requests;    /* on this connection so far */
    struct buf body;
    struct unpacker *unpacker; /* of what came compressed; NULL: it did not */
    uint64_t unpacked;         /* bytes of the body, then */

    /* scoring */
    struct model *model;
    struct question question;
    struct scoring scoring;
    struct body_scoring body_scoring;
    struct stage_times times;
    bool tells_times;       /* in its reply */
    struct unknown unknown; /* names in this request that are no fields */
    const struct dialect *dialect;
    bool form;       /* so curl calls what it sends, until the first byte tells */
    size_t step_due; /* of streams: how much of the body makes a step worth while */
    struct job job;
    struct program *program; /* memory for asked-for columns */
    uint16_t *columns;
    size_t program_size, n_columns;

    /* reply */
    unsigned status;
    const char *content_type;
    const char *extra_header, *extra_value; /* one more header, or NULL */
    struct buf extra;                       /* where extra_value is made */
    struct buf reply;
    bool varies; /* whether it is compressed is for its reader to say */
    struct gzip *gzip;
    struct buf packed;       /* of the reply, while it is compressed */
    const char *encoding;    /* of the reply, or NULL */
    const char *cors_origin; /* of pages that may read it, or NULL */
    bool varies_by_origin, preflight;
    const char *etag; /* of a reply that may be kept and asked for again, or NULL */
    enum problem problem;
    char field[128]; /* of the problem, for the log */
};

/* -- exchange.c -- */

struct exchange *exchange_new(struct app *app, struct connection *c, enum side side);
void exchange_free(struct exchange *x); /* takes NULL */
/* A request begins with its target, and ends answered or not. Ending twice is ending once. */
void exchange_begin(struct exchange *x, const char *target);
void exchange_end(struct exchange *x);
void exchange_name(struct exchange *x); /* gives the request its id, and its span */
void request_name(struct app *app, unsigned worker, char id[REQUEST_ID]); /* makes one */
/* Charges the budget with what the request holds, and `more` bytes. False: there is no room, and
 * the reply says so. */
bool exchange_hold(struct exchange *x, size_t more);
bool exchange_charge(struct exchange *x, size_t more); /* the same, without a reply */

/* Makes the reply a problem document. `extra` is NULL or members with a leading comma. */
void reply_problem(struct exchange *x, enum problem problem, const char *extra, const char *fmt,
                   ...) __attribute__((format(printf, 4, 5)));
void reply_header(struct exchange *x, const char *name); /* its value stands in x->extra */
void reply_header_text(struct exchange *x, const char *name, const char *value);
/* Part of a reply is none: one that found no memory becomes a problem. False: not even that. */
bool reply_whole(struct exchange *x);

void reply_overloaded(struct exchange *x, const char *why);

/* -- strangers.c -- */

/* Names that rows had and the model has not, the last ones: of a slot. */
struct strangers;
struct strangers *strangers_new(unsigned slots); /* NULL: no memory */
void strangers_free(struct strangers *s, unsigned slots);
void strangers_note(
    struct exchange *x); /* those of a request: counts, logs, and tells its sender */
void put_strangers(struct buf *out, struct exchange *x); /* a member of the slot's document */

/* -- routes.c -- */

enum route_id {
#define ROUTE(id, ...) ROUTE_##id,
#include "routes.def"
#undef ROUTE
    ROUTE_NONE, /* for requests that have no route */
    ROUTE_COUNT
};

struct route {
    const char *method, *path;
    enum side side;
    bool (*open)(
        struct exchange *x); /* before the body: false where the reply is made; may be NULL */
    void (*body)(struct exchange *x, const char *p, size_t n); /* NULL: takes none */
    void (*answer)(struct exchange *x);
    const char *consumes; /* media types, comma-separated; NULL: none */
    const char *produces;
    const char *summary;
    /* Its id in /openapi.json, where a model's name follows if it has one; NULL: it is for people,
     * and in no list. */
    const char *operation;
    const char *describes; /* of components.json: the answer; NULL: made from the model, or text */
    bool open_to_all;      /* needs no token: probes, and what is the same for everybody */
};

extern const struct route routes[ROUTE_NONE];
enum route_id route_id(const struct route *r);
const char *route_path(const struct route *r); /* "none" for NULL: a label for logs and metrics */

/* The route of a path, and what stands for its {...}; NULL: there is none. */
enum { PATH_PARTS = 2 };
const struct route *routes_find(enum side side, struct text path, struct text parts[PATH_PARTS]);

/* Finds the route and lets it check what stands before the body. False: the reply is made. */
bool route_open(struct exchange *x, const char *method);
void route_body(struct exchange *x, const char *p, size_t n); /* a piece of the body */

/* -- handlers -- */

bool predict_open(struct exchange *x);
void predict_body(struct exchange *x, const char *p, size_t n);
void predict_answer(struct exchange *x);
uint64_t predict_estimate(const struct exchange *x); /* nanoseconds of what is there to score */
/* Would a request that begins with these bytes, the head first, be refused for what it takes? Asked
 * before anything is spent on it; where the head does not tell, it would not. */
bool predict_is_hopeless(struct app *app, struct text bytes, size_t head, uint64_t body);
bool model_open(struct exchange *x); /* x->slot and x->model of {name} */
void reload_body(struct exchange *x, const char *p, size_t n);
void answer_reload(struct exchange *x);
void answer_rollback(struct exchange *x);
void answer_livez(struct exchange *x);
void answer_readyz(struct exchange *x);
void answer_models(struct exchange *x);
void answer_model(struct exchange *x);
void answer_schema(struct exchange *x);
void answer_openapi(struct exchange *x);
void answer_metrics(struct exchange *x);
void answer_version(struct exchange *x);
void answer_page(struct exchange *x);

/* Is a browser asking? Others are told that there is nothing at its path. */
bool page_is_asked(const struct exchange *x, const char *method);

/* The members "reload", "versions" and "refused" of a slot, each with a comma before. What went
 * wrong names places (an endpoint, a bucket, a path): only the operator's says it. */
void put_reload(struct buf *out, struct slot *s);
void put_reload_for(struct buf *out, struct slot *s, bool whole);
void reply_not_loaded(struct exchange *x);

/* JSON arrays of the models' names and of their known columns, for problem documents. */
void put_model_names(struct buf *out, const struct registry *r);
void put_columns(struct buf *out, const struct plan *p);

/* -- request_log.c -- */

struct failure {
    const struct connection *client;
    const char *id;
    const char *trace;         /* its id, or "" */
    struct text method, path;  /* as they were sent; no text: not known */
    const struct route *route; /* NULL: none was found */
    unsigned status;
    enum problem problem;
    const char *field, *why;
};
void log_failure(struct app *app, const struct failure *f);
void reply_log(const struct exchange *x); /* of a request that failed */
/* What an operator has changed, or asked for: the model's versions before and after, or NULL. */
void operator_log(const struct exchange *x, const char *msg, const char *from, const char *to,
                  bool force);

/* -- tell.c -- */

/* A request is answered, at that time and by so many bytes; or refused before the library saw it.
 */
void tell_reply(struct exchange *x, uint64_t now, size_t bytes_out);
void tell_refusal(const struct connection *c, const struct failure *f);

/* -- access.c -- */

/* May the request's route, NULL where it has none, be asked with the token it brings? False: the
 * reply is made. */
bool access_check(struct exchange *x);
/* Is a token needed for it? The scope that suffices on that listener; SCOPE_NONE: none is. */
enum scope access_scope(const struct app *app, const struct route *r, enum side side);

/* --cors-origins is what it takes. */
bool cors_check(const char *list, struct err *e);
/* Notes whether a page of the request's origin may read the reply. */
void cors_open(struct exchange *x);
/* Does a browser ask whether it may ask? It does so without a token. */
bool cors_is_asked(struct exchange *x, const char *method);

/* -- operator.c -- */

/* The admin listener, asked under a name that is its own and by no page of a browser. Others get no
 * details of where models come from, and change nothing. */
bool is_operator(const struct exchange *x);

/* -- query.c -- */

/* The parameters of a prediction into x->question. False: the reply is made. */
bool query_open(struct exchange *x);

/* -- media.c -- */

/* The value of Content-Type names `type`, with no charset but UTF-8. */
bool media_is(const char *value, const char *type);
/* Quality in thousandths that an Accept header gives to a type: 1000 where there is no header.
 * `wild` counts ranges. */
unsigned media_accepts(const char *accept, const char *type, bool wild);
/* Quality that an Accept-Encoding gives to a coding, by its name or "*". */
unsigned media_weighs(const char *accept, const char *coding, unsigned unlisted);
/* Does a comma-separated list name it? */
bool media_listed(const char *list, const char *value);

/* -- metrics.c -- */

struct metrics *metrics_new(const struct registry *r, unsigned threads);
void metrics_free(struct metrics *m);
/* A request that is answered. */
struct answered {
    enum route_id route;
    unsigned place; /* 0: of no model; else its slot's index and one */
    unsigned status;
    uint64_t ns;
    const char *trace; /* its id, where its spans are kept, or NULL */
};
void metrics_request(struct metrics *m, unsigned worker, const struct answered *a);
void metrics_begun(struct metrics *m, unsigned worker); /* and ended, answered or not */
void metrics_ended(struct metrics *m, unsigned worker);
void metrics_wait(struct metrics *m, unsigned worker, uint64_t ns); /* for turns, in all */
void metrics_stages(struct metrics *m, unsigned worker, unsigned slot,
                    const struct stage_times *times);
void metrics_rows(struct metrics *m, unsigned worker, unsigned slot, const struct counts *counts);
void metrics_row_error(struct metrics *m, unsigned worker, unsigned slot, const char *field,
                       enum problem problem);

/* X(id, name, help): counters of what happens to connections and requests beside being answered. */
#define EVENTS(X)                                                                           \
    X(REFUSED, "connections_refused", "Connections refused because too many were open.")    \
    X(SHED, "connections_shed", "Idle connections closed to make room for others.")         \
    X(OVERDUE, "connections_overdue", "Connections closed for taking too long in all.")     \
    X(QUEUE_FULL, "requests_refused_queue", "Requests refused: too many wait for a turn.")  \
    X(QUEUE_WAIT, "requests_refused_wait", "Requests refused: they would wait too long.")   \
    X(NO_ROOM, "requests_refused_memory", "Requests refused: there is no memory for them.") \
    X(UNAUTHORIZED, "requests_unauthorized",                                                \
      "Requests refused: without a token that is known, or with one of another scope.")     \
    X(LATE, "requests_late", "Requests given up because their time was over.")              \
    X(ABANDONED, "requests_abandoned", "Requests given up because their client had gone.")  \
    X(CUT, "requests_cut",                                                                  \
      "Requests that ended before they were whole, or were no valid HTTP in "               \
      "their body.")                                                                        \
    X(SUSPENDED, "requests_suspended", "Requests long enough to wait for turns.")           \
    X(STALLS, "worker_stalls", "Times that a worker stood still for more than half a second.")

enum event {
#define X(id, name, help) EVENT_##id,
    EVENTS(X)
#undef X
        EVENT_COUNT
};
void metrics_event(struct metrics *m, unsigned worker, enum event e);
uint64_t metrics_next_id(struct metrics *m, unsigned worker);

/* -- documents.c: texts made from models, kept until a model changes -- */

struct documents *documents_new(const struct registry *r);
void documents_free(struct documents *d);

/* -- schema.c: of rows, alone or in an OpenAPI document; and of answers, in one: of the default
 * columns, which all stand, and of those asked for -- */

void put_row_schema(struct buf *out, const struct model *m, bool closed, bool alone);
void put_answer_schema(struct buf *out, const struct model *m);
void put_columns_schema(struct buf *out, const struct model *m);

extern const char page_html[];          /* made from page.html */
extern const char openapi_components[]; /* members of "schemas", made from components.json */
void put_openapi(struct buf *out, struct app *app, struct model *const *models, enum side side);

#endif
