/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line for a request that failed. Never a value of a row, nor the query, which may hold one: only
 * what the model or this program calls things, and the path.
 */
#include "connection.h"
#include "peer.h"

#include "scored/log.h"

void log_failure(struct app *app, const struct failure *f)
{
    bool is_ours = f->status >= 500 && f->problem != PROBLEM_OVERLOADED;
    char from[PEER_TEXT];
    unsigned unlogged;

    if (!limiter_pass(&app->failed_requests, &unlogged))
        return;
    log_with(is_ours ? LOG_ERROR : LOG_WARN, f->why, log_text("request", f->id),
             log_text("trace", f->trace && *f->trace ? f->trace : NULL),
             log_text("client", peer_text(&f->client->peer.any, from)),
             log_bytes("method", f->method.p, f->method.len),
             log_bytes("path", f->path.p, f->path.len), log_text("route", route_path(f->route)),
             log_number("status", f->status), log_text("type", problem_urn(f->problem)),
             log_text("field", f->field && *f->field ? f->field : NULL),
             log_count("unlogged", unlogged));
}

static struct text text_of(const char *p, size_t n)
{
    return (struct text){p, (uint32_t)n};
}

/* Not the probes' 503: it is what they are there for, and comes every few seconds. */
void reply_log(const struct exchange *x)
{
    if (x->status < 400 || x->problem == PROBLEM_NONE)
        return;
    const char *target = x->target.data ? x->target.data : "";
    const struct failure f = {
        .client = x->connection,
        .id = x->id,
        .trace = x->trace.id,
        .method = text_of(x->method, x->method ? strlen(x->method) : 0),
        .path = x->path.len ? x->path : text_of(target, strcspn(target, "?")),
        .route = x->route,
        .status = x->status,
        .problem = x->problem,
        .field = x->field,
        .why = x->head.wrong ? x->head.wrong : problem_title(x->problem),
    };

    log_failure(x->app, &f);
}

void operator_log(const struct exchange *x, const char *msg, const char *from, const char *to,
                  bool force)
{
    char address[PEER_TEXT];

    log_with(LOG_INFO, msg, log_text("model", slot_name(x->slot)), log_text("from", from),
             log_text("to", to), log_bool("force", force), log_text("request", x->id),
             log_text("trace", x->trace.id[0] ? x->trace.id : NULL),
             log_text("token", x->token[0] ? x->token : NULL),
             log_text("client", peer_text(&x->connection->peer.any, address)));
}
