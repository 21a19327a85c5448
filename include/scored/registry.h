/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots: where requests find the current model of a name, and how it comes to change. One loader
 * thread polls the manifests, loads what is new, and publishes it by one pointer. Requests never
 * wait for it: they take a reference on the model that is current and keep it to their end. A
 * candidate that fails anywhere leaves the old model serving.
 */
#ifndef SCORED_REGISTRY_H
#define SCORED_REGISTRY_H

#include "scored/model.h"
#include "scored/store.h"

#include <pthread.h>

enum { SLOT_NAME = 65, SLOT_KEPT = 8, SLOT_REFUSED = 64 };

/* A version that is not to be loaded: its bytes are what they should be, and failed. */
struct refusal {
    char sha256[SHA256_HEX + 1];
    char scored[32]; /* version of the daemon that refused it */
    enum load_phase phase;
};

enum reload_state { RELOAD_IDLE, RELOAD_LOADING, RELOAD_WAITING };

/* What the loader did to a slot, for people and metrics. */
struct reload_status {
    enum reload_state state;  /* waiting: to try again after a failure */
    uint64_t begun, attempts; /* looks at the source: begun, ended */
    uint64_t published, failed[PHASE_COUNT];
    uint64_t success_ms,
        next_ms;    /* wall clock; 0: never. Success: the source was read and is served */
    bool has_error; /* the last attempt failed; told below */
    enum load_phase error_phase;
    uint64_t error_ms;
    bool error_refused;
    char error_sha256[SHA256_HEX + 1]; /* of the candidate; "" where it is not known */
    char error[512];
    bool from_cache; /* the model is from the cache, and the source has not answered yet */
    struct refusal refused[SLOT_REFUSED];
    unsigned n_refused;
};

struct slot;

struct registry_options {
    struct model_options model;
    struct source_options source;
    uint64_t poll_ms;
    unsigned keep; /* previous versions */
    bool no_older, allow_schema_change;
    bool must_load; /* remote models too, or opening fails */
};

struct loader;

/* All models served. The list of slots never changes while threads run. */
struct registry {
    struct slot *slots; /* by registry_slot */
    unsigned n_slots;
    struct registry_options options;
    _Atomic(struct loader *) loader; /* requests may come before it */
};

/* `specs` are "URI" or "NAME=URI". A single one without a name takes it from its manifest. Local
 * models are loaded here, remote ones by the loader. On failure nothing stays; ERR_USAGE marks a
 * spec that is itself wrong. */
bool registry_open(struct registry *r, const char *const *specs, unsigned n,
                   const struct registry_options *options, struct err *e);
bool registry_start(struct registry *r, struct err *e); /* the loader; once */
void registry_stop(struct registry *r);                 /* ends the loader; before close */
void registry_close(struct registry *r);

struct slot *registry_slot(const struct registry *r, unsigned i); /* i below n_slots */
unsigned slot_index(const struct registry *r, const struct slot *s);
struct slot *registry_find(struct registry *r, const char *name, size_t n); /* NULL: none */
/* The only slot, or the one named "default", or NULL. */
struct slot *registry_default(struct registry *r);
const char *slot_name(const struct slot *s); /* "" as long as it is not known */
bool slot_loaded(const struct slot *s);      /* it has a model */
bool registry_ready(struct registry *r);     /* every slot has a model */

/* A reference on the slot's current model, or on a kept one by its version; NULL: none. Never
 * waits. */
struct model *slot_acquire(struct slot *s);
struct model *slot_acquire_kept(struct slot *s, unsigned i); /* the i-th of the kept */
struct model *slot_acquire_version(struct slot *s, const char *version, size_t n);

/* Asks the loader to look now; `force` forgets what was refused. Returns the number that the
 * status' attempts will have passed when it has. slot NULL: all. Any thread. */
uint64_t registry_reload(struct registry *r, struct slot *s, bool force);

/* Swaps to the previous version, and puts the one left on the list of the refused. False: there is
 * none, or it is the one that a rollback has left, which only `force` goes back to. */
bool slot_rollback(struct registry *r, struct slot *s, bool force, struct err *e);

void slot_status(struct slot *s, struct reload_status *out);

/* When the credentials of any source expire: 0 never. */
uint64_t registry_credentials_expiry(const struct registry *r);

#endif
