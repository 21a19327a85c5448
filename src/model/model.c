/* SPDX-License-Identifier: Apache-2.0 */
/* What a model is to those who use it: loaded in one call, asked, released. */
#include "scored/candidate.h"

#include "scored/bounds.h"

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

struct model *model_load(struct source *s, const struct model_options *options, struct err *e)
{
    struct candidate c = {.source = s, .options = options};
    const struct source_request r = {
        .name = s->manifest, .max = BOUND_MANIFEST, .sha256 = s->pin[0] ? s->pin : NULL};
    struct model *m = NULL;

    if (source_fetch(s, &r, &c.manifest, e))
        m = candidate_load(&c, e);
    if (!m)
        err_wrap(e, "%s", s->uri);
    candidate_done(&c);
    return m;
}

void model_release(struct model *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_done(&m->arena);
    bundle_free(m->bundle);
    free(m);
}

/* -- questions -- */

static void all_columns(const struct model *m, uint16_t *columns, struct question *q)
{
    memcpy(columns, m->plan.added, m->plan.n_added * sizeof *columns);
    q->n_columns = m->plan.n_added;
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
