/* SPDX-License-Identifier: Apache-2.0 */
#include "fuse.h"

#include "engine_priv.h"
#include "trees/assembled.h"

static const struct fusion_rule *const rules[] = {&fusion_assembled};

/* -- what a plan could fuse -- */

static const struct fusion_rule *rule_for(const struct plan *p, const struct unit *first,
                                          const struct unit *second)
{
    for (size_t i = 0; i < countof(rules); i++) {
        const struct fusion_rule *r = rules[i];
        if (r->first == first->run && r->second == second->run && r->fits(p, first, second))
            return r;
    }
    return NULL;
}

/* The fused unit stands where the first one stood: there its rows fail, as they did. */
static void add_fusion(struct plan *p, const struct fusion_rule *rule, const struct unit *first,
                       const struct unit *second)
{
    struct fusion *x = &p->fusions[p->n_fusions++];

    *x = (struct fusion){.first = first, .second = second, .fused = *first};
    x->fused.run = rule->run;
    x->fused.params = x;
    x->fused.out = second->out;
}

bool fusions_find(struct plan *p, struct err *e)
{
    p->fusions = arena_new(p->arena, struct fusion, p->n_order);
    if (!p->fusions)
        return err_memory(e);
    for (unsigned i = 0; i < p->n_order; i++) {
        const struct unit *u = p->order[i];
        const struct unit *before = u->n_in == 1 ? p->columns[u->in[0]].unit : NULL;
        const struct fusion_rule *rule = before ? rule_for(p, before, u) : NULL;
        if (rule)
            add_fusion(p, rule, before, u);
    }
    return true;
}

/* -- what a program may -- */

static bool reads(const struct unit *u, uint16_t column)
{
    for (unsigned i = 0; i < u->n_in; i++)
        if (u->in[i] == column)
            return true;
    return false;
}

/* The place of the second unit, if both are there and it is the one reader of the first: else 0. */
static unsigned only_reader(const struct program *program, const struct fusion *x)
{
    unsigned readers = 0, at = 0;

    for (unsigned i = 0; i < program->n_steps; i++) {
        if (reads(program->steps[i], x->first->out))
            readers++;
        if (program->steps[i] == x->second)
            at = i;
    }
    return readers == 1 ? at : 0;
}

static void replace(struct program *program, const struct fusion *x, unsigned second)
{
    for (unsigned i = 0; i < second; i++)
        if (program->steps[i] == x->first)
            program->steps[i] = &x->fused;
    program->n_steps--;
    for (unsigned i = second; i < program->n_steps; i++)
        program->steps[i] = program->steps[i + 1];
}

void program_fuse(const struct plan *p, const struct column_set *asked, struct program *program)
{
    for (unsigned i = 0; i < p->n_fusions; i++) {
        const struct fusion *x = &p->fusions[i];
        unsigned second = column_in(asked, x->first->out) ? 0 : only_reader(program, x);
        if (second)
            replace(program, x, second);
    }
}
