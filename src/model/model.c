/* SPDX-License-Identifier: Apache-2.0 */
/* From a source to a model that may be published: fetch, verify, compile, prove. */
#include "scored/model.h"

#include "scored/bounds.h"
#include "scored/clock.h"
#include "scored/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *load_phase_name(enum load_phase p)
{
    static const char *const names[] = {
#define X(id, name, refuses) name,
        LOAD_PHASES(X)
#undef X
    };
    return names[p];
}

bool load_phase_refuses(enum load_phase p)
{
    static const bool refusing[] = {
#define X(id, name, refuses) refuses,
        LOAD_PHASES(X)
#undef X
    };
    return refusing[p];
}

bool model_signed(struct source *s, const struct source_file *manifest,
                  const struct model_options *options, struct source_file *envelope,
                  char signer[KEY_ID], struct err *e)
{
    char name[32];

    *envelope = (struct source_file){0};
    signer[0] = '\0';
    if (!options->trust)
        return true;
    snprintf(name, sizeof name, "bundle-%.16s.dsse", manifest->sha256);
    const struct source_request r = {.name = name, .max = ENVELOPE_BYTES};
    if (!source_fetch(s, &r, envelope, e))
        return err_wrap(e, "the signature that --trust asks for");
    return trust_verify(options->trust, (const char *)envelope->bytes, envelope->n,
                        (const char *)manifest->bytes, manifest->n, signer, e) ||
           err_wrap(e, "%s", name);
}

static void set_phase(atomic_uint *phase, enum load_phase to)
{
    atomic_store_explicit(phase, to, memory_order_relaxed);
}

static bool fetch_files(struct model *m, struct source *s, atomic_uint *phase, struct err *e)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        const struct bundle_file *listed = &m->bundle->files[role];
        const struct source_request r = {
            .name = listed->name, .max = listed->size, .sha256 = listed->sha256};
        struct source_file f;
        fault_point("load.fetch");
        set_phase(phase, PHASE_FETCH);
        if (!source_fetch(s, &r, &f, e))
            return false;
        fault_point("load.attach");
        set_phase(phase, PHASE_COMPILE); /* from here on the bytes are what was published */
        if (!bundle_attach(m->bundle, (enum bundle_role)role, f.bytes, f.n, f.sha256, e))
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
        memset(scratch, 0, m->plan.scratch_size);
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
    unsigned n = o->workers ? o->workers : 1;
    if (!m->schema)
        return err_memory(e);
    return (memory_fits((uint64_t)n * m->plan.scratch_size, o, e) ||
            err_wrap(e, "memory for scoring on %u threads", n)) &&
           make_frames(m, n, e);
}

static void model_free(struct model *m)
{
    arena_done(&m->arena);
    bundle_free(m->bundle);
    free(m);
}

struct model *model_begin(const struct source_file *manifest, struct err *e)
{
    struct model *m = calloc(1, sizeof *m);

    if (!m) {
        err_memory(e);
        return NULL;
    }
    atomic_init(&m->refs, 1);
    m->bundle = bundle_new((const char *)manifest->bytes, manifest->n, e);
    if (m->bundle)
        return m;
    model_free(m);
    return NULL;
}

bool model_finish(struct model *m, struct source *s, const struct model_options *options,
                  atomic_uint *phase, struct err *e)
{
    uint64_t start = clock_ns();

    if (!fetch_files(m, s, phase, e))
        return false;
    fault_point("load.compile");
    if (!compile(m, options, e))
        return false;
    fault_point("load.golden");
    set_phase(phase, PHASE_GOLDEN);
    if (options->verify) {
        if (!golden_replay(m, e))
            return false;
        free(m->bundle->bytes[ROLE_GOLDEN]);
        m->bundle->bytes[ROLE_GOLDEN] = NULL;
    }
    m->loaded_ms = clock_ms();
    m->load_ns = clock_ns() - start;
    return true;
}

static struct model *load(struct source *s, const struct source_file *manifest,
                          const struct model_options *options, struct err *e)
{
    atomic_uint phase = PHASE_POLL;
    struct source_file envelope = {0};
    char signer[KEY_ID];

    bool ok = model_signed(s, manifest, options, &envelope, signer, e);
    free(envelope.bytes);
    if (!ok)
        return NULL;
    struct model *m = model_begin(manifest, e);
    if (!m) {
        err_wrap(e, "%s", s->manifest);
        return NULL;
    }
    memcpy(m->signer, signer, sizeof m->signer);
    if (model_fits(m, options, e) && model_finish(m, s, options, &phase, e))
        return m;
    model_free(m);
    return NULL;
}

struct model *model_load(struct source *s, const struct model_options *options, struct err *e)
{
    const struct source_request r = {
        .name = s->manifest, .max = BOUND_MANIFEST, .sha256 = s->pin[0] ? s->pin : NULL};
    struct source_file manifest;

    if (!source_fetch(s, &r, &manifest, e)) {
        err_wrap(e, "%s", s->uri);
        return NULL;
    }
    struct model *m = load(s, &manifest, options, e);
    free(manifest.bytes);
    if (!m)
        err_wrap(e, "%s", s->uri);
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
