/* SPDX-License-Identifier: Apache-2.0 */
/* What slots, registry and loader share. Pointers of a slot are changed under its lock. */
#ifndef SCORED_REGISTRY_SLOT_PRIV_H
#define SCORED_REGISTRY_SLOT_PRIV_H

#include "scored/candidate.h"
#include "scored/registry.h"

struct model *model_retain(struct model *m); /* takes NULL */

/* Digests of what was served last; "" where nothing was. */
struct served {
    char manifest[SHA256_HEX + 1], envelope[SHA256_HEX + 1];
};

struct slot {
    char own_name[SLOT_NAME]; /* read by slot_name */
    atomic_bool named; /* it is there: where --model did not give it, the first manifest does */
    struct source *source;
    _Atomic(struct model *) current;         /* NULL: not loaded */
    _Atomic(struct model *) kept[SLOT_KEPT]; /* previous versions, the latest first */
    atomic_uint taking;                      /* threads between a pointer and a reference on it */

    pthread_mutex_t lock; /* guards what is below, and writing what is above */
    struct reload_status status;

    atomic_bool asked, force; /* by people */
    atomic_bool changed;      /* what is served, or refused: to be remembered */

    /* the loader's own */
    struct served served;
    uint64_t due_ns;   /* UINT64_MAX: never */
    unsigned failures; /* since the last success */
    char tag[SOURCE_TAG];
};

/* Makes `next` current, under the slot's lock; takes the caller's reference. What was current
 * becomes the latest of `keep` kept ones. Returns the model that falls out, with its reference, or
 * NULL: it may be used by some who are not counted yet, until slot_settle. */
struct model *slot_publish(struct slot *s, struct model *next, unsigned keep);

/* Waits, without the lock, until nobody is about to use what fell out uncounted. */
void slot_settle(struct slot *s);

/* Current and the latest kept one change places, under the slot's lock. False: none is kept. */
bool slot_swap(struct slot *s);

/* -- refused.c: the versions not to be loaded; under the slot's lock -- */

bool refused_find(const struct reload_status *s, const char *sha256,
                  const struct registry_options *o, struct refusal *found);
void refused_add(struct reload_status *s, const char *sha256, enum load_phase phase);
void refused_remove(struct reload_status *s, const char *sha256);

/* -- memo.c: slot->served and the list of the refused, across restarts -- */

/* By the loader, and before it runs. What cannot be read is not there. */
void memo_read(struct slot *s);
void memo_serve(struct slot *s, const struct model *m); /* m is what is served last */
void memo_write(struct slot *s);
void memo_update(struct slot *s); /* with what is current as served last */

/* -- reload.c -- */

enum turn_result { TURN_SAME, TURN_PUBLISHED, TURN_REFUSED, TURN_FAILED };

/* What one look at the source led to. */
struct turn {
    enum turn_result result;
    enum load_phase phase;       /* of a failure */
    bool refused;                /* the failure: not to be tried again */
    char from[SLOT_NAME];        /* the version served before; "": none */
    bool older;                  /* what was published was created before that one */
    char sha256[SHA256_HEX + 1]; /* of the manifest that was looked at; "": it did not come */
    struct err e;                /* of failures and refusals */
    struct model *next;          /* published now; a reference of the caller's */
    struct model *out; /* fell out; its reference is the caller's, who frees it when its last
                          request has ended */
};

/* Looks, and loads what is new. `whole`: the manifest is wanted even where it is unchanged. */
void slot_turn(struct registry *r, struct slot *s, bool whole, struct turn *t);

/* Loads the version that was served last, from the cache and nowhere else. */
void slot_recall(struct registry *r, struct slot *s, struct turn *t);

/* -- aside.c -- */

/* candidate_load in a thread of its own, at idle priority for processor and disk, which ends with
 * it. Where no thread can be made it runs in this one. */
struct model *candidate_load_aside(struct candidate *c, struct err *e);

/* -- loader.c -- */

void loader_wake(struct loader *l); /* takes NULL */

#endif
