/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle: bytes in, a validated structure out. models/FORMAT.md is the specification. What is
 * checked here: the manifest's form, the files' sizes and digests, the blocks' layout. What a
 * stage's params and blocks must be is checked by its op. Nothing here reads files or allocates by
 * a size that was not checked against bytes at hand.
 */
#ifndef SCORED_BUNDLE_H
#define SCORED_BUNDLE_H

#include "scored/arena.h"
#include "scored/crypto.h"
#include "scored/dict.h"
#include "scored/json.h"
#include "scored/type.h"

#define BUNDLE_ROLES(X) X(BLOCKS, "blocks") X(GOLDEN, "golden") X(PROFILE, "profile")

enum bundle_role {
#define X(id, name) ROLE_##id,
    BUNDLE_ROLES(X)
#undef X
        ROLE_COUNT
};

struct bundle_file {
    const char *name;
    uint64_t size;
    char sha256[SHA256_HEX + 1];
};

enum { SIZE_UNKNOWN = -1 };

struct bundle_column {
    const char *name, *description; /* description: NULL where there is none */
    enum type type;
    struct digits digits; /* of decimals */
    bool nullable, contains_null;
    int64_t size; /* of vectors; SIZE_UNKNOWN where it is null */
};

struct bundle_stage {
    const char *op, *uid, *class_name;
    const char *prefix; /* what its blocks' names begin with: "s003", "s003.models.1" */
    struct json inputs, outputs, params, blocks;
    struct bundle_stage *models; /* fitted models that it holds; these hold none */
    uint32_t n_models;
};

enum block_type { BLOCK_F64, BLOCK_I64, BLOCK_U32, BLOCK_U8 };

struct block {
    const char *name;
    enum block_type type;
    uint32_t n_dims;   /* 1 or 2 */
    uint64_t shape[2]; /* shape[1] is 1 where n_dims is 1 */
    uint64_t n;        /* elements */
    const void *data;  /* aligned to the element's size; never NULL */
    bool used;         /* set by bundle_block */
};

enum platform_blas {
    BLAS_JAVA8,
    BLAS_JAVA11,
    BLAS_VECTOR2,
    BLAS_VECTOR4,
    BLAS_VECTOR8,
    BLAS_NATIVE,
    BLAS_MIXED
};
enum platform_compressed { COMPRESSED_OLD, COMPRESSED_41 };

struct platform {
    const char *spark, *scala, *jdk, *locale, *arch, *cpu_vendor, *libm;
    const char *time_zone; /* of the session; NULL: not told, for no input is a date or timestamp */
    enum platform_blas blas;
    enum platform_compressed compressed;
    bool ansi, case_sensitive, reduce_sequential;
    bool shortest_digits; /* Double.toString as of JDK 19 */
};

struct bundle {
    struct arena arena; /* owns all below but the files' bytes */
    struct json_doc *doc;
    struct json root, lineage, exactness, example, golden_coverage;
    struct json labels;          /* absent where no column has any */
    char sha256[SHA256_HEX + 1]; /* identity: of the manifest's bytes */
    const char *name, *version, *created;
    struct platform platform;
    struct bundle_column *inputs, *outputs;
    struct bundle_stage *stages;
    uint32_t n_inputs, n_outputs, n_stages;
    struct bundle_file files[ROLE_COUNT];
    unsigned char *bytes[ROLE_COUNT]; /* attached, owned */
    struct block *blocks;
    uint32_t n_blocks;
    struct dict block_names;
    struct text *block_keys;
};

/* Parses and validates a manifest. The bundle is freed by bundle_free. NULL on failure. */
struct bundle *bundle_new(const char *manifest, size_t n, struct err *e);
void bundle_free(struct bundle *b); /* takes NULL */

/* Gives the bundle a file; takes `bytes` (malloc'ed) also on failure. `sha256` is their digest, in
 * hex, computed over this very memory by who read them. Size and digest are held against the
 * manifest; blocks are parsed. Each role once. */
bool bundle_attach(struct bundle *b, enum bundle_role role, unsigned char *bytes, size_t n,
                   const char *sha256, struct err *e);

/* A block of a stage, its prefix, a dot and `name`, marked as used; NULL where there is none. */
const struct block *bundle_block(struct bundle *b, const struct bundle_stage *s, const char *name);

/* The labels of a column's classes, an array of strings: label i is that of class i, the value i of
 * a scalar, element i of a vector. False: it has none. */
bool bundle_labels(const struct bundle *b, const char *column, struct json *labels);

/* Gives back the memory of rows [from, to) of a block, in whole pages: nobody reads them again.
 * `to` may be beyond the end. */
void block_release(const struct block *b, uint64_t from, uint64_t to);

/* Every block was used, and every stage's list is the set of its blocks. Called when all ops are
 * loaded. */
bool bundle_all_used(const struct bundle *b, struct err *e);

const char *bundle_role_name(enum bundle_role role);

#endif
