/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model: a loaded plan with its identity, proved by its golden rows; read-only once published,
 * counted. And the slots where requests find the current model of a name.
 */
#ifndef SCORED_MODEL_H
#define SCORED_MODEL_H

#include "scored/scoring.h"
#include "scored/source.h"

#include <pthread.h>
#include <stdatomic.h>

struct model_options {
    unsigned workers;    /* scratches to make, one a thread that scores */
    size_t scratch;      /* wanted bytes of one */
    unsigned frame_rows; /* cap of rows a frame, 1..64 */
    bool verify;         /* replay the golden rows: always, but in tools that do so themselves */
};

struct coverage {
    uint32_t rows, answered, skipped, failed; /* golden rows */
};

struct model {
    atomic_uint refs;
    struct arena arena; /* owns plan, schema, scratches */
    struct bundle *bundle;
    struct plan plan;
    struct schema *schema;
    struct frame **frames; /* by worker */
    unsigned n_frames;
    struct question defaults; /* default outputs, dense vectors */
    struct coverage coverage;
    uint64_t loaded_ms; /* wall clock, when it was published */
    uint64_t load_ns;   /* how long loading took */
};

/* Fetches, verifies, compiles, and replays the golden rows. NULL on failure. The first reference is
 * the caller's. */
struct model *model_load(struct source *s, const struct model_options *options, struct err *e);
void model_release(struct model *m); /* takes NULL; any thread; frees with the last reference */

/* Replays the golden rows on frames[0]: every answer equal (FORMAT.md 6). The error names line,
 * column, expected and got. */
bool golden_replay(struct model *m, struct err *e);

/* A question for a comma-separated list of column names or "all"; NULL or empty means the defaults.
 * `program` and `columns` are memory for it, of plan_program_steps and n_columns entries. False:
 * *unknown is the name that no column has. */
bool question_columns(const struct model *m, const char *list, struct program *program,
                      uint16_t *columns, struct question *q, struct text *unknown);

/* -- slots -- */

enum { SLOT_NAME = 65 };

struct slot {
    char name[SLOT_NAME];
    struct source *source;
    pthread_mutex_t lock;  /* guards current, and the step from current to a reference on it */
    struct model *current; /* NULL: not loaded */
};

/* All models served. Made before threads start; the list of slots never changes after. */
struct registry {
    struct slot *slots;
    unsigned n_slots;
};

/* `specs` are "URI" or "NAME=URI". A single one without a name takes it from its manifest. On
 * failure nothing stays loaded; ERR_USAGE marks a spec that is itself wrong. */
bool registry_open(struct registry *r, const char *const *specs, unsigned n,
                   const struct model_options *options, struct err *e);
void registry_close(struct registry *r);
struct slot *registry_find(struct registry *r, const char *name, size_t n); /* NULL: none */
/* The only slot, or the one named "default", or NULL. */
struct slot *registry_default(struct registry *r);
bool registry_ready(struct registry *r); /* every slot has a model */

/* A reference on the slot's current model, or NULL. */
struct model *slot_acquire(struct slot *s);
void slot_publish(struct slot *s, struct model *next); /* takes the caller's reference */

#endif
