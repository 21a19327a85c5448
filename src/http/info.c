/* SPDX-License-Identifier: Apache-2.0 */
/* What the server says of itself and of its models. */
#include "http_priv.h"
#include "unpack.h"

#include "scored/clock.h"
#include "scored/crypto.h"
#include "scored/json.h"
#include "scored/server.h"
#include "scored/store.h"
#include "scored/version.h"

#include <gnu/libc-version.h>
#include <stdlib.h>

static void put_string(struct buf *out, const char *text)
{
    buf_json_string(out, text, strlen(text));
}

static void put_member(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, ",\"%s\":", name);
    put_string(out, text);
}

void put_model_names(struct buf *out, const struct registry *r)
{
    buf_char(out, '[');
    for (unsigned i = 0; i < r->n_slots; i++) {
        buf_text(out, i ? "," : "");
        put_string(out, slot_name(registry_slot(r, i)));
    }
    buf_char(out, ']');
}

void answer_livez(struct exchange *x)
{
    x->status = 200;
    buf_lit(&x->reply, "{\"status\":\"live\"}");
}

/* Why not, to an operator; to others in which phase it failed. */
static void put_unready(struct buf *out, struct slot *s, bool whole)
{
    struct reload_status status;

    slot_status(s, &status);
    buf_char(out, ':');
    if (!status.has_error)
        buf_lit(out, "\"not loaded\"");
    else if (whole)
        put_string(out, status.error);
    else
        buf_printf(out, "\"not loaded: %s failed\"", load_phase_name(status.error_phase));
}

static bool put_readiness(struct buf *out, struct registry *r, bool whole)
{
    bool ready = true;

    for (unsigned i = 0; i < r->n_slots; i++) {
        bool loaded = slot_loaded(registry_slot(r, i));
        buf_text(out, i ? "," : "");
        put_string(out, slot_name(registry_slot(r, i)));
        if (loaded)
            buf_lit(out, ":\"ready\"");
        else
            put_unready(out, registry_slot(r, i), whole);
        ready &= loaded;
    }
    return ready;
}

void answer_readyz(struct exchange *x)
{
    struct buf models = {0};
    bool ready = put_readiness(&models, x->app->registry, is_operator(x));
    bool stopping = app_life(x->app) != LIFE_SERVING;

    x->status = ready && !stopping ? 200 : 503;
    x->problem = PROBLEM_NONE; /* it is answered what it asked */
    buf_printf(&x->reply, "{\"status\":\"%s\",\"models\":{",
               stopping ? "stopping"
               : ready  ? "ready"
                        : "not ready");
    buf_put(&x->reply, models.data, models.len);
    buf_lit(&x->reply, "}}");
    x->reply.failed |= models.failed;
    buf_done(&models);
}

static void put_identity(struct buf *out, const struct slot *s, const struct model *m)
{
    char when[CLOCK_TEXT];

    buf_lit(out, "{\"name\":");
    put_string(out, slot_name(s));
    if (!m) {
        buf_lit(out, ",\"ready\":false");
        return;
    }
    clock_text(m->loaded_ms, when);
    buf_lit(out, ",\"ready\":true");
    put_member(out, "version", m->bundle->version);
    put_member(out, "sha256", m->bundle->sha256);
    put_member(out, "created", m->bundle->created);
    put_member(out, "loaded", when);
}

void answer_models(struct exchange *x)
{
    struct registry *r = x->app->registry;

    x->status = 200;
    buf_lit(&x->reply, "{\"models\":[");
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(registry_slot(r, i));
        buf_text(&x->reply, i ? "," : "");
        put_identity(&x->reply, registry_slot(r, i), m);
        buf_char(&x->reply, '}');
        model_release(m);
    }
    buf_lit(&x->reply, "]}");
}

static void put_bundle_columns(struct buf *out, const char *member,
                               const struct bundle_column *columns, uint32_t n, bool input)
{
    buf_printf(out, ",\"%s\":[", member);
    for (uint32_t i = 0; i < n; i++) {
        const struct bundle_column *c = &columns[i];
        buf_text(out, i ? ",{\"name\":" : "{\"name\":");
        put_string(out, c->name);
        char type[TYPE_TEXT];
        put_member(out, "type", type_write(c->type, c->digits, type));
        if (input)
            buf_printf(out, ",\"nullable\":%s", c->nullable ? "true" : "false");
        if (c->type == TYPE_VECTOR && c->size != SIZE_UNKNOWN)
            buf_printf(out, ",\"size\":%lld", (long long)c->size);
        if (c->description)
            put_member(out, "description", c->description);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_json(struct buf *out, const char *member, const struct json *v)
{
    if (!v->node)
        return;
    char *text = json_print(v);
    buf_printf(out, ",\"%s\":", member);
    buf_text(out, text ? text : "");
    out->failed |= !text;
    free(text);
}

static void put_stages(struct buf *out, const struct bundle *b)
{
    buf_lit(out, ",\"stages\":[");
    for (uint32_t i = 0; i < b->n_stages; i++) {
        buf_text(out, i ? ",{\"op\":" : "{\"op\":");
        put_string(out, b->stages[i].op);
        put_member(out, "uid", b->stages[i].uid);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

void answer_model(struct exchange *x)
{
    const struct model *m = x->model;
    struct buf *out = &x->reply;

    x->status = 200;
    put_identity(out, x->slot, m);
    put_reload_for(out, x->slot, is_operator(x));
    if (is_operator(x))
        put_strangers(out, x);
    if (m->signer[0])
        put_member(out, "signer", m->signer);
    buf_printf(out, ",\"load_seconds\":%.6f", (double)m->load_ns / 1e9);
    put_bundle_columns(out, "input", m->bundle->inputs, m->bundle->n_inputs, true);
    put_bundle_columns(out, "output", m->bundle->outputs, m->bundle->n_outputs, false);
    put_json(out, "labels", &m->bundle->labels);
    buf_lit(out, ",\"columns\":");
    put_columns(out, &m->plan);
    put_stages(out, m->bundle);
    buf_printf(out, ",\"golden\":{\"rows\":%u,\"answered\":%u,\"skipped\":%u,\"failed\":%u}",
               m->coverage.rows, m->coverage.answered, m->coverage.skipped, m->coverage.failed);
    put_json(out, "lineage", &m->bundle->lineage);
    put_json(out, "exactness", &m->bundle->exactness);
    put_json(out, "example", &m->bundle->example);
    buf_char(out, '}');
}

void answer_version(struct exchange *x)
{
    x->status = 200;
    buf_lit(&x->reply, "{\"version\":");
    put_string(&x->reply, scored_version);
    put_member(&x->reply, "commit", scored_commit);
    put_member(&x->reply, "libmicrohttpd", x->app->library);
    put_member(&x->reply, "libcurl", store_library());
    put_member(&x->reply, "openssl", crypto_library());
    put_member(&x->reply, "cjson", json_library());
    for (unsigned i = 0; unpacking_at(i); i++)
        put_member(&x->reply, unpacking_at(i)->library, unpacking_at(i)->version());
    put_member(&x->reply, "libc", gnu_get_libc_version());
    put_member(&x->reply, "compiler", __VERSION__);
    buf_char(&x->reply, '}');
}
