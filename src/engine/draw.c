/* SPDX-License-Identifier: Apache-2.0 */
/* The pipeline as a tree, for people: each stage with what it reads and makes. */
#include "scored/buf.h"
#include "scored/plan.h"

static void put_column(const struct plan *p, uint16_t c, struct buf *out)
{
    const struct plan_column *column = &p->columns[c];
    const struct shape *s = &column->shape;

    buf_printf(out, "%s: %s", column->name ? column->name : "(between)",
               s->type == TYPE_COUNT ? "bytes" : type_name(s->type));
    if (s->type == TYPE_VECTOR && s->size != SIZE_UNKNOWN)
        buf_printf(out, "[%lld]", (long long)s->size);
    else if (s->type == TYPE_VECTOR)
        buf_lit(out, "[?]");
    if (column_in(&p->defaults, c))
        buf_lit(out, "   <- answered");
}

static void put_inputs(const struct plan *p, const struct unit *u, struct buf *out)
{
    for (unsigned i = 0; i < u->n_in; i++) {
        const char *name = p->columns[u->in[i]].name;
        if (i == 8 && u->n_in > 9) {
            buf_printf(out, ", ... %u in all", (unsigned)u->n_in);
            return;
        }
        buf_printf(out, "%s%s", i ? ", " : "", name ? name : "(between)");
    }
}

static void put_unit(const struct plan *p, const struct unit *u, bool last, struct buf *out)
{
    buf_text(out, last ? "   `- " : "   |- ");
    if (u->out == COLUMN_NONE) {
        buf_lit(out, "drops rows by ");
        put_inputs(p, u, out);
    } else {
        put_column(p, u->out, out);
        buf_lit(out, "   from ");
        put_inputs(p, u, out);
    }
    buf_char(out, '\n');
}

static void put_dropped(const struct plan *p, unsigned stage, struct buf *out)
{
    const char *before = "   `- drops ";

    for (uint32_t i = 0; i < p->n_names; i++) {
        if (p->names[i].stage != stage || p->names[i].column != COLUMN_NONE)
            continue;
        buf_printf(out, "%s%s", before, p->names[i].name);
        before = ", ";
    }
    if (*before == ',')
        buf_char(out, '\n');
}

void plan_draw(const struct plan *p, struct buf *out)
{
    buf_printf(out, "request\n");
    for (uint16_t c = 0; c < p->n_inputs; c++) {
        buf_text(out, c + 1 == p->n_inputs ? "   `- " : "   |- ");
        put_column(p, c, out);
        buf_text(out, p->columns[c].nullable ? "\n" : ", not null\n");
    }
    unsigned i = 0;
    for (unsigned s = 0; s < p->n_stages; s++) {
        buf_printf(out, "%u  %s  (%s)\n", s, p->stages[s].op, p->stages[s].uid);
        for (; i < p->n_order && p->order[i]->stage == s; i++)
            put_unit(p, p->order[i], i + 1 == p->n_order || p->order[i + 1]->stage != s, out);
        put_dropped(p, s, out);
    }
    if (p->n_labels)
        buf_lit(out, "where asked for by name\n");
    for (unsigned c = p->n_columns - p->n_labels; c < p->n_columns; c++)
        put_unit(p, p->columns[c].unit, c + 1 == p->n_columns, out);
}
