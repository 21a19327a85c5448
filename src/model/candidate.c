/* SPDX-License-Identifier: Apache-2.0 */
/* From a source to a model that may be published: fetch, verify, compile, prove. */
#include "scored/candidate.h"

#include "scored/bounds.h"
#include "scored/clock.h"
#include "scored/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void candidate_at(struct candidate *c, enum load_phase p)
{
    atomic_store_explicit(&c->phase, p, memory_order_relaxed);
}

void candidate_done(struct candidate *c)
{
    free(c->manifest.bytes);
    free(c->envelope.bytes);
}

/* The keys may have verified it before, where the signature came from. */
static bool check_signature(struct candidate *c, struct err *e)
{
    const struct trust *trust = c->options->trust;
    char name[32];

    if (!trust || c->signer[0])
        return true;
    snprintf(name, sizeof name, "bundle-%.16s.dsse", c->manifest.sha256);
    const struct source_request r = {.name = name, .max = ENVELOPE_BYTES};
    if (!source_fetch(c->source, &r, &c->envelope, e))
        return err_wrap(e, "the signature that --trust asks for");
    return candidate_verify(c, e) || err_wrap(e, "%s", name);
}

bool candidate_verify(struct candidate *c, struct err *e)
{
    return trust_verify(c->options->trust, (const char *)c->envelope.bytes, c->envelope.n,
                        (const char *)c->manifest.bytes, c->manifest.n, c->signer, e);
}

static bool fetch_files(struct candidate *c, struct bundle *b, struct err *e)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        const struct bundle_file *listed = &b->files[role];
        const struct source_request r = {
            .name = listed->name, .max = listed->size, .sha256 = listed->sha256};
        struct source_file f;
        fault_point("load.fetch");
        candidate_at(c, PHASE_FETCH);
        if (!source_fetch(c->source, &r, &f, e))
            return false;
        fault_point("load.attach");
        candidate_at(c, PHASE_COMPILE); /* from here on the bytes are what was published */
        if (!bundle_attach(b, (enum bundle_role)role, f.bytes, f.n, f.sha256, e))
            return false;
    }
    return true;
}

/* A frame a worker, its pages touched, so that the first request finds them. */
static bool make_frames(struct model *m, unsigned n, struct err *e)
{
    m->frames = arena_new(&m->arena, struct frame *, n);
    for (unsigned i = 0; m->frames && i < n; i++) {
        void *memory = arena_alloc(&m->arena, m->plan.frame_size, 1, 64);
        if (!memory)
            return err_memory(e);
        memset(memory, 0, m->plan.frame_size);
        m->frames[i] = frame_init(&m->plan, memory);
        m->n_frames++;
    }
    return m->frames || err_memory(e);
}

static bool compile(struct model *m, const struct model_options *o, struct err *e)
{
    const struct plan_options plan = {.most = o->scratch,
                                      .frame_rows = o->frame_rows,
                                      .no_fuse = o->no_fuse,
                                      .kernel = o->kernel};

    if (!tables_fit(m, o, e) || !plan_build(&m->plan, m->bundle, &m->arena, &plan, e))
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
    m->watch = watch_new(&m->plan, (const char *)m->bundle->bytes[ROLE_PROFILE],
                         m->bundle->files[ROLE_PROFILE].size, n, &m->arena);
    if (!m->schema || !m->watch)
        return err_memory(e);
    free(m->bundle->bytes[ROLE_PROFILE]);
    m->bundle->bytes[ROLE_PROFILE] = NULL;
    uint64_t scratch = m->plan.bounded ? 0 : o->scratch;
    return (memory_fits(n * (m->plan.frame_size + scratch), o, e) ||
            err_wrap(e, "memory for scoring on %u threads", n)) &&
           make_frames(m, n, e);
}

/* A model that knows its manifest and nothing else. */
static struct model *begin(struct candidate *c, struct err *e)
{
    struct model *m = calloc(1, sizeof *m);

    if (!m) {
        err_memory(e);
        return NULL;
    }
    atomic_init(&m->refs, 1);
    m->bundle = bundle_new((const char *)c->manifest.bytes, c->manifest.n, e);
    if (m->bundle)
        return m;
    model_release(m);
    err_wrap(e, "%s", c->source->manifest);
    return NULL;
}

/* Before its files are asked for. */
static bool check_rules(struct candidate *c, const struct model *m, struct err *e)
{
    if (c->rules && !c->rules(c, m, e))
        return false;
    candidate_at(c, PHASE_MEMORY);
    return model_fits(m, c->options, e);
}

/* Files, plan, golden rows. */
static bool finish(struct candidate *c, struct model *m, struct err *e)
{
    uint64_t start = clock_ns();

    if (!fetch_files(c, m->bundle, e))
        return false;
    fault_point("load.compile");
    if (!compile(m, c->options, e))
        return false;
    fault_point("load.golden");
    candidate_at(c, PHASE_GOLDEN);
    if (c->options->verify) {
        if (!golden_replay(m, c->options->scratch, e))
            return false;
        free(m->bundle->bytes[ROLE_GOLDEN]);
        m->bundle->bytes[ROLE_GOLDEN] = NULL;
    }
    m->loaded_ms = clock_ms();
    m->load_ns = clock_ns() - start;
    return true;
}

struct model *candidate_load(struct candidate *c, struct err *e)
{
    candidate_at(c, PHASE_SIGNATURE);
    if (!check_signature(c, e))
        return NULL;
    candidate_at(c, PHASE_MANIFEST);
    struct model *m = begin(c, e);
    if (!m)
        return NULL;
    memcpy(m->signer, c->signer, sizeof m->signer);
    memcpy(m->envelope, c->envelope.sha256, sizeof m->envelope);
    if (check_rules(c, m, e) && finish(c, m, e))
        return m;
    model_release(m);
    return NULL;
}
