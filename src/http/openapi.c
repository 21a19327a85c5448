/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAPI 3.1, from the route table and the loaded models. A path of a model stands once a model,
 * with its fields. */
#include "http_priv.h"

#include "scored/server.h"
#include "scored/version.h"

#include <stdio.h>

static const char problem_schema[] =
    "\"problem\":{\"type\":\"object\",\"description\":\"RFC "
    "9457\",\"required\":[\"type\",\"title\","
    "\"status\"],\"properties\":{\"type\":{\"type\":\"string\",\"format\":\"uri\"},\"title\":{"
    "\"type\":\"string\"},\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"},"
    "\"field\":{\"type\":\"string\"},\"stage\":{\"type\":\"string\"},\"column\":{},\"row\":{"
    "\"type\":\"integer\"}}}";

static const char row_failed_schema[] =
    "\"row-failed\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"$"
    "ref\":"
    "\"#/components/schemas/problem\"}}},\"row-skipped\":{\"type\":\"object\",\"required\":["
    "\"skipped\"],\"properties\":{\"skipped\":{\"type\":\"object\",\"properties\":{\"stage\":{"
    "\"type\":\"string\"},\"column\":{\"type\":\"string\"}}}}}";

static const char query_parameters[] =
    "\"parameters\":[{\"name\":\"columns\",\"in\":\"query\",\"description\":\"columns to answer, "
    "separated by commas, or all\",\"schema\":{\"type\":\"string\"}},{\"name\":\"vectors\",\"in\":"
    "\"query\",\"description\":\"how vectors are written\",\"schema\":{\"enum\":[\"dense\","
    "\"spark\"]}},{\"name\":\"echo\",\"in\":\"query\",\"description\":\"fields copied into the "
    "answer\",\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}],";

static const unsigned predict_problems[] = {400, 404, 406, 413, 415, 422, 503};

static void put_problems(struct buf *out, const unsigned *statuses, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(
            out,
            ",\"%u\":{\"description\":\"a problem\",\"content\":{\"application/problem+json\":"
            "{\"schema\":{\"$ref\":\"#/components/schemas/problem\"}}}}",
            statuses[i]);
}

/* A row or an array of rows, as JSON; lines of them, as NDJSON. `kind` is "row" or "answer". */
static void put_rows_content(struct buf *out, const char *model, const char *kind)
{
    buf_printf(out,
               "\"content\":{\"application/json\":{\"schema\":{\"anyOf\":[{\"$ref\":"
               "\"#/components/schemas/%s.%s\"},{\"type\":\"array\",\"items\":{\"$ref\":"
               "\"#/components/schemas/%s.%s\"}}]}},\"application/x-ndjson\":{\"schema\":{\"$ref\":"
               "\"#/components/schemas/%s.%s\"}}}",
               model, kind, model, kind, model, kind);
}

static void put_predict(struct buf *out, const char *model)
{
    buf_text(out, query_parameters);
    buf_lit(out, "\"requestBody\":{\"required\":true,");
    put_rows_content(out, model, "row");
    buf_lit(out, "},\"responses\":{\"200\":{\"description\":\"one answer a row, in order\",");
    put_rows_content(out, model, "answer");
    buf_char(out, '}');
    put_problems(out, predict_problems, countof(predict_problems));
    buf_char(out, '}');
}

static void put_get(struct buf *out, const struct route *r)
{
    const unsigned not_ready[] = {503};
    const char *answer = strcmp(r->path, "/metrics") != 0 ? r->produces : "text/plain";

    buf_printf(out, "\"responses\":{\"200\":{\"description\":\"OK\",\"content\":{\"%s\":{}}}",
               answer);
    put_problems(out, not_ready, 1);
    buf_char(out, '}');
}

/* What operators ask of a model; answered on the admin listener only. */
static void put_command(struct buf *out, const struct route *r)
{
    const unsigned problems[] = {400, 404, 409, 415, 503};

    buf_printf(out,
               "\"responses\":{\"%s\":{\"description\":\"done, or begun\",\"content\":{\"%s\":{}}}",
               r->answer == answer_reload ? "202" : "200", r->produces);
    put_problems(out, problems, countof(problems));
    buf_char(out, '}');
}

static void put_operation(struct buf *out, const struct route *r, const char *model)
{
    buf_printf(out, "\"%s\":{\"summary\":", r->consumes ? "post" : "get");
    buf_json_string(out, r->summary, strlen(r->summary));
    buf_char(out, ',');
    if (r->body == predict_body)
        put_predict(out, model);
    else if (r->consumes)
        put_command(out, r);
    else
        put_get(out, r);
    buf_char(out, '}');
}

/* `model` names whose rows are described, and stands for "{name}"; "{version}" stays. */
static void put_path(struct buf *out, const struct route *r, const char *model)
{
    static const char name[] = "{name}";
    const char *at = strstr(r->path, name);
    int before = at ? (int)(at - r->path) : (int)strlen(r->path);

    buf_printf(out, "\"%.*s%s%s\":{", before, r->path, at ? model : "",
               at ? at + strlen(name) : "");
    if (strstr(r->path, "{version}"))
        buf_lit(out, "\"parameters\":[{\"name\":\"version\",\"in\":\"path\",\"required\":true,"
                     "\"schema\":{\"type\":\"string\"}}],");
    put_operation(out, r, model);
    buf_char(out, '}');
}

static void put_paths(struct buf *out, struct app *app, struct model *const *models, enum side side)
{
    const struct registry *r = app->registry;
    const struct slot *first = registry_default(app->registry);
    const char *comma = "";

    for (size_t i = 0; i < ROUTE_NONE; i++) {
        bool named = strchr(routes[i].path, '{') != NULL;
        for (unsigned s = 0; s < (named ? r->n_slots : 1); s++) {
            const struct slot *slot = named ? &r->slots[s] : first;
            bool has_rows = slot && models[slot - r->slots];
            if (!(routes[i].side & side) || (routes[i].consumes && !has_rows))
                continue;
            buf_text(out, comma);
            put_path(out, &routes[i], slot ? slot_name(slot) : "");
            comma = ",";
        }
    }
}

static void put_schemas(struct buf *out, struct app *app, struct model *const *models)
{
    bool closed = !strcmp(app->config->unknown_fields, "reject");

    buf_text(out, problem_schema);
    buf_char(out, ',');
    buf_text(out, row_failed_schema);
    for (unsigned s = 0; s < app->registry->n_slots; s++) {
        const char *name = slot_name(&app->registry->slots[s]);
        if (!models[s])
            continue;
        buf_printf(out, ",\"%s.row\":", name);
        put_row_schema(out, models[s], closed);
        buf_printf(out, ",\"%s.answer\":{\"anyOf\":[", name);
        put_answer_schema(out, models[s]);
        buf_lit(out, ",{\"$ref\":\"#/components/schemas/row-failed\"},{\"$ref\":"
                     "\"#/components/schemas/row-skipped\"}]}");
    }
}

void put_openapi(struct buf *out, struct app *app, struct model *const *models, enum side side)
{
    buf_printf(out,
               "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"scored\",\"version\":\"%s\","
               "\"description\":\"Predictions of fitted Spark ML pipelines.\"},\"paths\":{",
               scored_version);
    put_paths(out, app, models, side);
    buf_lit(out, "},\"components\":{\"schemas\":{");
    put_schemas(out, app, models);
    buf_lit(out, "}}}");
}
