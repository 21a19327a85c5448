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

struct attempt {
    struct candidate version; /* first: the rules get it */
    struct registry *registry;
    struct slot *slot;
};

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
    const struct attempt *a = (const struct attempt *)c;
    const struct registry_options *o = &a->registry->options;
    const struct model *now = atomic_load(&a->slot->current);

    candidate_at(c, PHASE_LABEL);
    if (!check_labels(a->slot, next, e))
        return false;
    candidate_at(c, PHASE_AGE);
    if (now && o->no_older && !check_age(now, next, e))
        return false;
    candidate_at(c, PHASE_SCHEMA);
    return !now || o->allow_schema_change || model_compatible(now, next, e);
}

static struct attempt attempt_at(struct registry *r, struct slot *s)
{
    return (struct attempt){
        .version = {.source = s->source, .options = &r->options.model, .rules = check_rules},
        .registry = r,
        .slot = s,
    };
}

/* -- success -- */

static void publish(struct attempt *a, struct model *next, struct turn *t)
{
    struct slot *s = a->slot;

    t->result = TURN_PUBLISHED;
    t->next = model_retain(next);
    const struct model *now = atomic_load(&s->current);
    t->older = now && strcmp(next->bundle->created, now->bundle->created) < 0;
    pthread_mutex_lock(&s->lock);
    if (!s->own_name[0]) {
        snprintf(s->own_name, sizeof s->own_name, "%s", next->bundle->name);
        atomic_store_explicit(&s->named, true, memory_order_release);
    }
    t->out = slot_publish(s, next, a->registry->options.keep);
    s->status.published++;
    pthread_mutex_unlock(&s->lock);
    slot_settle(s);
}

/* Before it is published: whatever has answered once is there after a crash. */
static void remember(const struct attempt *a, const struct model *next)
{
    struct source *source = a->slot->source;

    fault_point("remember.manifest");
    source_keep(source, &a->version.manifest);
    fault_point("remember.envelope");
    if (a->version.envelope.bytes)
        source_keep(source, &a->version.envelope);
    fault_point("remember.memo");
    memo_serve(a->slot, next);
    memo_write(a->slot);
    fault_point("remember.done");
}

/* -- failures -- */

static bool is_refused(struct attempt *a, struct refusal *found)
{
    struct slot *s = a->slot;

    pthread_mutex_lock(&s->lock);
    bool refused =
        refused_find(&s->status, a->version.manifest.sha256, &a->registry->options, found);
    pthread_mutex_unlock(&s->lock);
    return refused;
}

/* Under the slot's lock: for whoever asks why the newest version is not served. */
static void tell(struct attempt *a, const struct turn *t)
{
    struct reload_status *status = &a->slot->status;

    status->has_error = true;
    status->error_phase = t->phase;
    status->error_ms = clock_ms();
    status->error_refused = t->refused;
    snprintf(status->error, sizeof status->error, "%s", t->e.msg);
    snprintf(status->error_sha256, sizeof status->error_sha256, "%s", a->version.manifest.sha256);
}

/* Before it is told of: who has read that a version is refused will find it refused after a crash.
 */
static void remember_refused(struct attempt *a, enum load_phase phase)
{
    pthread_mutex_lock(&a->slot->lock);
    refused_add(&a->slot->status, a->version.manifest.sha256, phase);
    pthread_mutex_unlock(&a->slot->lock);
    memo_write(a->slot);
}

static void failed(struct attempt *a, struct turn *t)
{
    struct reload_status *status = &a->slot->status;

    t->result = TURN_FAILED;
    t->phase = (enum load_phase)atomic_load(&a->version.phase);
    t->refused = load_phase_refuses(t->phase) && t->e.code != ERR_NO_MEMORY;
    if (t->refused)
        remember_refused(a, t->phase);
    pthread_mutex_lock(&a->slot->lock);
    status->failed[t->phase]++;
    tell(a, t);
    pthread_mutex_unlock(&a->slot->lock);
}

static void refused(struct attempt *a, const struct refusal *found, struct turn *t)
{
    t->result = TURN_REFUSED;
    t->phase = found->phase;
    t->refused = true;
    err_set(&t->e, ERR_BAD_BUNDLE,
            "%.16s... was refused before (%s); a reload with {\"force\":true} tries it again",
            a->version.manifest.sha256, load_phase_name(found->phase));
    pthread_mutex_lock(&a->slot->lock);
    tell(a, t);
    pthread_mutex_unlock(&a->slot->lock);
}

/* -- a turn -- */

