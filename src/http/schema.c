/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema (2020-12) of a model's rows and answers. */
#include "http_priv.h"

#include <stdlib.h>

enum { MAX_CATEGORIES = 1000 };

#define NUMBERS "{\"anyOf\":[{\"type\":\"number\"},@]}"
#define SPARSE                                                                             \
    "{\"type\":\"object\",\"required\":[\"size\",\"indices\",\"values\"],\"properties\":{" \
    "\"size\":{\"type\":\"integer\"},\"indices\":{\"type\":\"array\",\"items\":{\"type\":" \
    "\"integer\"}},\"values\":{\"type\":\"array\",\"items\":" NUMBERS "}}}"

/* What stands for '@' in the forms: the numbers that JSON has none for. */
static const char special[] = "{\"type\":\"string\",\"enum\":[\"NaN\",\"Infinity\",\"-Infinity\"]}";
static const char special_ref[] = "{\"$ref\":\"#/components/schemas/special-number\"}";

/* Members of a schema, of values that are not null. */
static const char *const forms[TYPE_COUNT] = {
    [TYPE_BOOLEAN] = "\"type\":\"boolean\"",
    [TYPE_TINYINT] = "\"type\":\"integer\",\"minimum\":-128,\"maximum\":127",
    [TYPE_SMALLINT] = "\"type\":\"integer\",\"minimum\":-32768,\"maximum\":32767",
    [TYPE_INT] = "\"type\":\"integer\",\"format\":\"int32\",\"minimum\":-2147483648,\"maximum\":"
                 "2147483647",
    [TYPE_BIGINT] = "\"type\":\"integer\",\"format\":\"int64\",\"minimum\":-9223372036854775808,"
                    "\"maximum\":9223372036854775807",
    [TYPE_FLOAT] = "\"anyOf\":[{\"type\":\"number\",\"format\":\"float\"},@]",
    [TYPE_DOUBLE] = "\"anyOf\":[{\"type\":\"number\",\"format\":\"double\"},@]",
    [TYPE_STRING] = "\"type\":\"string\"",
    [TYPE_DATE] = "\"type\":\"string\",\"format\":\"date\"",
    [TYPE_TIMESTAMP] = "\"type\":\"string\",\"format\":\"date-time\"",
    [TYPE_DECIMAL] = "\"type\":[\"number\",\"string\"]",
    [TYPE_ARRAY_STRING] = "\"type\":\"array\",\"items\":{\"type\":[\"string\",\"null\"]}",
    [TYPE_ARRAY_FLOAT] = "\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":[\"number\",\"null\"],"
                         "\"format\":\"float\"},@]}",
    [TYPE_ARRAY_DOUBLE] =
        "\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":[\"number\",\"null\"]},@]}",
    [TYPE_ARRAY_INT] = "\"type\":\"array\",\"items\":{\"type\":[\"integer\",\"null\"]}",
    [TYPE_ARRAY_VECTOR] =
        "\"type\":\"array\",\"items\":{\"anyOf\":[{\"type\":\"array\",\"items\":" NUMBERS
        "}," SPARSE ",{\"type\":\"null\"}]}",
    [TYPE_VECTOR] = "\"anyOf\":[{\"type\":\"array\",\"items\":" NUMBERS "}," SPARSE "]",
};

static void put_form(struct buf *out, enum type type, bool nullable, bool alone)
{
    if (nullable)
        buf_lit(out, "\"anyOf\":[{");
    for (const char *p = forms[type]; *p;) {
        size_t n = strcspn(p, "@");
        buf_put(out, p, n);
        p += n;
        if (*p) {
            buf_text(out, alone ? special : special_ref);
            p++;
        }
    }
    if (nullable)
        buf_lit(out, "},{\"type\":\"null\"}]");
}

/* Values seen in training, and what becomes of others: for people, as others need not be errors. */
static void put_categories(struct buf *out, const struct categories *c)
{
    if (c->n <= MAX_CATEGORIES) {
        buf_lit(out, ",\"x-categories\":[");
        for (uint32_t i = 0; i < c->n; i++) {
            buf_text(out, i ? "," : "");
            buf_json_string(out, c->values[i].p, c->values[i].len);
        }
        buf_char(out, ']');
    }
    buf_printf(out, ",\"x-unseen\":\"%s\"", c->unseen);
}

/* -- documents -- */

static void put_input(struct buf *out, const struct bundle_column *c,
                      const struct categories *categories, bool alone)
{
    buf_json_string(out, c->name, strlen(c->name));
    buf_lit(out, ":{");
    put_form(out, c->type, c->nullable, alone);
    if (c->description) {
        buf_lit(out, ",\"description\":");
        buf_json_string(out, c->description, strlen(c->description));
    }
    char type[TYPE_TEXT];
    buf_printf(out, ",\"x-spark-type\":\"%s\"", type_write(c->type, c->digits, type));
    if (c->type == TYPE_VECTOR && c->size != SIZE_UNKNOWN)
        buf_printf(out, ",\"x-size\":%lld", (long long)c->size);
    if (categories)
        put_categories(out, categories);
    buf_char(out, '}');
}

static void put_required(struct buf *out, const struct bundle *b)
{
    const char *comma = "";

    buf_lit(out, ",\"required\":[");
    for (unsigned i = 0; i < b->n_inputs; i++) {
        if (b->inputs[i].nullable)
            continue;
        buf_text(out, comma);
        buf_json_string(out, b->inputs[i].name, strlen(b->inputs[i].name));
        comma = ",";
    }
    buf_char(out, ']');
}

static void put_json(struct buf *out, const char *member, const struct json *v)
{
    char *text = json_print(v);

    buf_printf(out, ",\"%s\":", member);
    buf_text(out, text ? text : "");
    out->failed |= !text;
    free(text);
}

static void put_example(struct buf *out, const struct bundle *b, const char *key)
{
    struct json example;
    struct err e = {0};

    if (!json_get(&b->example, key, &example, &e))
        return;
    char *text = json_print(&example);
    buf_printf(out, ",\"examples\":[%s]", text ? text : "");
    out->failed |= !text;
    free(text);
}

void put_row_schema(struct buf *out, const struct model *m, bool closed, bool alone)
{
    const struct bundle *b = m->bundle;

    buf_char(out, '{');
    if (alone) /* in OpenAPI the component's name is the title */
        buf_printf(out,
                   "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"%s\",",
                   b->name);
    buf_printf(out,
               "\"description\":\"A row of model %s, version %s. A field that "
               "is missing is null.\",\"type\":\"object\",\"properties\":{",
               b->name, b->version);
    for (unsigned i = 0; i < b->n_inputs; i++) {
        buf_text(out, i ? "," : "");
        put_input(out, &b->inputs[i], m->plan.columns[i].categories, alone);
    }
    buf_char(out, '}');
    put_required(out, b);
    if (closed)
        buf_lit(out, ",\"additionalProperties\":false");
    put_example(out, b, "in");
    if (alone && b->labels.node)
        put_json(out, "x-labels", &b->labels);
    buf_char(out, '}');
}

static void put_column(struct buf *out, const struct model *m, unsigned at)
{
    const struct plan_column *c = &m->plan.columns[at];
    struct json labels;

    buf_json_string(out, c->name, strlen(c->name));
    buf_lit(out, ":{");
    put_form(out, c->shape.type, c->nullable, false);
    if (plan_is_label(&m->plan, at))
        buf_lit(out, ",\"description\":\"the label of a class\"");
    if (bundle_labels(m->bundle, c->name, &labels)) {
        buf_printf(out, ",\"description\":\"%s\"",
                   c->shape.type == TYPE_VECTOR ? "an element for each of x-labels, in their order"
                                                : "a class: the place in x-labels, from 0");
        put_json(out, "x-labels", &labels);
    }
    buf_char(out, '}');
}

/* Members of other names than a column's are fields that were echoed: values of JSON that are no
 * objects. So no row that failed or was skipped passes for an answer. */
static void put_echoed(struct buf *out)
{
    buf_lit(out, ",\"unevaluatedProperties\":{\"type\":[\"string\",\"number\",\"boolean\","
                 "\"null\"]}");
}

void put_answer_schema(struct buf *out, const struct model *m)
{
    const struct plan *p = &m->plan;

    buf_lit(out, "{\"description\":\"What a row is answered by default\",\"type\":\"object\","
                 "\"properties\":{");
    for (unsigned i = 0; i < p->n_outputs; i++) {
        buf_text(out, i ? "," : "");
        put_column(out, m, p->outputs[i]);
    }
    buf_lit(out, "},\"required\":[");
    for (unsigned i = 0; i < p->n_outputs; i++) {
        const char *name = p->columns[p->outputs[i]].name;
        buf_text(out, i ? "," : "");
        buf_json_string(out, name, strlen(name));
    }
    buf_char(out, ']');
    put_echoed(out);
    put_example(out, m->bundle, "out");
    buf_char(out, '}');
}

void put_columns_schema(struct buf *out, const struct model *m)
{
    const struct plan *p = &m->plan;
    const char *comma = "";

    buf_lit(out, "{\"description\":\"What a row is answered where the parameter columns asks for "
                 "others than the default\",\"type\":\"object\",\"properties\":{");
    for (unsigned c = 0; c < p->n_columns; c++) {
        if (!p->columns[c].name || (!column_in(&p->all, c) && !plan_is_label(p, c)))
            continue;
        buf_text(out, comma);
        put_column(out, m, c);
        comma = ",";
    }
    buf_char(out, '}');
    put_echoed(out);
    buf_char(out, '}');
}
