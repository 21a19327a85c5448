/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model: a loaded plan with its identity, proved by its golden rows; read-only once published,
 * counted. Slots and their life are in registry.h.
 */
#ifndef SCORED_MODEL_H
#define SCORED_MODEL_H

#include "scored/scoring.h"
#include "scored/signature.h"
#include "scored/source.h"
#include "scored/watch.h"

#include <stdatomic.h>

/*
 * X(id, name, refuses): what a load does, in order. Where it fails tells what comes next: a failure
 * of bytes that are what their digests say would come again with the same bytes, so the version is
 * refused; any other is tried again. Nothing fails at the last: it is why what a rollback left is
 * refused.
 */
#define LOAD_PHASES(X)               \
    X(POLL, "poll", false)           \
    X(SIGNATURE, "signature", false) \
    X(MANIFEST, "manifest", true)    \
    X(LABEL, "label", true)          \
    X(AGE, "age", true)              \
    X(SCHEMA, "schema", true)        \
    X(MEMORY, "memory", false)       \
    X(FETCH, "fetch", false)         \
    X(COMPILE, "compile", true)      \
    X(GOLDEN, "golden", true)        \
    X(ROLLBACK, "rollback", true)

enum load_phase {
#define X(id, name, refuses) PHASE_##id,
    LOAD_PHASES(X)
#undef X
        PHASE_COUNT
};

const char *load_phase_name(enum load_phase p);
bool load_phase_refuses(enum load_phase p);

struct model_options {
    unsigned workers;        /* threads that score: a frame each */
    size_t scratch;          /* bytes of one, and of a frame at most */
    unsigned frame_rows;     /* cap of rows a frame, 1..64 */
    bool no_fuse;            /* as in plan.h */
    enum plan_kernel kernel; /* as in plan.h */
    bool verify; /* replay the golden rows: always, but in tools that do so themselves */
    const struct trust *trust; /* whose signature a manifest must have; NULL: none is asked for */
    uint64_t memory; /* bytes that the process may have; 0: what cgroup and machine give */
};

struct coverage {
    uint32_t rows, answered, skipped, failed; /* golden rows */
};

struct model {
    atomic_uint refs;
    struct arena arena; /* owns plan, schema, watch, frames */
    struct bundle *bundle;
    struct plan plan;
    struct schema *schema;
    struct watch *watch;
    struct frame **frames; /* by worker */
    unsigned n_frames;
    struct question defaults; /* default outputs, dense vectors */
    struct coverage coverage;
    char signer[KEY_ID];           /* whose signature was verified; "" where none was asked for */
    char envelope[SHA256_HEX + 1]; /* digest of the file it stands in */
    uint64_t loaded_ms;            /* wall clock, when it was published */
    uint64_t load_ns;              /* how long loading took */
};

/* All in one, for commands: fetch, verify, compile, prove. NULL on failure. The first reference is
 * the caller's. */
struct model *model_load(struct source *s, const struct model_options *options, struct err *e);

/* Is there memory for a model whose manifest is known? The estimate: 8 MiB, 1.2 x blocks, golden
 * rows. What the tables of its labels take is known, and asked for by tables_fit, once the blocks
 * are there; what scratches take, by memory_fits, once there is a plan. */
bool model_fits(const struct model *m, const struct model_options *options, struct err *e);
bool tables_fit(const struct model *m, const struct model_options *options, struct err *e);
bool memory_fits(uint64_t bytes, const struct model_options *options, struct err *e);

/* Bytes that this process may take: the setting, where it is not 0, the control group's limit, or
 * the machine's memory, whichever is least; and those that it has now. */
uint64_t memory_limit(uint64_t setting);
uint64_t memory_resident(void);

/* What of `next` clients of `now` could trip over: a new input, an input retyped or newly not
 * nullable, a default output gone or retyped, another name. False: the error spells it out. */
bool model_compatible(const struct model *now, const struct model *next, struct err *e);

void model_release(struct model *m); /* takes NULL; any thread; frees with the last reference */

/* Replays the golden rows on frames[0], in a scratch of its own of so many bytes: every answer
 * equal (FORMAT.md 6). The error names line, column, expected and got. */
bool golden_replay(struct model *m, size_t scratch, struct err *e);

/* A question for a comma-separated list of column names or "all"; NULL or empty means the defaults.
 * `program` and `columns` are memory for it, of plan_program_size bytes and n_columns entries. On
 * false *unknown is the name that no column has. */
bool question_columns(const struct model *m, const char *list, struct program *program,
                      uint16_t *columns, struct question *q, struct text *unknown);

#endif
