/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled pipeline. A plan is columns: the inputs first, then what the stages make, each by
 * one unit; and filters, which drop rows. A program is the order of steps that answers a set of
 * columns, as Spark would evaluate it (FORMAT.md 7). A plan is read-only once built; any number of
 * threads may run it, each with a frame of its own.
 */
#ifndef SCORED_PLAN_H
#define SCORED_PLAN_H

#include "scored/bundle.h"
#include "scored/frame.h"

enum { COLUMN_NONE = UINT16_MAX, COLUMN_WORDS = 64, PLAN_NAMES = 2 * 4096 };

#define MOST_UNKNOWN UINT32_MAX /* an enumerator has to be an int */

/* How large values of a column get, as far as load knows. */
struct shape {
    enum type type;
    int64_t size;  /* of every vector of the column, or SIZE_UNKNOWN */
    uint32_t most; /* entries that vectors store: so many have their room in the frame, more are in
                      the scratch. MOST_UNKNOWN: all are in the scratch */
    struct digits digits; /* of decimals */
    uint32_t bytes; /* of a cell, where the type is TYPE_COUNT: a hidden column whose bytes only
                       the op knows that makes it */
};

struct unit;
typedef void unit_run(const struct unit *u, struct frame *f, uint64_t rows);

/* What makes one column, or drops rows (out == COLUMN_NONE). Runs on the rows of a bit mask, all
 * alive, whose inputs are made; no row of its column is null yet. `run` allocates nothing and
 * checks nothing that load has proved. It is the unit's kind, too: units of the same `run` have
 * params of the same type. */
struct unit {
    unit_run *run;
    const void *params; /* in the plan's arena */
    const uint16_t *in; /* columns read */
    uint16_t n_in, out, stage;
    bool barrier;
};

/* Values that a column had in training, by the first stage that reads it and knows. */
struct categories {
    const struct text *values;
    uint32_t n;
    const char *unseen; /* what becomes of a row with another: error, skip, keep */
};

struct plan_column {
    const char *name; /* NULL: hidden, between two units of a stage */
    struct shape shape;
    bool nullable, contains_null; /* contains_null: of arrays; of those that stages make always */
    const struct categories *categories; /* NULL: not known */
    const struct unit *unit;             /* NULL for inputs */
    uint16_t stage;                      /* COLUMN_NONE for inputs */
    uint16_t root;  /* the one input it derives from, or COLUMN_NONE where there are several */
    size_t offset;  /* of its cells in a frame */
    size_t entries; /* of the room for the first row's entries, `stride` bytes a row */
    uint32_t room, stride;
};

/* What a name means to what comes behind: of equal ones the last holds. */
struct plan_name {
    const char *name;
    uint16_t column; /* COLUMN_NONE: dropped */
    uint16_t stage;  /* that made or dropped it */
};

struct plan_stage {
    const char *op, *uid;
};

struct column_set {
    uint64_t words[COLUMN_WORDS];
};

/* Two units that may run as one, where nobody else asks for the column that is between them. */
struct fusion {
    const struct unit *first, *second;
    struct unit fused; /* runs in the place of `first`; its params are the fusion */
};

/* Units and filters in order. */
struct program {
    uint16_t n_steps;
    const struct unit *steps[];
};

/* How trees are asked (src/engine/trees); answers are the same, to the bit. */
enum plan_kernel {
    KERNEL_AUTO,  /* as is faster here, measured when the model is loaded */
    KERNEL_WALK,  /* node by node, as where the CPU has not what follows */
    KERNEL_AVX2,  /* the upper levels at once, by AVX2 */
    KERNEL_AVX512 /* or by AVX-512 with VBMI */
};

struct plan {
    struct arena *arena;
    const struct platform *platform;
    struct plan_column *columns;
    struct plan_stage *stages;
    struct unit **order; /* units and filters in stage order */
    struct unit **filters;
    uint16_t n_columns, n_inputs, n_stages, n_order, n_filters;
    struct plan_name *names; /* in the order of stages, which shadow and drop */
    uint32_t n_names;
    struct dict index; /* of names, when all are there; until then keys are NULL */
    uint16_t *outputs; /* columns answered by default */
    uint16_t n_outputs;
    uint16_t *added; /* those of `all`, in Spark's order: who shadows a column takes its place */
    uint16_t n_added;
    uint16_t n_labels; /* how many of the columns, the last ones, are labels of classes: `all` has
                          none of them */
    struct column_set defaults, all; /* all: what names that stages added mean at the end */
    struct fusion *fusions;
    uint16_t n_fusions;
    const struct program *program; /* for the defaults */
    const struct program *program_all;
    enum plan_kernel kernel; /* while it is built */
    size_t row_size;         /* bytes of a row in a frame */
    size_t frame_size;       /* bytes of a frame */
    unsigned frame_rows;     /* 1..64 */
    bool bounded;            /* the room in a frame is all that any row needs */
};

struct plan_options {
    size_t most;         /* bytes that one frame may take */
    unsigned frame_rows; /* cap of its rows, 1..64 */
    bool no_fuse;        /* every unit runs by itself */
    enum plan_kernel kernel;
};

/* Compiles a bundle whose blocks are attached; everything goes into `arena`. The bundle must
 * outlive the plan. */
bool plan_build(struct plan *p, struct bundle *b, struct arena *arena,
                const struct plan_options *options, struct err *e);

/* Lays out a frame when all columns are known: offsets, strides, frame_rows, frame_size. Part of
 * plan_build; also for frames that only decode. Fails where a frame of one row takes more than
 * `most` bytes. */
bool plan_layout(struct plan *p, size_t most, unsigned frame_rows, struct err *e);

/* The column of a name, as the last stage sees it, or COLUMN_NONE. */
uint16_t plan_find(const struct plan *p, const char *name, size_t n);
/* Why there is none: the stage that dropped it, or COLUMN_NONE: it never was. */
uint16_t plan_dropped(const struct plan *p, const char *name, size_t n);

/* Writes the program for a set of columns, none of them an input, fused where the plan has fusions;
 * `out` has room for plan_program_size(p) bytes. */
void plan_program(const struct plan *p, const struct column_set *asked, struct program *out);
static inline size_t plan_program_size(const struct plan *p)
{
    return sizeof(struct program) +
           ((size_t)p->n_columns + p->n_filters) * sizeof(const struct unit *);
}

/* Runs a program on the frame's live rows; what earlier runs made of the frame is gone. Afterwards
 * f->live are the rows that have an answer. False: the rows need more than a scratch together. They
 * are to run again, fewer at a time: live, skipped and failed as they were before. */
bool plan_run(const struct program *program, struct frame *f);

/* Draws the pipeline as a tree, for people. */
struct buf;
void plan_draw(const struct plan *p, struct buf *out);

static inline bool column_in(const struct column_set *s, unsigned c)
{
    return s->words[c / 64] >> c % 64 & 1;
}

static inline bool plan_is_label(const struct plan *p, unsigned c)
{
    return c + p->n_labels >= p->n_columns;
}

static inline void column_add(struct column_set *s, unsigned c)
{
    s->words[c / 64] |= (uint64_t)1 << c % 64;
}

#endif
