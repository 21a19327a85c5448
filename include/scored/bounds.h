/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of a bundle, with its reason. A bundle beyond one is refused by name. */
#ifndef SCORED_BOUNDS_H
#define SCORED_BOUNDS_H

enum bounds {
    BOUND_MANIFEST = 1 << 20, /* bytes: cJSON takes about 40 times the text in memory */
    BOUND_DEPTH = 16,         /* of the manifest's nesting: cJSON recurses */
    BOUND_NUMBER = 40,        /* characters: cJSON copies a number to a buffer of its own */
    BOUND_HEADER = 16 << 20,  /* bytes of the blocks' JSON header: some 100,000 blocks */
    BOUND_BLOCKS = 1 << 16,   /* blocks: a table of them is kept */
    BOUND_GOLDEN = 4 << 20,   /* bytes: the format says 1 MiB; some room for other writers */
    BOUND_GOLDEN_ROWS = 4096, /* replayed at every load */
    BOUND_PROFILE = 64 << 20, /* bytes: read only to be hashed */
    BOUND_STAGES = 1000,      /* stage indexes stand in three digits */
    BOUND_MODELS = 1000,      /* that a stage holds: one a class */
    BOUND_FILTERS = 2000,     /* steps of a program beside its columns */
    BOUND_COLUMNS = 4096,     /* a request's columns are a bit set on the stack */
    BOUND_INPUTS = 2048,      /* the decoder keeps an offset a field */
    BOUND_NAME = 256,         /* bytes of a column's name or a stage's uid */
    BOUND_LABELS = 1000,      /* of a column's classes: every description of the model has them */
    BOUND_LABEL = 1024,       /* bytes of one */
    BOUND_TREES = 1 << 20,
    BOUND_CLASSES = 1 << 16,
    BOUND_FEATURES = 1 << 30, /* vector sizes are ints in Spark */
    BOUND_EXPANDED = 1 << 24, /* size of a sparse vector that its op makes dense */
};

/* bytes of a blocks file: a sum of sizes stays far from wrapping */
#define BOUND_BLOCKS_FILE ((uint64_t)1 << 40)

#endif
