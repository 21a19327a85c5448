/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An op is our code for a kind of stage: one file of engine/ops, one row of ops.def. `load` reads
 * the stage's params and blocks, checks all of them once, and adds units to the plan. The helpers
 * below name the place in every error; the caller adds the stage's uid.
 */
#ifndef SCORED_OP_H
#define SCORED_OP_H

#include "scored/plan.h"

struct load;

struct op {
    const char *name;           /* as bundles spell it */
    const char *class_name;     /* Spark's, after "org.apache.spark.ml." */
    const char *const *inputs;  /* NULL-terminated keys of `inputs` */
    const char *const *outputs; /* ... of `outputs` */
    const char *const *params;  /* ... of `params` */
    bool barrier;               /* Spark marks its UDF non-deterministic (FORMAT.md 7) */
    bool (*load)(struct load *l, struct err *e);
};

const struct op *op_find(const char *name);

/* A stage being loaded. */
struct load {
    struct plan *plan;
    struct bundle *bundle;
    const struct bundle_stage *stage;
    const struct op *op;
    uint16_t index;
    struct arena *arena; /* for what `run` reads */
    struct json params;
};

#define load_new(l, type, n) arena_new((l)->arena, type, n)

enum handle_invalid { HANDLE_ERROR, HANDLE_SKIP, HANDLE_KEEP };

/* Columns of inputs[key], resolved by name; *n of them, at least one. */
bool load_inputs(struct load *l, const char *key, const uint16_t **columns, uint16_t *n,
                 struct err *e);
/* The same where exactly one column of the type is wanted. */
bool load_input(struct load *l, const char *key, enum type type, uint16_t *column, struct err *e);

/* The names of outputs[key]; fails unless there are n. */
bool load_outputs(struct load *l, const char *key, const char *const **names, uint16_t n,
                  struct err *e);
/* The one name of outputs[key], or NULL where the output is absent. */
bool load_output(struct load *l, const char *key, const char **name, struct err *e);

/* Params. */
bool load_handle_invalid(struct load *l, bool skip_allowed, enum handle_invalid *out,
                         struct err *e);

/* Blocks: data is borrowed from the bundle, which outlives the plan. */
bool load_block(struct load *l, const char *name, enum block_type type, const struct block **out,
                struct err *e);

/* Vectors of params: as a dense array of *size doubles, and as it is kept. `values` and `kept` may
 * be NULL. */
bool load_vector(struct load *l, const char *key, const double **values, uint32_t *size,
                 struct vec *kept, struct err *e);

struct matrix {
    uint32_t rows, cols;
    bool sparse, transposed;
    const double *values; /* dense: row-major; sparse: by indptr */
    const uint32_t *indices, *indptr;
};
bool load_matrix(struct load *l, const char *key, struct matrix *out, struct err *e);

/* labels[i]: a list in the params or a table of blocks. */
bool load_labels(struct load *l, uint16_t i, const struct text **labels, uint32_t *n,
                 struct err *e);

/* params.thresholds: NULL where it is null, else n doubles. */
bool load_thresholds(struct load *l, uint32_t n, const double **out, struct err *e);

/* Adds the column that the unit makes; name NULL makes a hidden one. The unit is
 * copied, its `stage`, `barrier` and `out` are set here; `in` must be in the arena. */
bool load_unit(struct load *l, const char *name, struct shape shape, bool nullable,
               const struct unit *unit, struct err *e);
/* The column added last. */
static inline uint16_t load_last(const struct load *l)
{
    return (uint16_t)(l->plan->n_columns - 1);
}
/* Adds a filter of the stage; it is placed in front of the stage's columns. */
bool load_filter(struct load *l, const struct unit *unit, struct err *e);

static inline const struct plan_column *load_column(const struct load *l, uint16_t c)
{
    return &l->plan->columns[c];
}

/* Spark's choice for a vector of `size` with nnz non-zeros. */
static inline bool compressed_sparse(enum platform_compressed rule, uint32_t nnz, uint32_t size)
{
    return rule == COMPRESSED_OLD ? 1.5 * ((double)nnz + 1.0) < (double)size
                                  : 12 * (int64_t)nnz + 28 < 8 * (int64_t)size + 12;
}

static const struct shape shape_double = {.type = TYPE_DOUBLE, .size = SIZE_UNKNOWN};
static const struct shape shape_string = {.type = TYPE_STRING, .size = SIZE_UNKNOWN};
static inline struct shape shape_vector(int64_t size, uint32_t most)
{
    return (struct shape){.type = TYPE_VECTOR, .size = size, .most = most};
}
/* Of vectors after Spark's `compressed` that have at most `nnz` non-zeros: one that is dense has at
 * most 1.5 * nnz + 2 entries, by either rule. */
static inline struct shape shape_compressed(int64_t size, uint32_t nnz)
{
    bool may_be_dense = size != SIZE_UNKNOWN && size <= 2 * (int64_t)nnz + 2;

    return shape_vector(size, may_be_dense && nnz != MOST_UNKNOWN ? (uint32_t)size : nnz);
}

#endif
