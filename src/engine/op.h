/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An op is our code for a kind of stage: one file of engine/ops, one row of ops.def, one `struct
 * op` that declares it. Its params are a table: what stands in a bundle, of which kind and range,
 * and where in the op's own struct it goes. Its form says how columns go in and out. With these the
 * stage is loaded, and everything is checked once; `prepare` adds what is derived or odd; `run`
 * checks nothing again. `scored ops --json` prints the declarations, and FORMAT.md has them from
 * there. load.h is what `prepare` may use.
 */
#ifndef SCORED_OP_H
#define SCORED_OP_H

#include "scored/bounds.h"
#include "scored/plan.h"

#include <math.h>

struct load;

/* -- params -- */

/* A block that a kind of param has; the name is the param's, ".<i>" of one a column, and suffix. */
struct kind_block {
    const char *suffix;
    enum block_type type;
    unsigned n_dims;
    const char *when; /* it is there; NULL: always */
};

struct param;

struct param_kind {
    const char *name;
    bool (*load)(struct load *l, const struct param *p, void *to, struct err *e); /* NULL: prepare
                                                                                      reads it */
    const struct kind_block *blocks;
    unsigned n_blocks;
    bool only_blocks; /* nothing of it stands in `params` */
};

struct choice {
    const char *name; /* NULL ends a list */
    int value;
};

struct param {
    const char *name;
    const struct param_kind *kind;
    size_t at;        /* of the field in the op's struct */
    double low, high; /* of numbers, inclusive; both 0: any */
    const struct choice *choices;
    const char *size_of; /* of vectors: a param before it that has the same size */
    bool each;           /* one a column */
    const char *note;    /* what else FORMAT.md says of it */
};

/* The place of a field, which must be of the type. */
#define FIELD(op, field, type) _Generic(((op *)0)->field, type : offsetof(op, field))

/* What a row says of kind and field. Types of fields: */
#define PARAM_BOOL(op, field)   .kind = &kind_bool, .at = FIELD(op, field, bool)
#define PARAM_STRING(op, field) .kind = &kind_string, .at = FIELD(op, field, const char *)
#define PARAM_INT(op, field)    .kind = &kind_int, .at = FIELD(op, field, uint32_t)
#define PARAM_DOUBLE(op, field) .kind = &kind_double, .at = FIELD(op, field, double)
#define PARAM_OPTIONAL(op, field) \
    .kind = &kind_optional, .at = FIELD(op, field, struct optional_double)
#define PARAM_INTS(op, field) .kind = &kind_ints, .at = FIELD(op, field, struct ints)
/* a block */
#define PARAM_INTS_BLOCK(op, field) .kind = &kind_ints_block, .at = FIELD(op, field, struct ints)
#define PARAM_VECTOR(op, field)     .kind = &kind_vector, .at = FIELD(op, field, struct doubles)
#define PARAM_VEC(op, field)        .kind = &kind_vec, .at = FIELD(op, field, struct vec)
#define PARAM_MATRIX(op, field)     .kind = &kind_matrix, .at = FIELD(op, field, struct matrix)
#define PARAM_STRINGS(op, field)    .kind = &kind_strings, .at = FIELD(op, field, struct texts)
/* one element of a block for each column */
#define PARAM_BLOCK_DOUBLE(op, field) .kind = &kind_block_double, .at = FIELD(op, field, double)
#define PARAM_INVALID(op, field, names) \
    .kind = &kind_choice, .at = FIELD(op, field, enum handle_invalid), .choices = names

extern const struct param_kind kind_bool, kind_string, kind_int, kind_double, kind_optional,
    kind_ints, kind_ints_block, kind_vector, kind_vec, kind_matrix, kind_strings, kind_block_double,
    kind_choice;

/* All that are of a size begin with it. */
struct ints {
    uint32_t size;
    const uint32_t *values;
};
struct doubles {
    uint32_t size;
    const double *values;
};
struct texts {
    uint32_t size;
    const struct text *values;
};
struct optional_double {
    bool null;
    double value;
};

