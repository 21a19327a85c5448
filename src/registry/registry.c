/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a daemon: made from --model, found by name. */
#include "slot_priv.h"

#include "scored/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t label_length(const char *s)
{
    return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}

/* "NAME=URI". With several models each has a name, and a URI is whatever follows; where one stands
 * alone its name may be left out, and a relative path may hold a '=': only what is plainly a URI is
 * taken for one. */
static const char *split_spec(const char *spec, bool must_name, char name[SLOT_NAME])
{
    static const char *const starts[] = {"/", "./", "file:", "s3:", "models:"};
    size_t n = label_length(spec);

    name[0] = '\0';
    if (n < 1 || n >= SLOT_NAME || spec[n] != '=')
        return spec;
    bool follows = must_name && spec[n + 1];
    for (size_t i = 0; i < countof(starts); i++)
        follows |= !strncmp(spec + n + 1, starts[i], strlen(starts[i]));
    if (!follows)
        return spec;
    memcpy(name, spec, n);
    name[n] = '\0';
    return spec + n + 1;
}

#define NAMES "letters, digits, '.', '_' and '-', at most %d"

/* Told where "NAME=models/x" was meant as a name and a path, and read as a path. */
static bool add_hint(const char *spec, const char *uri, struct err *e)
{
    size_t n = label_length(spec);

    if (uri != spec || e->code != ERR_SYSTEM || !strchr(spec, '='))
        return false;
    if (n && spec[n] == '=' && n < SLOT_NAME)
        return err_wrap(
            e, "NAME= is read as a name only before /, ./, file: or s3:, as in %.*s=./%.100s",
            (int)n, spec, spec + n + 1);
    return err_wrap(e, "what stands before '=' is no name: those are made of " NAMES,
                    SLOT_NAME - 1);
}

/* Loads it here and now. */
static bool load_slot(struct registry *r, struct slot *s, struct err *e)
{
    struct turn t;

    slot_turn(r, s, true, &t);
    model_release(t.next);
    if (t.result == TURN_PUBLISHED)
        return true;
    *e = t.e;
    return false;
}

static bool open_slot(struct registry *r, struct slot *s, const char *spec, bool must_name,
                      struct err *e)
{
    const char *uri = split_spec(spec, must_name, s->own_name);

    atomic_init(&s->named, s->own_name[0] != '\0');
    if (must_name && !s->own_name[0])
        return err_set(
            e, ERR_USAGE,
            "--model '%.200s': with several models each is NAME=URI, the name made of " NAMES, spec,
            SLOT_NAME - 1);
    s->source = source_open(uri, &r->options.source, e);
    if (!s->source)
        return add_hint(spec, uri, e);
    memo_read(s);
    if (s->source->remote && !r->options.must_load)
        return true; /* due now: the loader's first turn */
    if (!load_slot(r, s, e))
        return false;
    s->due_ns = s->source->pin[0] ? UINT64_MAX : clock_ns() + r->options.poll_ms * 1000000;
    return true;
}

static bool check_names(const struct registry *r, struct err *e)
{
    for (unsigned i = 0; i < r->n_slots; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(slot_name(&r->slots[i]), slot_name(&r->slots[k])) == 0)
                return err_set(e, ERR_USAGE, "--model: the name '%s' stands twice",
                               slot_name(&r->slots[i]));
    return true;
}

bool registry_open(struct registry *r, const char *const *specs, unsigned n,
                   const struct registry_options *options, struct err *e)
{
    *r = (struct registry){.options = *options, .slots = calloc(n ? n : 1, sizeof *r->slots)};
    if (!r->slots)
        return err_memory(e);
    for (unsigned i = 0; i < n; i++) {
        struct slot *s = &r->slots[r->n_slots++];
        pthread_mutex_init(&s->lock, NULL);
        if (!open_slot(r, s, specs[i], n > 1, e) || !check_names(r, e)) {
            registry_close(r);
            return false;
        }
    }
    return true;
}

void registry_close(struct registry *r)
{
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct slot *s = &r->slots[i];
        model_release(atomic_load(&s->current));
        for (unsigned k = 0; k < SLOT_KEPT; k++)
            model_release(atomic_load(&s->kept[k]));
        source_free(s->source);
        pthread_mutex_destroy(&s->lock);
    }
    free(r->slots);
    *r = (struct registry){0};
}

const char *slot_name(const struct slot *s)
{
    return atomic_load_explicit(&s->named, memory_order_acquire) ? s->own_name : "";
}

struct slot *registry_slot(const struct registry *r, unsigned i)
{
    return &r->slots[i];
}

unsigned slot_index(const struct registry *r, const struct slot *s)
{
    return (unsigned)(s - r->slots);
}

struct slot *registry_find(struct registry *r, const char *name, size_t n)
{
    for (unsigned i = 0; i < r->n_slots; i++)
        if (strlen(slot_name(&r->slots[i])) == n && memcmp(slot_name(&r->slots[i]), name, n) == 0)
            return &r->slots[i];
    return NULL;
}

struct slot *registry_default(struct registry *r)
{
    return r->n_slots == 1 ? &r->slots[0] : registry_find(r, "default", strlen("default"));
}

bool slot_loaded(const struct slot *s)
{
    return atomic_load(&s->current) != NULL;
}

bool registry_ready(struct registry *r)
{
    for (unsigned i = 0; i < r->n_slots; i++)
        if (!atomic_load(&r->slots[i].current))
            return false;
    return true;
}

/* Under the slot's lock: was the latest kept one left by a rollback? */
static bool was_left(const struct registry *r, struct slot *s)
{
    const struct model *previous = atomic_load(&s->kept[0]);
    struct refusal found;

    return previous && refused_find(&s->status, previous->bundle->sha256, &r->options, &found) &&
           found.phase == PHASE_ROLLBACK;
}

bool slot_rollback(struct registry *r, struct slot *s, bool force, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    struct model *left = atomic_load(&s->current);
    bool back = !force && was_left(r, s), swapped = left && !back && slot_swap(s);
    if (swapped) {
        refused_add(&s->status, left->bundle->sha256, PHASE_ROLLBACK);
        refused_remove(&s->status, atomic_load(&s->current)->bundle->sha256);
    }
    pthread_mutex_unlock(&s->lock);
    if (swapped) {
        atomic_store(&s->changed, true);
        loader_wake(r->loader);
    }
    if (back)
        return err_set(e, ERR_NOT_FOUND,
                       "the previous version is the one that a rollback has just left; "
                       "{\"force\":true} goes back to it");
    return swapped || err_set(e, ERR_NOT_FOUND,
                              "no previous version is kept; --keep-versions says how many are");
}

uint64_t registry_credentials_expiry(const struct registry *r)
{
    uint64_t first = 0;

    for (unsigned i = 0; i < r->n_slots; i++) {
        uint64_t at = atomic_load(&r->slots[i].source->credentials_expire_ms);
        if (at && (!first || at < first))
            first = at;
    }
    return first;
}
