/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline without stages, which answers its inputs: what the wire makes of rows, and nothing
 * else. */
#ifndef WIRE_KIT_H
#define WIRE_KIT_H

#include "scored/scoring.h"

#include <stdio.h>
#include <stdlib.h>

struct kit_input {
    const char *name;
    enum type type;
    bool nullable, contains_null;
};

static struct digits kit_digits = {10, 2}; /* of decimals */

struct kit {
    struct arena arena;
    struct plan plan;
    struct question question;
    struct scoring scoring;
    struct scratch scratch;
    void *memory; /* of the frame */
};

static inline void kit_close(struct kit *k)
{
    scoring_done(&k->scoring);
    scratch_done(&k->scratch);
    free(k->memory);
    arena_done(&k->arena);
}

static inline void kit_check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s failed\n", what);
        abort();
    }
}

static inline void kit_open(struct kit *k, const struct kit_input *inputs, uint16_t n,
                            unsigned frame_rows)
{
    static const struct program nothing = {0};
    struct err e = {0};

    *k = (struct kit){0};
    k->plan = (struct plan){.arena = &k->arena, .n_columns = n, .n_inputs = n};
    k->plan.columns = arena_new(&k->arena, struct plan_column, n);
    uint16_t *columns = arena_new(&k->arena, uint16_t, n);
    kit_check(k->plan.columns && columns, "arena_new");
    for (uint16_t i = 0; i < n; i++) {
        columns[i] = i;
        k->plan.columns[i] = (struct plan_column){.name = inputs[i].name,
                                                  .shape = {.type = inputs[i].type,
                                                            .size = SIZE_UNKNOWN,
                                                            .most = MOST_UNKNOWN,
                                                            .digits = kit_digits},
                                                  .nullable = inputs[i].nullable,
                                                  .contains_null = inputs[i].contains_null,
                                                  .stage = COLUMN_NONE,
                                                  .root = i};
    }
    kit_check(plan_layout(&k->plan, SIZE_MAX, frame_rows, &e), "plan_layout");
    kit_check(posix_memalign(&k->memory, 64, k->plan.frame_size) == 0, "posix_memalign");
    kit_check(scratch_init(&k->scratch, 0, &e), "scratch_init");
    k->question = (struct question){
        .program = &nothing, .columns = columns, .n_columns = n, .spark_vectors = true};
    k->scoring = (struct scoring){.plan = &k->plan,
                                  .schema = schema_new(&k->plan, &k->arena),
                                  .question = &k->question,
                                  .frame = frame_init(&k->plan, k->memory),
                                  .scratch = &k->scratch};
    kit_check(k->scoring.schema, "schema_new");
}

/* Scores a body that lies in memory of its own size. */
static inline unsigned kit_body(struct kit *k, const char *text, size_t n, struct buf *out,
                                struct body_problem *why)
{
    char *copy = malloc(n + 1);

    kit_check(copy, "malloc");
    memcpy(copy, text, n);
    copy[n] = '\0';
    k->scoring.counts = (struct counts){0};
    unsigned status = score_body(&k->scoring, copy, n, out, why);
    free(copy);
    return status;
}

/* Scores text as NDJSON, `cut` lines at a time. */
static inline void kit_lines(struct kit *k, const char *text, size_t n, unsigned cut,
                             struct buf *out)
{
    struct text lines[FRAME_ROWS];
    char *copy = malloc(n + 1), *end = copy + n;
    unsigned held = 0;

    kit_check(copy && cut <= FRAME_ROWS, "kit_lines");
    memcpy(copy, text, n);
    *end = '\0';
    k->scoring.counts = (struct counts){0};
    for (char *p = copy; p <= end;) {
        char *newline = memchr(p, '\n', (size_t)(end - p));
        char *stop = newline ? newline : end;
        lines[held++] = (struct text){p, (uint32_t)(stop - p)};
        p = stop + 1;
        if (held == cut || p > end) {
            score_lines(&k->scoring, lines, held, out);
            held = 0;
        }
    }
    free(copy);
}

#endif
