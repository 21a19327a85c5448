/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One turn of a slot: look at its manifest, and where that is a new version, fetch, verify, prove
 * and publish it. Whatever fails, the model that is current stays so. Runs on one thread at a time.
 */
#include "slot_priv.h"

#include "scored/bounds.h"
#include "scored/clock.h"
#include "scored/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
    struct registry *registry;
    struct slot *slot;
    struct source_file manifest, envelope;
    char signer[KEY_ID];
    atomic_uint phase; /* where it stands, and so where it failed */
};

static void set_phase(struct candidate *c, enum load_phase p)
{
    atomic_store_explicit(&c->phase, p, memory_order_relaxed);
}

static void candidate_done(struct candidate *c)
{
    free(c->manifest.bytes);
    free(c->envelope.bytes);
}

/* -- rules -- */

static bool check_label(const struct model *other, const struct model *next, struct err *e)
{
    const struct bundle *a = other ? other->bundle : NULL, *b = next->bundle;

    if (!a || strcmp(a->version, b->version) != 0 || strcmp(a->sha256, b->sha256) == 0)
        return true;
    return err_set(e, ERR_BAD_BUNDLE,
                   "version '%.64s' is loaded with another digest (%.16s..., this one is "
                   "%.16s...): publish it under a label of its own",
                   b->version, a->sha256, b->sha256);
}

static bool check_labels(const struct slot *s, const struct model *next, struct err *e)
{
    for (unsigned i = 0; i < SLOT_KEPT; i++)
        if (!check_label(atomic_load(&s->kept[i]), next, e))
            return false;
    return check_label(atomic_load(&s->current), next, e);
}

/* `created` is RFC 3339 in UTC with milliseconds: it sorts as text. */
static bool check_age(const struct model *now, const struct model *next, struct err *e)
{
    const char *a = now->bundle->created, *b = next->bundle->created;

    return strcmp(b, a) >= 0 ||
           err_set(e, ERR_BAD_BUNDLE,
                   "created %.40s, before the version served (%.40s): --no-older", b, a);
}

/* This thread is the only one that changes pointers but for rollbacks, which free nothing. */
static bool check_rules(struct candidate *c, const struct model *next, struct err *e)
{
    const struct registry_options *o = &c->registry->options;
    const struct model *now = atomic_load(&c->slot->current);

    set_phase(c, PHASE_LABEL);
    if (!check_labels(c->slot, next, e))
        return false;
    set_phase(c, PHASE_AGE);
    if (now && o->no_older && !check_age(now, next, e))
        return false;
    set_phase(c, PHASE_SCHEMA);
    if (now && !o->allow_schema_change && !model_compatible(now, next, e))
        return false;
    set_phase(c, PHASE_MEMORY);
    return model_fits(next, &o->model, e);
}

/* -- from a manifest to a model -- */

static struct model *build(struct candidate *c, struct err *e)
{
    const struct model_options *o = &c->registry->options.model;
    struct source *source = c->slot->source;

    set_phase(c, PHASE_SIGNATURE);
    if (!c->envelope.bytes && !model_signed(source, &c->manifest, o, &c->envelope, c->signer, e))
        return NULL;
    set_phase(c, PHASE_MANIFEST);
    struct model *m = model_begin(&c->manifest, e);
    if (!m) {
        err_wrap(e, "%s", source->manifest);
        return NULL;
    }
    memcpy(m->signer, c->signer, sizeof m->signer);
    memcpy(m->envelope, c->envelope.sha256, sizeof m->envelope);
    if (check_rules(c, m, e) && model_finish(m, source, o, &c->phase, e))
        return m;
    model_release(m);
    return NULL;
}

static void publish(struct candidate *c, struct model *next, struct turn *t)
{
    struct slot *s = c->slot;

    t->result = TURN_PUBLISHED;
    t->next = model_retain(next);
    pthread_mutex_lock(&s->lock);
    if (!s->own_name[0]) {
        snprintf(s->own_name, sizeof s->own_name, "%s", next->bundle->name);
        atomic_store_explicit(&s->named, true, memory_order_release);
    }
    t->out = slot_publish(s, next, c->registry->options.keep);
    s->status.published++;
    pthread_mutex_unlock(&s->lock);
}

/* Before it is published: whatever has answered once is there after a crash. */
static void remember(const struct candidate *c, const struct model *next)
{
    struct source *source = c->slot->source;

    fault_point("remember.manifest");
    source_keep(source, &c->manifest);
    fault_point("remember.envelope");
    if (c->envelope.bytes)
        source_keep(source, &c->envelope);
    fault_point("remember.memo");
    memo_serve(c->slot, next);
    memo_write(c->slot);
    fault_point("remember.done");
}

/* -- failures -- */

static bool is_refused(struct candidate *c, struct refusal *found)
{
    struct slot *s = c->slot;

    pthread_mutex_lock(&s->lock);
    bool refused = refused_find(&s->status, c->manifest.sha256, &c->registry->options, found);
    pthread_mutex_unlock(&s->lock);
    return refused;
}

/* Under the slot's lock: for whoever asks why the newest version is not served. */
static void tell(struct candidate *c, const struct turn *t)
{
    struct reload_status *status = &c->slot->status;

    status->has_error = true;
    status->error_phase = t->phase;
    status->error_ms = clock_ms();
    status->error_refused = t->refused;
    snprintf(status->error, sizeof status->error, "%s", t->e.msg);
    snprintf(status->error_sha256, sizeof status->error_sha256, "%s", c->manifest.sha256);
}

