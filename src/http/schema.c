/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema (2020-12) of a model's rows and answers. */
#include "http_priv.h"

#include <stdio.h>
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
    [TYPE_ARRAY_STRING] = "\"type\":\"array\",\"items\":{\"type\":[\"string\",\"null\"]}",
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

/* -- categories -- */

/* Where a StringIndexer reads an input itself. */
struct indexer {
    const struct bundle_stage *stage;
    unsigned stage_index, label; /* which list of its labels */
};

static bool reads(const struct bundle_stage *s, const char *column, unsigned *at)
{
    struct json list;
    struct json_iter it = {0};
    struct err e = {0};
    const char *name;

    if (!json_get_array(&s->inputs, "inputCols", &list, &e))
        return false;
    for (*at = 0; json_next(&list, &it); ++*at)
        if (json_as_string(&it.value, &name, &e) && !strcmp(name, column))
            return true;
    return false;
}

static bool find_indexer(const struct bundle *b, const char *column, struct indexer *out)
{
    for (unsigned i = 0; i < b->n_stages; i++) {
        const struct bundle_stage *s = &b->stages[i];
        if (strcmp(s->op, "string_indexer") != 0 || !reads(s, column, &out->label))
            continue;
        out->stage = s;
        out->stage_index = i;
        return true;
    }
    return false;
}

static const struct block *find_block(const struct bundle *b, const struct indexer *x,
                                      const char *part)
{
    char name[64];

    if (!b->bytes[ROLE_BLOCKS])
        return NULL;
    snprintf(name, sizeof name, "s%03u.labels.%u.%s", x->stage_index, x->label, part);
    for (unsigned i = 0; i < b->n_blocks; i++)
        if (!strcmp(b->blocks[i].name, name))
            return &b->blocks[i];
    return NULL;
}

/* Labels as a table of blocks. */
static bool put_table(struct buf *out, const struct bundle *b, const struct indexer *x)
{
    const struct block *offsets = find_block(b, x, "offsets"), *bytes = find_block(b, x, "bytes");

    if (!offsets || !bytes || offsets->n < 1 || offsets->n - 1 > MAX_CATEGORIES)
        return false;
    const uint32_t *from = offsets->data;
    for (uint64_t i = 0; i + 1 < offsets->n; i++) {
        buf_text(out, i ? "," : "");
        buf_json_string(out, (const char *)bytes->data + from[i], from[i + 1] - from[i]);
    }
    return true;
}

static bool put_list(struct buf *out, const struct json *labels)
{
    struct json_iter it = {0};
    struct err e = {0};
    const char *text;

    if (!json_is_array(labels) || json_size(labels) > MAX_CATEGORIES)
        return false;
    while (json_next(labels, &it)) {
        if (!json_as_string(&it.value, &text, &e))
            return false;
        buf_text(out, it.n > 1 ? "," : "");
        buf_json_string(out, text, strlen(text));
    }
    return true;
}

static bool put_labels(struct buf *out, const struct bundle *b, const struct indexer *x)
{
    struct json all;
    struct json_iter it = {0};
    struct err e = {0};

    if (!json_get_array(&x->stage->params, "labels", &all, &e))
        return false;
    for (unsigned i = 0; json_next(&all, &it); i++)
        if (i == x->label)
            return json_is_null(&it.value) ? put_table(out, b, x) : put_list(out, &it.value);
    return false;
}

/* Values seen in training, and what becomes of others: for people, as others need not be errors. */
static void put_categories(struct buf *out, const struct bundle *b, const char *column)
{
    struct indexer x;
    struct buf labels = {0};
    struct err e = {0};
    const char *unseen;

    if (!find_indexer(b, column, &x))
        return;
    if (put_labels(&labels, b, &x)) {
        buf_lit(out, ",\"x-categories\":[");
        buf_put(out, labels.data ? labels.data : "", labels.len);
        buf_char(out, ']');
    }
    out->failed |= labels.failed;
    buf_done(&labels);
    if (json_get_string(&x.stage->params, "handleInvalid", &unseen, &e))
        buf_printf(out, ",\"x-unseen\":\"%s\"", unseen);
}

/* -- documents -- */

static void put_input(struct buf *out, const struct bundle *b, const struct bundle_column *c,
                      bool alone)
{
    buf_json_string(out, c->name, strlen(c->name));
    buf_lit(out, ":{");
    put_form(out, c->type, c->nullable, alone);
    if (c->description) {
        buf_lit(out, ",\"description\":");
        buf_json_string(out, c->description, strlen(c->description));
    }
    buf_printf(out, ",\"x-spark-type\":\"%s\"", type_name(c->type));
    if (c->type == TYPE_VECTOR && c->size != SIZE_UNKNOWN)
        buf_printf(out, ",\"x-size\":%lld", (long long)c->size);
    if (c->type == TYPE_STRING)
        put_categories(out, b, c->name);
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
        put_input(out, b, &b->inputs[i], alone);
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

static void put_column(struct buf *out, const struct bundle *b, const struct plan_column *c)
{
    struct json labels;

    buf_json_string(out, c->name, strlen(c->name));
    buf_lit(out, ":{");
    put_form(out, c->shape.type, c->nullable, false);
    if (bundle_labels(b, c->name, &labels)) {
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
        put_column(out, m->bundle, &p->columns[p->outputs[i]]);
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
        if (!p->columns[c].name || !column_in(&p->all, c))
            continue;
        buf_text(out, comma);
        put_column(out, m->bundle, &p->columns[c]);
        comma = ",";
    }
    buf_char(out, '}');
    put_echoed(out);
    buf_char(out, '}');
}
