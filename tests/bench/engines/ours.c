/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ours: rows are copied to where a decoder leaves them, the plan runs, the column is read. Frames
 * have up to 64 rows.
 */
#include "engines.h"

#include "scored/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH = 1 << 20 };

struct ours {
    struct model *model;
    struct scratch scratch;
    const struct rows *rows;
    double *values; /* of a frame's vectors */
};

static bool cpu_has(int kernel)
{
    return kernel == KERNEL_WALK || (kernel == KERNEL_AVX2 && __builtin_cpu_supports("avx2")) ||
           (kernel == KERNEL_AVX512 && __builtin_cpu_supports("avx512vbmi"));
}

static void *open_ours(const struct engine *engine, const char *packages, const char *directory,
                       const struct rows *rows)
{
    const struct model_options options = {.workers = 1,
                                          .scratch = SCRATCH,
                                          .frame_rows = FRAME_ROWS,
                                          .verify = true,
                                          .kernel = (enum plan_kernel)engine->kernel};
    char path[1024];
    struct err e = {0};

    (void)packages;
    if (!cpu_has(engine->kernel))
        return NULL;
    struct ours *o = room(1, sizeof *o);
    snprintf(path, sizeof path, "%s/bundle", directory);
    struct source *s = source_open_folder(path, &e);
    o->model = s ? model_load(s, &options, &e) : NULL;
    source_free(s);
    if (!o->model || !scratch_init(&o->scratch, SCRATCH, &e))
        fail("%s", e.msg);
    o->rows = rows;
    o->values = room((size_t)FRAME_ROWS * FEATURES, sizeof *o->values);
    return o;
}

static bool score_frame(struct ours *o, unsigned from, unsigned n, double *out)
{
    const struct model *m = o->model;
    struct frame *f = m->frames[0];

    frame_reset(f, &o->scratch);
    memcpy(o->values, o->rows->f64 + (size_t)from * FEATURES, n * sizeof(double[FEATURES]));
    for (unsigned r = 0; r < n; r++)
        f->columns[0].vec[r] = (struct vec){
            .size = FEATURES, .n = FEATURES, .values = o->values + (size_t)r * FEATURES};
    f->n_rows = n;
    f->live = rows_below(n);
    if (!plan_run(m->defaults.program, f) || f->live != rows_below(n))
        return false;
    memcpy(out, f->columns[m->plan.outputs[0]].f64, n * sizeof *out);
    return true;
}

static bool score(void *state, unsigned from, unsigned n, double *out)
{
    struct ours *o = state;
    unsigned most = o->model->plan.frame_rows;

    for (unsigned i = 0; i < n; i += most)
        if (!score_frame(o, from + i, n - i < most ? n - i : most, out + i))
            return false;
    return true;
}

static void close_ours(void *state)
{
    struct ours *o = state;

    scratch_done(&o->scratch);
    model_release(o->model);
    free(o->values);
    free(o);
}

#define OURS(kernel_name, kernel_id)                                                         \
    {                                                                                        \
        .name = "ours, " kernel_name, .path = "plan_run", .open = open_ours, .score = score, \
        .close = close_ours, .kernel = kernel_id                                             \
    }
const struct engine engine_walk = OURS("walk", KERNEL_WALK);
const struct engine engine_avx2 = OURS("avx2", KERNEL_AVX2);
const struct engine engine_avx512 = OURS("avx512", KERNEL_AVX512);