static void failed(struct candidate *c, struct turn *t)
{
    struct reload_status *status = &c->slot->status;

    t->result = TURN_FAILED;
    t->phase = (enum load_phase)atomic_load(&c->phase);
    t->refused = load_phase_refuses(t->phase) && t->e.code != ERR_NO_MEMORY;
    pthread_mutex_lock(&c->slot->lock);
    status->failed[t->phase]++;
    tell(c, t);
    if (t->refused)
        refused_add(status, c->manifest.sha256, t->phase);
    pthread_mutex_unlock(&c->slot->lock);
    if (t->refused)
        memo_write(c->slot);
}

static void refused(struct candidate *c, const struct refusal *found, struct turn *t)
{
    t->result = TURN_REFUSED;
    t->phase = found->phase;
    t->refused = true;
    err_set(&t->e, ERR_BAD_BUNDLE,
            "%.16s... was refused before (%s); a reload with {\"force\":true} tries it again",
            c->manifest.sha256, load_phase_name(found->phase));
    pthread_mutex_lock(&c->slot->lock);
    tell(c, t);
    pthread_mutex_unlock(&c->slot->lock);
}

/* -- a turn -- */

static bool look(struct candidate *c, bool whole, struct err *e)
{
    struct slot *s = c->slot;
    const struct source_request r = {
        .name = s->source->manifest,
        .max = BOUND_MANIFEST,
        .sha256 = s->source->pin[0] ? s->source->pin : NULL,
        .tag = s->tag[0] && !whole ? s->tag : NULL,
    };

    return source_fetch(s->source, &r, &c->manifest, e);
}

static bool is_current(const struct candidate *c)
{
    const struct model *now = atomic_load(&c->slot->current);

    return now && strcmp(now->bundle->sha256, c->manifest.sha256) == 0;
}

/* The source was read, and what it holds is known. */
static void looked(struct candidate *c, bool served)
{
    struct reload_status *status = &c->slot->status;

    if (!c->manifest.unchanged)
        memcpy(c->slot->tag, c->manifest.tag, sizeof c->slot->tag);
    pthread_mutex_lock(&c->slot->lock);
    status->success_ms = clock_ms();
    if (served) {
        status->has_error = false;
        status->from_cache = false;
    }
    pthread_mutex_unlock(&c->slot->lock);
}

/* A manifest that is neither served nor refused. */
static void load_next(struct candidate *c, struct turn *t)
{
    struct model *next = build(c, &t->e);

    if (next) {
        remember(c, next);
        publish(c, next, t);
        looked(c, true);
        return;
    }
    failed(c, t);
    if (t->refused)
        looked(c, false);
}

void slot_turn(struct registry *r, struct slot *s, bool whole, struct turn *t)
{
    struct candidate c = {.registry = r, .slot = s};
    struct refusal found;

    *t = (struct turn){.result = TURN_SAME};
    if (!look(&c, whole, &t->e)) {
        failed(&c, t);
    } else if (c.manifest.unchanged || is_current(&c)) {
        looked(&c, !c.manifest.unchanged);
    } else if (is_refused(&c, &found)) {
        looked(&c, false);
        refused(&c, &found, t);
    } else {
        load_next(&c, t);
    }
    if (t->e.code)
        err_wrap(&t->e, "%s", s->source->uri);
    candidate_done(&c);
}

/* -- without the source -- */

static bool fetch_kept(const struct slot *s, const char *suffix, const char *sha256,
                       struct source_file *f, struct err *e)
{
    char name[32];

    snprintf(name, sizeof name, "bundle-%.16s.%s", s->served.manifest, suffix);
    const struct source_request r = {.name = name, .max = ENVELOPE_BYTES, .sha256 = sha256};
    return source_fetch(s->source, &r, f, e);
}

/* The signature is asked for here too: keys may have changed since. */
static bool check_kept_signature(struct candidate *c, struct err *e)
{
    const struct trust *trust = c->registry->options.model.trust;
    const struct slot *s = c->slot;

    if (!trust)
        return true;
    if (!s->served.envelope[0])
        return err_set(e, ERR_BAD_BUNDLE, "the version served last has no signature in the cache");
    return fetch_kept(s, "dsse", s->served.envelope, &c->envelope, e) &&
           trust_verify(trust, (const char *)c->envelope.bytes, c->envelope.n,
                        (const char *)c->manifest.bytes, c->manifest.n, c->signer, e);
}

void slot_recall(struct registry *r, struct slot *s, struct turn *t)
{
    struct candidate c = {.registry = r, .slot = s};
    struct refusal found;
    struct model *next = NULL;

    *t = (struct turn){.result = TURN_SAME};
    if (!s->served.manifest[0])
        return;
    if (fetch_kept(s, "json", s->served.manifest, &c.manifest, &t->e) && !is_refused(&c, &found) &&
        check_kept_signature(&c, &t->e))
        next = build(&c, &t->e);
    if (next) {
        publish(&c, next, t);
        pthread_mutex_lock(&s->lock);
        s->status.from_cache = true;
        pthread_mutex_unlock(&s->lock);
    }
    candidate_done(&c);
}
