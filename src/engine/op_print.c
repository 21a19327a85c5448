/* SPDX-License-Identifier: Apache-2.0 */
/* The declarations of ops as JSON. */
#include "op.h"
#include "scored/ops.h"

#include <float.h>
#include <string.h>

static void put_string(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "\"%s\":", key);
    buf_json_string(out, text, strlen(text));
}

/* A comma in front of all but the first of a list. */
static void put_comma(struct buf *out)
{
    if (out->len && !strchr("[{", out->data[out->len - 1]))
        buf_char(out, ',');
}

static void put_bool(struct buf *out, const char *key, bool value)
{
    put_comma(out);
    buf_printf(out, "\"%s\":%s", key, value ? "true" : "false");
}

static void put_types(struct buf *out, unsigned types)
{
    buf_lit(out, ",\"types\":[");
    for (unsigned t = 0; t < TYPE_COUNT; t++) {
        if (!(types >> t & 1))
            continue;
        put_comma(out);
        buf_printf(out, "\"%s\"", type_name((enum type)t));
    }
    buf_char(out, ']');
}

static void put_port(struct buf *out, const struct port *port, const char *flag, bool value)
{
    put_comma(out);
    buf_char(out, '{');
    put_string(out, "key", port->key);
    put_types(out, port->types);
    put_bool(out, flag, value);
    buf_char(out, '}');
}

static void put_inputs(struct buf *out, const struct op *op)
{
    buf_lit(out, ",\"inputs\":[");
    put_port(out, &op->in, "one", op->single || op->form->one_input);
    if (op->second.key) {
        put_port(out, &op->second, "one", true);
        out->len--;
        put_bool(out, "optional", op->second.optional);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_classes(struct buf *out, const struct op *op)
{
    buf_printf(out, "{\"op\":\"%s\",\"class\":\"%s\"", op->name, op->class_name);
    if (!op->more_classes[0])
        return;
    buf_lit(out, ",\"more_classes\":[");
    for (unsigned i = 0; i < CLASSES_MAX && op->more_classes[i]; i++) {
        put_comma(out);
        buf_printf(out, "\"%s\"", op->more_classes[i]);
    }
    buf_char(out, ']');
}

static void put_range(struct buf *out, const struct param *p)
{
    if (p->low == 0 && p->high == 0)
        return;
    buf_printf(out, ",\"low\":%.17g", p->low);
    if (p->high <= DBL_MAX)
        buf_printf(out, ",\"high\":%.17g", p->high);
}

static void put_choices(struct buf *out, const struct choice *c)
{
    buf_lit(out, ",\"values\":[");
    for (; c->name; c++) {
        put_comma(out);
        buf_printf(out, "\"%s\"", c->name);
    }
    buf_char(out, ']');
}

static void put_param(struct buf *out, const struct param *p)
{
    put_comma(out);
    buf_char(out, '{');
    put_string(out, "name", p->name);
    buf_char(out, ',');
    put_string(out, "kind", p->kind->name);
    if (p->choices)
        put_choices(out, p->choices);
    put_range(out, p);
    if (p->size_of)
        buf_printf(out, ",\"size_of\":\"%s\"", p->size_of);
    put_bool(out, "each", p->each);
    if (p->note) {
        buf_char(out, ',');
        put_string(out, "note", p->note);
    }
    buf_char(out, '}');
}

static void put_block(struct buf *out, const struct param *p, const struct kind_block *b)
{
    static const char *const dtypes[] = {"F64", "I64", "U32", "U8"};

    put_comma(out);
    buf_printf(out, "{\"name\":\"%s%s%s\",\"kind\":\"%s\",\"dtype\":\"%s\",\"dimensions\":%u",
               p->name, p->each ? ".<i>" : "", b->suffix, p->kind->name, dtypes[b->type],
               b->n_dims);
    if (b->when) {
        buf_char(out, ',');
        put_string(out, "when", b->when);
    }
    buf_char(out, '}');
}

static void put_params(struct buf *out, const struct op *op)
{
    buf_lit(out, ",\"params\":[");
    for (unsigned i = 0; i < op->n_params; i++)
        if (!op->params[i].kind->only_blocks)
            put_param(out, &op->params[i]);
    buf_lit(out, "],\"blocks\":[");
    for (unsigned i = 0; i < op->n_params; i++)
        for (unsigned k = 0; k < op->params[i].kind->n_blocks; k++)
            put_block(out, &op->params[i], &op->params[i].kind->blocks[k]);
    buf_char(out, ']');
}

static void put_op(struct buf *out, const struct op *op)
{
    put_classes(out, op);
    buf_printf(out, ",\"form\":\"%s\"", op->form->name);
    put_bool(out, "filter", op->filter != NULL);
    put_bool(out, "barrier", op->barrier);
    put_bool(out, "shadows", op->shadows);
    put_bool(out, "models", op->models);
    put_inputs(out, op);
    buf_lit(out, ",\"outputs\":[");
    for (unsigned i = 0; i < OUTPUTS_MAX && op->out[i].key; i++)
        put_port(out, &op->out[i], "optional", op->out[i].optional);
    buf_char(out, ']');
    put_params(out, op);
    buf_char(out, '}');
}

void ops_json(struct buf *out)
{
    buf_lit(out, "{\"ops\":[");
    for (unsigned i = 0; i < op_count; i++) {
        buf_text(out, i ? ",\n" : "\n");
        put_op(out, op_all[i]);
    }
    buf_lit(out, "\n]}\n");
}

void ops_list(struct buf *out)
{
    for (unsigned i = 0; i < op_count; i++)
        buf_printf(out, "%-32s %s\n", op_all[i]->name, op_all[i]->class_name);
}
