/* SPDX-License-Identifier: Apache-2.0 */
/* From a source to a model that may be published: fetch, verify, compile, prove. */
#include "scored/model.h"

#include "scored/bounds.h"
#include "scored/clock.h"

#include <stdlib.h>

static bool fetch_manifest(struct model *m, struct source *s, struct err *e)
{
    const struct source_request r = {.name = s->manifest, .max = BOUND_MANIFEST};
    struct source_file f;

    if (!source_fetch(s, &r, &f, e))
        return false;
    m->bundle = bundle_new((const char *)f.bytes, f.n, e);
    free(f.bytes);
    if (!m->bundle)
        return err_wrap(e, "%s", s->manifest);
    if (s->pin[0] && strcmp(s->pin, m->bundle->sha256) != 0)
        return err_set(e, ERR_BAD_BUNDLE, "%s: the digest is %.16s..., the URI wants %.16s...",
                       s->manifest, m->bundle->sha256, s->pin);
    return true;
}

static bool fetch_files(struct model *m, struct source *s, struct err *e)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        const struct bundle_file *listed = &m->bundle->files[role];
        const struct source_request r = {
            .name = listed->name, .max = listed->size, .sha256 = listed->sha256};
        struct source_file f;
        if (!source_fetch(s, &r, &f, e) ||
            !bundle_attach(m->bundle, (enum bundle_role)role, f.bytes, f.n, f.sha256, e))
            return false;
    }
    /* the profile is there to be hashed */
    free(m->bundle->bytes[ROLE_PROFILE]);
    m->bundle->bytes[ROLE_PROFILE] = NULL;
    return true;
}

/* A frame a worker, its pages touched, so that the first request finds them. */
static bool make_frames(struct model *m, unsigned n, struct err *e)
{
    m->frames = arena_new(&m->arena, struct frame *, n);
    for (unsigned i = 0; m->frames && i < n; i++) {
        void *scratch = arena_alloc(&m->arena, m->plan.scratch_size, 1, 64);
        if (!scratch)
            return err_memory(e);
        m->frames[i] = frame_init(&m->plan, scratch);
        m->n_frames++;
    }
    return m->frames || err_memory(e);
}

static bool compile(struct model *m, const struct model_options *o, struct err *e)
{
    if (!plan_build(&m->plan, m->bundle, &m->arena, o->scratch, o->frame_rows, e))
        return false;
    m->schema = schema_new(&m->plan, &m->arena);
    m->defaults = (struct question){
        .program = m->plan.program,
        .columns = m->plan.outputs,
        .n_columns = m->plan.n_outputs,
        .max_rows = UINT32_MAX,
        .max_reply = SIZE_MAX,
    };
    return (m->schema || err_memory(e)) && make_frames(m, o->workers ? o->workers : 1, e);
}

static void model_free(struct model *m)
{
    arena_done(&m->arena);
    bundle_free(m->bundle);
    free(m);
}

struct model *model_load(struct source *s, const struct model_options *options, struct err *e)
{
    uint64_t start = clock_ns();
    struct model *m = calloc(1, sizeof *m);

    if (!m) {
        err_memory(e);
        return NULL;
    }
    atomic_init(&m->refs, 1);
    if (!fetch_manifest(m, s, e) || !fetch_files(m, s, e) || !compile(m, options, e) ||
        (options->verify && !golden_replay(m, e))) {
        err_wrap(e, "%s", s->uri);
        model_free(m);
        return NULL;
    }
    m->loaded_ms = clock_ms();
    m->load_ns = clock_ns() - start;
    return m;
}

void model_release(struct model *m)
{
    if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
        model_free(m);
}

/* -- questions -- */

static void all_columns(const struct model *m, uint16_t *columns, struct question *q)
{
    for (unsigned c = m->plan.n_inputs; c < m->plan.n_columns; c++)
        if (column_in(&m->plan.all, c))
            columns[q->n_columns++] = (uint16_t)c;
    q->program = m->plan.program_all;
    q->columns = columns;
}

bool question_columns(const struct model *m, const char *list, struct program *program,
                      uint16_t *columns, struct question *q, struct text *unknown)
{
    struct column_set asked = {0};

    *q = m->defaults;
    if (!list || !*list)
        return true;
    q->n_columns = 0;
    if (strcmp(list, "all") == 0) {
        all_columns(m, columns, q);
        return true;
    }
    for (const char *at = list;;) {
        size_t n = strcspn(at, ",");
        uint16_t c = plan_find(&m->plan, at, n);
        if (c == COLUMN_NONE || c < m->plan.n_inputs) {
            *unknown = (struct text){at, (uint32_t)n};
            return false;
        }
        if (!column_in(&asked, c)) {
            column_add(&asked, c);
            columns[q->n_columns++] = c;
        }
        if (!at[n])
            break;
        at += n + 1;
    }
    plan_program(&m->plan, &asked, program);
    q->program = program;
    q->columns = columns;
    return true;
}
