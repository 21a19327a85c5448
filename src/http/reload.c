/* SPDX-License-Identifier: Apache-2.0 */
/* How a model came to be what it is, and the two calls of operators: reload and rollback. */
#include "http_priv.h"

#include "scored/clock.h"

#include <stdlib.h>

static const char *const state_names[] = {
    [RELOAD_IDLE] = "idle",
    [RELOAD_LOADING] = "loading",
    [RELOAD_WAITING] = "waiting",
};

static void put_time(struct buf *out, const char *member, uint64_t ms)
{
    char when[CLOCK_TEXT];

    buf_printf(out, ",\"%s\":", member);
    if (!ms) {
        buf_lit(out, "null");
        return;
    }
    clock_text(ms, when);
    buf_json_string(out, when, strlen(when));
}

static void put_error(struct buf *out, const struct reload_status *s, bool whole)
{
    char when[CLOCK_TEXT];

    buf_lit(out, ",\"last_error\":");
    if (!s->has_error) {
        buf_lit(out, "null");
        return;
    }
    clock_text(s->error_ms, when);
    buf_printf(out, "{\"at\":\"%s\",\"phase\":\"%s\",\"sha256\":", when,
               load_phase_name(s->error_phase));
    if (s->error_sha256[0])
        buf_json_string(out, s->error_sha256, strlen(s->error_sha256));
    else
        buf_lit(out, "null");
    buf_printf(out, ",\"refused\":%s,\"detail\":", s->error_refused ? "true" : "false");
    const char *detail = whole ? s->error : "the log and the admin listener say why";
    buf_json_string(out, detail, strlen(detail));
    buf_char(out, '}');
}

static void put_refused(struct buf *out, const struct reload_status *s)
{
    buf_lit(out, ",\"refused\":[");
    for (unsigned i = 0; i < s->n_refused; i++)
        buf_printf(out, "%s{\"sha256\":\"%s\",\"phase\":\"%s\"}", i ? "," : "",
                   s->refused[i].sha256, load_phase_name(s->refused[i].phase));
    buf_char(out, ']');
}

static void put_versions(struct buf *out, struct slot *s)
{
    const char *comma = "";

    buf_lit(out, ",\"versions\":[");
    for (unsigned i = 0; i < SLOT_KEPT; i++) {
        struct model *m = slot_acquire_kept(s, i);
        if (!m)
            continue;
        buf_printf(out, "%s{\"version\":", comma);
        buf_json_string(out, m->bundle->version, strlen(m->bundle->version));
        buf_printf(out, ",\"sha256\":\"%s\"}", m->bundle->sha256);
        comma = ",";
        model_release(m);
    }
    buf_char(out, ']');
}

void put_reload_for(struct buf *out, struct slot *s, bool whole)
{
    struct reload_status status;

    slot_status(s, &status);
    buf_printf(out, ",\"reload\":{\"state\":\"%s\",\"attempts\":%llu,\"from_cache\":%s",
               state_names[status.state], (unsigned long long)status.attempts,
               status.from_cache ? "true" : "false");
    put_time(out, "last_success", status.success_ms);
    put_time(out, "next", status.next_ms);
    put_error(out, &status, whole);
    buf_char(out, '}');
    put_versions(out, s);
    put_refused(out, &status);
}

void put_reload(struct buf *out, struct slot *s)
{
    put_reload_for(out, s, false);
}

void reply_not_loaded(struct exchange *x)
{
    struct reload_status status;
    struct buf extra = {0};
    bool whole = is_operator(x);

    put_reload_for(&extra, x->slot, whole);
    slot_status(x->slot, &status);
    reply_problem(x, PROBLEM_NOT_READY, extra.failed ? NULL : extra.data,
                  "the model is not loaded yet%s%.400s", status.has_error && whole ? ": " : "",
                  status.has_error && whole ? status.error : "");
    buf_done(&extra);
}

/* -- POST /models/{name}/reload -- */

void reload_body(struct exchange *x, const char *p, size_t n)
{
    if (x->received > RELOAD_BODY)
        reply_problem(x, PROBLEM_TOO_LARGE, NULL, "the body may have %d bytes", RELOAD_BODY);
    else
        buf_put(&x->body, p, n);
}

/* {"force":true}, {} or nothing. */
static bool read_force(struct exchange *x, bool *force, struct err *e)
{
    static const struct json_limits limits = {RELOAD_BODY, 4, 20};
    static const char *const known[] = {"force", NULL};

    *force = false;
    if (!x->body.len)
        return true;
    struct json_doc *doc = json_parse(x->body.data, x->body.len, &limits, e);
    if (!doc)
        return false;
    struct json root = json_root(doc);
    bool ok = (json_is_object(&root) || json_fail(&root, e, "must be an object")) &&
              json_only(&root, known, e) &&
              (!json_has(&root, "force") || json_get_bool(&root, "force", force, e));
    json_free(doc);
    return ok;
}

/* False: the reply is made. */
static bool take_force(struct exchange *x, bool *force)
{
    struct err e = {0};

    bool ok = !x->body.failed && read_force(x, force, &e);
    if (x->body.failed || e.code == ERR_NO_MEMORY)
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
    else if (!ok)
        reply_problem(x, PROBLEM_MALFORMED_JSON, NULL, "the body is empty, or {\"force\":true}: %s",
                      e.msg);
    return ok;
}

void answer_reload(struct exchange *x)
{
    bool force;

    if (!take_force(x, &force))
        return;
    uint64_t n = registry_reload(x->app->registry, x->slot, force);
    x->status = 202;
    x->problem = PROBLEM_NONE;
    buf_printf(&x->reply,
               "{\"attempt\":%llu,\"detail\":\"done when reload.attempts of GET "
               "/models/{name} has come to this number\"}",
               (unsigned long long)n);
    operator_log(x, "reload asked for", NULL, NULL, force);
}

/* -- POST /models/{name}/rollback -- */

static void put_rolled_back(struct exchange *x)
{
    const struct bundle *b = x->model->bundle;

    x->status = 200;
    x->problem = PROBLEM_NONE;
    buf_lit(&x->reply, "{\"version\":");
    buf_json_string(&x->reply, b->version, strlen(b->version));
    buf_printf(&x->reply, ",\"sha256\":\"%s\"", b->sha256);
    buf_lit(&x->reply,
            ",\"detail\":\"this instance only: a fleet is rolled back by scored-export promote, "
            "which publishes the earlier version again\"}");
}

void answer_rollback(struct exchange *x)
{
    struct model *left = slot_acquire(x->slot);
    struct err e = {0};
    bool force;

    if (!take_force(x, &force)) {
        model_release(left);
        return;
    }
    if (slot_rollback(x->app->registry, x->slot, force, &e)) {
        x->model = slot_acquire(x->slot);
        put_rolled_back(x);
        operator_log(x, "rolled back", left->bundle->version, x->model->bundle->version, force);
    } else {
        reply_problem(x, PROBLEM_CONFLICT, NULL, "%s", e.msg);
    }
    model_release(left);
}