static bool look(struct attempt *a, bool whole, struct err *e)
{
    struct slot *s = a->slot;
    const struct source_request r = {
        .name = s->source->manifest,
        .max = BOUND_MANIFEST,
        .sha256 = s->source->pin[0] ? s->source->pin : NULL,
        .tag = s->tag[0] && !whole ? s->tag : NULL,
    };

    return source_fetch(s->source, &r, &a->version.manifest, e);
}

static bool is_current(const struct attempt *a)
{
    const struct model *now = atomic_load(&a->slot->current);

    return now && strcmp(now->bundle->sha256, a->version.manifest.sha256) == 0;
}

/* The source was read, and what it holds is known. */
static void looked(struct attempt *a, bool served)
{
    struct reload_status *status = &a->slot->status;

    if (!a->version.manifest.unchanged)
        memcpy(a->slot->tag, a->version.manifest.tag, sizeof a->slot->tag);
    pthread_mutex_lock(&a->slot->lock);
    status->success_ms = clock_ms();
    if (served) {
        status->has_error = false;
        status->from_cache = false;
    }
    pthread_mutex_unlock(&a->slot->lock);
}

/* A manifest that is neither served nor refused. Once every slot answers there is time. */
static void load_next(struct attempt *a, struct turn *t)
{
    bool aside = registry_ready(a->registry);
    struct model *next = (aside ? candidate_load_aside : candidate_load)(&a->version, &t->e);

    if (next) {
        remember(a, next);
        publish(a, next, t);
        looked(a, true);
        return;
    }
    failed(a, t);
    if (t->refused)
        looked(a, false);
}

void slot_turn(struct registry *r, struct slot *s, bool whole, struct turn *t)
{
    struct attempt a = attempt_at(r, s);
    struct refusal found;

    *t = (struct turn){.result = TURN_SAME};
    if (atomic_load(&s->current))
        snprintf(t->from, sizeof t->from, "%s", atomic_load(&s->current)->bundle->version);
    if (!look(&a, whole, &t->e)) {
        failed(&a, t);
    } else if (a.version.manifest.unchanged || is_current(&a)) {
        looked(&a, !a.version.manifest.unchanged);
    } else if (is_refused(&a, &found)) {
        looked(&a, false);
        refused(&a, &found, t);
    } else {
        load_next(&a, t);
    }
    snprintf(t->sha256, sizeof t->sha256, "%s", a.version.manifest.sha256);
    if (t->e.code)
        err_wrap(&t->e, "%s", s->source->uri);
    candidate_done(&a.version);
}

/* -- from the cache -- */

static bool fetch_kept(const struct slot *s, const char *suffix, const char *sha256,
                       struct source_file *f, struct err *e)
{
    char name[32];

    snprintf(name, sizeof name, "bundle-%.16s.%s", s->served.manifest, suffix);
    const struct source_request r = {.name = name, .max = ENVELOPE_BYTES, .sha256 = sha256};
    return source_fetch(s->source, &r, f, e);
}

/* The signature is asked for here too: keys may have changed since. */
static bool check_kept_signature(struct attempt *a, struct err *e)
{
    const struct slot *s = a->slot;

    if (!a->version.options->trust)
        return true;
    candidate_at(&a->version, PHASE_SIGNATURE);
    if (!s->served.envelope[0])
        return err_set(e, ERR_BAD_BUNDLE, "the version served last has no signature in the cache");
    return fetch_kept(s, "dsse", s->served.envelope, &a->version.envelope, e) &&
           candidate_verify(&a->version, e);
}

/* The memo is the URI's, whatever was pinned then. */
static bool is_wanted(const struct slot *s)
{
    const char *pin = s->source->pin, *served = s->served.manifest;

    return served[0] && (!pin[0] || strcmp(pin, served) == 0);
}

static struct model *load_kept(struct attempt *a, struct err *e)
{
    struct slot *s = a->slot;
    struct model *next = NULL;
    struct refusal found;

    candidate_at(&a->version, PHASE_FETCH);
    s->source->cache_only = true;
    if (fetch_kept(s, "json", s->served.manifest, &a->version.manifest, e) &&
        !is_refused(a, &found) && check_kept_signature(a, e))
        next = candidate_load(&a->version, e);
    s->source->cache_only = false;
    return next;
}

void slot_recall(struct registry *r, struct slot *s, struct turn *t)
{
    struct attempt a = attempt_at(r, s);

    *t = (struct turn){.result = TURN_SAME};
    if (!is_wanted(s))
        return;
    struct model *next = load_kept(&a, &t->e);
    t->phase = (enum load_phase)atomic_load(&a.version.phase);
    if (next) {
        publish(&a, next, t);
        pthread_mutex_lock(&s->lock);
        s->status.from_cache = true;
        pthread_mutex_unlock(&s->lock);
    }
    candidate_done(&a.version);
}
