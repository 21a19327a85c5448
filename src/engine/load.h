/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What loading a stage is made of: for forms, kinds of params, and what ops prepare. Each helper
 * checks once and names the place in every error; the caller adds the stage's uid.
 */
#ifndef SCORED_LOAD_H
#define SCORED_LOAD_H

#include "op.h"
#include "scored/jmath.h"

/* A stage being loaded. */
struct load {
    struct plan *plan;
    struct bundle *bundle;
    const struct bundle_stage *stage;
    const struct load *holder; /* of a model that a stage holds; NULL: of the pipeline's own */
    const struct op *op;
    uint16_t index;      /* of the pipeline's stage: a model's rows fail as its holder's */
    const char *promise; /* set by the holder: the column whose exactness is that of its models */
    struct arena *arena; /* for what `run` reads */
    struct json params;
    const uint16_t *in; /* columns of the op's input, in the arena */
    uint16_t n_in;
    uint16_t column; /* which of them params and `prepare` are now about, in a map */
};

#define load_new(l, type, n) arena_new((l)->arena, type, n)

static inline const struct plan_column *load_column(const struct load *l, uint16_t c)
{
    return &l->plan->columns[c];
}
/* The column that params and `prepare` are about. */
static inline const struct plan_column *load_input(const struct load *l)
{
    return load_column(l, l->in[l->column]);
}

/* Loads a stage of the pipeline. */
bool load_stage(struct plan *p, struct bundle *b, uint16_t index, struct err *e);

/* Loads model k of the stage, which reads what the stage reads. Its columns are hidden, and their
 * names hold within it alone. *column is the one that outputs[key] names. */
bool load_model(struct load *l, uint32_t k, const char *key, uint16_t *column, struct err *e);

/* Keys of `inputs`, `outputs` and `params` are those of the op. */
bool load_check_keys(const struct load *l, struct err *e);

/* The op's input: columns resolved by name, of its types, at least one, or exactly; behind them
 * that of the second key, where it is there. Sets in, n_in. */
bool load_inputs(struct load *l, bool one, struct err *e);

/* The names of outputs[key]; fails unless there are n. */
bool load_outputs(struct load *l, const char *key, const char *const **names, uint16_t n,
                  struct err *e);

/* All of the op's params but those that `prepare` reads, into its struct. */
bool load_params(struct load *l, void *to, struct err *e);
/* The value of a param, that of l->column where there is one each; `list` must live as long. */
bool load_value(struct load *l, const struct param *p, struct json *list, struct json *v,
                struct err *e);

/* Blocks: data is borrowed from the bundle, which outlives the plan. */
bool load_block(struct load *l, const char *name, enum block_type type, const struct block **out,
                struct err *e);
/* The block `name`.<i> of l->column. */
bool load_block_each(struct load *l, const char *name, enum block_type type,
                     const struct block **out, struct err *e);
/* One of a dimension and n elements. */
bool load_array(struct load *l, const char *name, enum block_type type, uint64_t n,
                const struct block **out, struct err *e);

/* The entries of a vector that is kept as it stands in the bundle, as a dense array. */
bool load_dense(struct load *l, const char *key, const struct vec *v, const double **values,
                struct err *e);

/* Adds the column that the unit makes; name NULL makes a hidden one. The unit is
 * copied, its `stage` and `out` are set here; `in` must be in the arena. */
bool load_unit(struct load *l, const char *name, struct shape shape, bool nullable,
               const struct unit *unit, struct err *e);
/* The same of a column that a form laid out, if it is asked for. */
bool load_made(struct load *l, const struct made *m, struct err *e);
/* The column added last. */
static inline uint16_t load_last(const struct load *l)
{
    return (uint16_t)(l->plan->n_columns - 1);
}
/* Adds a filter of the stage; it is placed in front of the stage's columns. */
bool load_filter(struct load *l, const struct unit *unit, struct err *e);
/* From here on the column's name means nothing. */
bool load_drop(struct load *l, uint16_t column, struct err *e);

/* Tells of the input which values it had in training. */
bool load_column_categories(struct load *l, const struct texts *values, enum handle_invalid unseen,
                            struct err *e);

/* A stage's one column of input and the columns it makes: what form_vector, form_predictor and
 * form_classifier load with. `params` is the op's struct, loaded and prepared. */
bool load_columns_of_one(struct load *l, void **params, struct made made[OUTPUTS_MAX],
                         struct err *e);

/* The kernels of the bundle's platform, for a stage whose column `name` depends on them; NULL: it
 * is not asked for. Fails where this program does not reproduce them, unless the column is declared
 * inexact. */
struct blas;
bool load_blas(struct load *l, const char *name, const struct blas **out, struct err *e);
/* The same for the platform's exp, and for pow, which depends on the CPU's maker. */
bool load_libm(struct load *l, const char *name, struct err *e);
bool load_pow(struct load *l, const char *name, enum jmath_cpu *cpu, struct err *e);
/* The same for lower case in a language: of JDK 17, and not where words are found by a dictionary.
 */
enum lower_rules { LOWER_PLAIN, LOWER_TURKIC, LOWER_LITHUANIAN };
bool load_lower(struct load *l, const char *name, const char *language, size_t n,
                enum lower_rules *rules, struct err *e);

/* The same for upper case in the platform's locale. */
bool load_upper(struct load *l, const char *name, struct err *e);
/* The same for Double.toString of JDK 17. */
bool load_digits(struct load *l, const char *name, struct err *e);

/* Spark's choice for a vector of `size` with nnz non-zeros. */
static inline bool compressed_sparse(enum platform_compressed rule, uint32_t nnz, uint32_t size)
{
    return rule == COMPRESSED_OLD ? 1.5 * ((double)nnz + 1.0) < (double)size
                                  : 12 * (int64_t)nnz + 28 < 8 * (int64_t)size + 12;
}

static inline struct shape shape_of(enum type type)
{
    return (struct shape){.type = type, .size = SIZE_UNKNOWN};
}
static inline struct shape shape_bytes(uint32_t bytes)
{
    return (struct shape){.type = TYPE_COUNT, .size = SIZE_UNKNOWN, .bytes = bytes};
}
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
