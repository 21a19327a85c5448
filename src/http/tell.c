/* SPDX-License-Identifier: Apache-2.0 */
/* What requests were, for those who are told. */
#include "access_log.h"
#include "worker.h"

#include "scored/clock.h"

#include <stdio.h>

_Static_assert((int)RECORD_ID == (int)REQUEST_ID, "an id goes in whole");

static bool is_logged(struct app *app, struct worker *w, unsigned status)
{
    const struct access_rule *rule = &app->access_rule;

    if (!app->access_log)
        return false;
    if (status >= 400)
        return rule->errors;
    return rule->one_in && w->answered++ % rule->one_in == 0;
}

static void copy(char *out, size_t size, const char *p, size_t n)
{
    n = n < size ? n : size - 1;
    memcpy(out, p, n);
    out[n] = '\0';
}

static void note_peer(struct record *r, const struct connection *c)
{
    memcpy(&r->peer, &c->peer, sizeof r->peer);
}

static void note_model(struct record *r, const struct exchange *x)
{
    const char *version = x->model ? x->model->bundle->version : "";

    r->model = x->slot ? slot_name(x->slot) : NULL;
    copy(r->version, sizeof r->version, version, strlen(version));
}

static void fill(struct record *r, const struct exchange *x, uint64_t now, size_t bytes_out)
{
    r->began_ns = x->began_ns;
    r->ended_ns = now;
    memcpy(r->stage_ns, x->times.ns, sizeof r->stage_ns);
    r->wait_ns = x->job.waited_ns;
    r->bytes_in = x->received;
    r->bytes_out = bytes_out;
    r->rows = x->scoring.counts.rows;
    r->route = route_path(x->route);
    r->problem = x->problem;
    r->status = x->status;
    r->trace = x->trace;
    note_peer(r, x->connection);
    note_model(r, x);
    copy(r->method, sizeof r->method, x->method ? x->method : "",
         x->method ? strlen(x->method) : 0);
    memcpy(r->id, x->id, sizeof r->id);
    memcpy(r->token, x->token, sizeof r->token);
}

static bool is_traced(const struct exchange *x)
{
    return x->app->spans && x->trace.id[0] && x->trace.sampled;
}

static void tell(struct records *records, const struct exchange *x, uint64_t now, size_t bytes_out)
{
    struct record *r = records_next(records, x->worker);

    if (!r)
        return;
    fill(r, x, now, bytes_out);
    r->state[0] = '\0';
    if (is_traced(x) && x->trace.parent[0])
        trace_state(r->state, x->head.tracestate);
    records_put(records, x->worker);
}

void tell_reply(struct exchange *x, uint64_t now, size_t bytes_out)
{
    struct app *app = x->app;

    if (is_logged(app, app->all[x->worker], x->status))
        tell(access_log_records(app->access_log), x, now, bytes_out);
    if (is_traced(x))
        tell(spans_records(app->spans), x, now, bytes_out);
}

void tell_refusal(const struct connection *c, const struct failure *f)
{
    struct worker *w = c->worker;

    if (!is_logged(w->app, w, f->status))
        return;
    struct records *records = access_log_records(w->app->access_log);
    struct record *r = records_next(records, w->index);
    if (!r)
        return;
    *r = (struct record){.route = route_path(NULL), .problem = f->problem, .status = f->status};
    r->began_ns = r->ended_ns = clock_ns();
    note_peer(r, c);
    copy(r->method, sizeof r->method, f->method.p ? f->method.p : "", f->method.len);
    copy(r->id, sizeof r->id, f->id, strlen(f->id));
    records_put(records, w->index);
}