enum handle_invalid { HANDLE_ERROR, HANDLE_SKIP, HANDLE_KEEP, HANDLE_OPTIMISTIC };
extern const struct choice error_skip_keep[], error_keep[], error_skip_optimistic[];

/* -- columns -- */

#define TYPE_BIT(id) (1u << TYPE_##id)
enum {
    IS_BOOLEAN = TYPE_BIT(BOOLEAN),
    IS_DOUBLE = TYPE_BIT(DOUBLE),
    IS_STRING = TYPE_BIT(STRING),
    IS_VECTOR = TYPE_BIT(VECTOR),
    IS_TEXTS = TYPE_BIT(ARRAY_STRING),
    IS_ANY = (1u << TYPE_COUNT) - 1,
    IS_INT = TYPE_BIT(INT),
    IS_FLOAT = TYPE_BIT(FLOAT),
    IS_ARRAY_FLOAT = TYPE_BIT(ARRAY_FLOAT),
    IS_ARRAY_DOUBLE = TYPE_BIT(ARRAY_DOUBLE),
    IS_ARRAY_VECTOR = TYPE_BIT(ARRAY_VECTOR),
    IS_NUMERIC = TYPE_BIT(TINYINT) | TYPE_BIT(SMALLINT) | TYPE_BIT(INT) | TYPE_BIT(BIGINT) |
                 TYPE_BIT(FLOAT) | TYPE_BIT(DOUBLE),
    IS_DECIMAL = TYPE_BIT(DECIMAL),
    IS_POINT = IS_VECTOR | IS_ARRAY_FLOAT | IS_ARRAY_DOUBLE, /* arrays stand for vectors */
    IS_REAL = IS_NUMERIC | IS_DECIMAL,                       /* what Spark casts to double */
    AS_INPUT = 0,                                            /* of an output: its input's type */
};

/* A key of a stage's `inputs` or `outputs`. */
struct port {
    const char *key;
    unsigned types;
    bool optional; /* may be absent, and then an output is not made */
    unit_run *run; /* outputs: what makes it, where that is not the op's `run` */
};

#define PORT(name, kinds) .key = name, .types = (kinds)

/* A column to be made, as its form lays it out; `prepare` may change all but the name. Its unit is
 * a barrier where the op is. */
struct made {
    const char *name; /* NULL: not asked for */
    struct shape shape;
    bool nullable;
    struct unit unit;
};

enum { OUTPUTS_MAX = 4, CLASSES_MAX = 2 };

/* How columns go in and out, and so how the stage is loaded (forms.c). `prepare` is called: */
extern const struct form
    form_map,        /* each of several columns makes one: once a column, with a struct each */
    form_vector,     /* a column makes columns, each named: once, with an array of what is made */
    form_predictor,  /* the same of features */
    form_classifier, /* the same; the op's struct begins with a struct classifier */
    form_several;    /* several columns make one: once */

struct form {
    const char *name;
    bool one_input;
    bool (*load)(struct load *l, struct err *e);
};

/* -- the op -- */

struct op {
    const char *name;                      /* as bundles spell it */
    const char *class_name;                /* the fitted stage's on the JVM, in full */
    const char *more_classes[CLASSES_MAX]; /* others that are scored alike */
    const struct form *form;
    struct port in, second; /* `second`: another key of `inputs`, of one column */
    struct port out[OUTPUTS_MAX];
    const struct param *params;
    unsigned n_params;
    size_t size; /* of the struct that params are loaded into, which `run` reads */
    bool (*prepare)(struct load *l, void *params, struct made *m, struct err *e);
    unit_run *run;
    unit_run *filter; /* drops rows under handleInvalid=skip; it reads the structs of all columns */
    bool single;      /* a map of one column */
    bool barrier;     /* Spark marks its UDF non-deterministic (FORMAT.md 7) */
    bool shadows;     /* its outputs may have the names of columns before them */
    bool models;      /* the stage holds fitted models */
};

#define SPARK_ML(name) "org.apache.spark.ml." name

#define OP_PARAMS(table) .params = table, .n_params = countof(table)

extern const struct op *const op_all[];
extern const unsigned op_count;

const struct op *op_find(const char *name);

#endif
