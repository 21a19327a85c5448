/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAPI 3.1, from the route table, the table of problems and the loaded models. A path of a model
 * stands once a model, with its fields. The schemas that are the same for all models are those of
 * components.json. */
#include "http_priv.h"
#include "unpack.h"

#include "scored/server.h"
#include "scored/version.h"

#include <stdio.h>

#define SCHEMA_REF "{\"$ref\":\"#/components/schemas/"

static const char query_parameters[] =
    "{\"name\":\"vectors\",\"in\":\"query\",\"description\":\"how vectors are written\","
    "\"schema\":{\"type\":\"string\",\"enum\":[\"dense\",\"spark\"]}},{\"name\":\"strict\","
    "\"in\":\"query\",\"description\":\"whether a row must have all of the model's fields, be they "
    "null, and no "
    "others\",\"schema\":{\"type\":\"boolean\"}},{\"name\":\"timing\",\"in\":\"query\","
    "\"description\":\"whether the reply says in Server-Timing how many milliseconds it took to "
    "parse, score and encode the rows, and in total\",\"schema\":{\"type\":\"boolean\"}},";

static const char version_parameter[] =
    "{\"name\":\"version\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\","
    "\"pattern\":\"^[A-Za-z0-9._-]{1,64}$\"}},";

/* -- parameters -- */

/* Of more names the pattern would be longer than what it is good for. */
enum { PATTERN_BYTES = 4096 };

/* A name as a pattern of ECMA-262 has it. */
static void put_literally(struct buf *out, const char *name)
{
    for (; *name; name++) {
        if (strchr("^$\\.*+?()[]{}|/", *name))
            buf_char(out, '\\');
        buf_char(out, *name);
    }
}

static void put_names_pattern(struct buf *out, const struct plan *p)
{
    const char *between = "(";

    for (unsigned c = 0; c < p->n_columns; c++) {
        if (!p->columns[c].name || (!column_in(&p->all, c) && !plan_is_label(p, c)))
            continue;
        buf_text(out, between);
        put_literally(out, p->columns[c].name);
        between = "|";
    }
    buf_char(out, ')');
}

/* "all", or names of the model's columns and commas between. */
static void put_columns_parameter(struct buf *out, const struct model *m)
{
    struct buf names = {0}, pattern = {0};

    put_names_pattern(&names, &m->plan);
    if (names.failed || names.len < 3 || names.len > PATTERN_BYTES)
        buf_text(&pattern, "^[^,]+(,[^,]+)*$");
    else
        buf_printf(&pattern, "^(all|%s(,%s)*)$", names.data, names.data);
    buf_lit(out,
            "{\"name\":\"columns\",\"in\":\"query\",\"description\":\"columns to answer, separated "
            "by commas, or all\",\"schema\":{\"type\":\"string\",\"pattern\":");
    buf_json_string(out, pattern.data, pattern.len);
    buf_lit(out, "}},");
    out->failed |= names.failed || pattern.failed;
    buf_done(&names);
    buf_done(&pattern);
}

/* What an answer has anyway cannot be echoed into it. */
static void put_echo_parameter(struct buf *out, const struct model *m)
{
    buf_printf(
        out,
        "{\"name\":\"echo\",\"in\":\"query\",\"description\":\"fields copied into the answer\","
        "\"schema\":{\"type\":\"array\",\"uniqueItems\":true,\"maxItems\":%d,\"items\":{"
        "\"type\":\"string\",\"pattern\":\"^[^,\\\\u0000-\\\\u001f\\\\u007f]+$\",\"not\":{\"enum\":"
        "[\"error\",\"skipped\"",
        ECHO_MAX);
    for (unsigned i = 0; i < m->defaults.n_columns; i++) {
        const char *name = m->plan.columns[m->defaults.columns[i]].name;
        buf_char(out, ',');
        buf_json_string(out, name, strlen(name));
    }
    buf_lit(out, "]}}}}");
}

static void put_parameters(struct buf *out, const struct route *r, const struct model *m)
{
    buf_lit(out, "\"parameters\":[");
    if (strstr(r->path, "{version}"))
        buf_text(out, version_parameter);
    put_columns_parameter(out, m);
    buf_text(out, query_parameters);
    put_echo_parameter(out, m);
    buf_lit(out, "],");
}

/* -- problems -- */

enum { FIRST_PROBLEM = 400, AFTER_PROBLEMS = 600 };

enum kind { PREDICTS = 1, COMMANDS = 2, TELLS_OF_MODEL = 4, OTHER = 8 };

static enum kind kind_of(const struct route *r)
{
    return r->body == predict_body ? PREDICTS
           : r->consumes           ? COMMANDS
           : r->open               ? TELLS_OF_MODEL
                                   : OTHER;
}

/* Statuses that only some kinds of operations answer; the others any may. */
static const struct {
    unsigned status, kinds;
} some_answer[] = {
    {401, 0},
    {403, COMMANDS},
    {404, PREDICTS | COMMANDS | TELLS_OF_MODEL},
    {409, COMMANDS},
    {413, PREDICTS | COMMANDS},
    {415, PREDICTS | COMMANDS},
    {422, PREDICTS},
};

static bool may_answer(const struct route *r, unsigned status, enum scope needed)
{
    if (needed != SCOPE_NONE && (status == 401 || status == 403))
        return true;
    for (size_t i = 0; i < countof(some_answer); i++)
        if (some_answer[i].status == status)
            return some_answer[i].kinds & kind_of(r);
    return true;
}

static void put_titles(struct buf *out, unsigned status)
{
    const char *between = "";

    for (enum problem p = PROBLEM_NONE; p < PROBLEM_COUNT; p++) {
        if (problem_status(p) != status)
            continue;
        buf_printf(out, "%s%s", between, problem_title(p));
        between = ". ";
    }
}

/* 405 is left out: it answers methods that no path has. */
static bool is_problem(unsigned status)
{
    for (enum problem p = PROBLEM_NONE; p < PROBLEM_COUNT; p++)
        if (problem_status(p) == status && status != 405)
            return true;
    return false;
}

static void put_problem_responses(struct buf *out)
{
    const char *comma = "";

    for (unsigned status = FIRST_PROBLEM; status < AFTER_PROBLEMS; status++) {
        if (!is_problem(status))
            continue;
        buf_printf(out, "%s\"problem-%u\":{\"description\":\"", comma, status);
        put_titles(out, status);
        buf_printf(
            out, "\",\"content\":{\"application/problem+json\":{\"schema\":" SCHEMA_REF "%s\"}}}}",
            status == 422 ? "row-problem" : "problem");
        comma = ",";
    }
}

static void put_problems(struct buf *out, const struct route *r, enum scope needed)
{
    for (unsigned status = FIRST_PROBLEM; status < AFTER_PROBLEMS; status++) {
        if (!is_problem(status) || !may_answer(r, status, needed))
            continue;
        buf_printf(out, ",\"%u\":", status);
        if (status == 503 && r->answer == answer_readyz)
            buf_printf(out,
                       "{\"description\":\"not ready\",\"content\":{\"application/json\":{"
                       "\"schema\":" SCHEMA_REF
                       "%s\"}},\"application/problem+json\":{\"schema\":" SCHEMA_REF
                       "problem\"}}}}",
                       r->describes);
        else
            buf_printf(out, "{\"$ref\":\"#/components/responses/problem-%u\"}", status);
    }
}

/* -- operations -- */

/* Of a route, or of a route and a model. */
struct operation {
    const struct route *route;
    const char *name;          /* of the model that it is of, or the default one's */
    const struct model *model; /* NULL: it is not loaded, or none is needed */
    enum scope needed;
};

static void put_lines(struct buf *out, const char *model, const char *of)
{
    buf_printf(
        out,
        ",\"application/x-ndjson\":{\"schema\":{\"type\":\"string\",\"description\":"
        "\"lines, each of x-line\",\"x-line\":" SCHEMA_REF
        "%s.%s\"}}},\"text/csv\":{\"schema\":{\"type\":\"string\",\"minLength\":1,\"description\":"
        "\"RFC 4180, the names in the first line; an empty field is null\"}}}",
        model, of);
}

/* A row or an array of rows, as JSON; lines of them, as NDJSON or CSV. */
static void put_rows(struct buf *out, const char *model)
{
    buf_printf(out,
               "\"content\":{\"application/json\":{\"schema\":{\"anyOf\":[" SCHEMA_REF
               "%s.row\"},{\"type\":\"array\",\"items\":" SCHEMA_REF "%s.row\"}}]}}",
               model, model);
    put_lines(out, model, "row");
}

/* One row that fails is a problem; among others it stands in its place. */
static void put_answers(struct buf *out, const char *model)
{
    buf_printf(out,
               "\"content\":{\"application/json\":{\"schema\":{\"anyOf\":[" SCHEMA_REF
               "%s.answer\"}," SCHEMA_REF "row-skipped\"}," SCHEMA_REF
               "%s.columns\"},{\"type\":\"array\",\"items\":" SCHEMA_REF "%s.line\"}}]}}",
               model, model, model);
    put_lines(out, model, "line");
}

static void put_predict(struct buf *out, const struct operation *o)
{
    put_parameters(out, o->route, o->model);
    buf_printf(out,
               "\"requestBody\":{\"required\":true,\"description\":\"may be compressed, by one "
               "Content-Encoding: %s\",",
               unpacking_names);
    put_rows(out, o->name);
    buf_lit(out, "},\"responses\":{\"200\":{\"description\":\"one answer a row, in order\",");
    put_answers(out, o->name);
    buf_char(out, '}');
}

static void put_get(struct buf *out, const struct route *r)
{
    buf_lit(out, "\"responses\":{\"200\":{\"description\":\"OK\",\"content\":{");
    if (r->describes)
        buf_printf(out, "\"%s\":{\"schema\":" SCHEMA_REF "%s\"}}", r->produces, r->describes);
    else
        buf_lit(out, "\"text/plain\":{\"schema\":{\"type\":\"string\"}},"
                     "\"application/openmetrics-text\":{\"schema\":{\"type\":\"string\"}}");
    buf_lit(out, "}}");
}

/* What operators ask of a model. */
static void put_command(struct buf *out, const struct route *r)
{
    bool reload = r->answer == answer_reload;

    if (reload)
        buf_lit(out, "\"requestBody\":{\"content\":{\"application/json\":{\"schema\":" SCHEMA_REF
                     "reload-command\"}}}},");
    buf_printf(
        out,
        "\"responses\":{\"%s\":{\"description\":\"%s\",\"content\":{\"%s\":{\"schema\":" SCHEMA_REF
        "%s\"}}}}",
        reload ? "202" : "200", reload ? "begun" : "done", r->produces, r->describes);
}

static void put_operation(struct buf *out, const struct operation *o)
{
    const struct route *r = o->route;
    bool named = strchr(r->path, '{') != NULL;

    buf_printf(out, "\"%s\":{\"operationId\":\"%s%s%s\",\"summary\":", r->consumes ? "post" : "get",
               r->operation, named ? "_" : "", named ? o->name : "");
    buf_json_string(out, r->summary, strlen(r->summary));
    buf_char(out, ',');
    if (r->body == predict_body)
        put_predict(out, o);
    else if (r->consumes)
        put_command(out, r);
    else
        put_get(out, r);
    put_problems(out, r, o->needed);
    buf_text(out, o->needed == SCOPE_NONE ? "}}" : "},\"security\":[{\"token\":[]}]}");
}

/* The model's name stands for "{name}"; "{version}" stays. */
static void put_path(struct buf *out, const struct operation *o)
{
    static const char name[] = "{name}";
    const char *path = o->route->path, *at = strstr(path, name);
    int before = at ? (int)(at - path) : (int)strlen(path);

    buf_printf(out, "\"%.*s%s%s\":{", before, path, at ? o->name : "", at ? at + strlen(name) : "");
    put_operation(out, o);
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
            const struct slot *slot = named ? registry_slot(r, s) : first;
            const struct operation o = {
                .route = &routes[i],
                .name = slot ? slot_name(slot) : "",
                .model = slot ? models[slot_index(r, slot)] : NULL,
                .needed = access_scope(app, &routes[i], side),
            };
            if (!(routes[i].side & side) || !routes[i].operation ||
                (routes[i].consumes && !o.model))
                continue;
            buf_text(out, comma);
            put_path(out, &o);
            comma = ",";
        }
    }
}

/* -- components -- */

/* The order matters to those who take the first that fits: what has required members first. */
static void put_model_schemas(struct buf *out, const char *name, const struct model *m, bool closed)
{
    buf_printf(out, ",\"%s.row\":", name);
    put_row_schema(out, m, closed, false);
    buf_printf(out, ",\"%s.answer\":", name);
    put_answer_schema(out, m);
    buf_printf(out, ",\"%s.columns\":", name);
    put_columns_schema(out, m);
    buf_printf(out,
               ",\"%s.line\":{\"description\":\"What an element of an array, or a line, comes "
               "to\",\"anyOf\":[" SCHEMA_REF "%s.answer\"}," SCHEMA_REF "row-failed\"}," SCHEMA_REF
               "row-skipped\"}," SCHEMA_REF "%s.columns\"}]}",
               name, name, name);
}

static void put_security(struct buf *out, const struct app *app, enum side side)
{
    enum scope needed = access_scope(app, NULL, side);

    if (needed != SCOPE_NONE)
        buf_printf(out,
                   "\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\","
                   "\"description\":\"a token of the scope %s\"}},",
                   scope_name(needed));
}

void put_openapi(struct buf *out, struct app *app, struct model *const *models, enum side side)
{
    bool closed = app->config->unknown_fields == UNKNOWN_REJECT;

    buf_printf(out,
               "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"scored\",\"version\":\"%s\","
               "\"description\":\"Predictions of fitted Spark ML pipelines.\"},\"paths\":{",
               scored_version);
    put_paths(out, app, models, side);
    buf_lit(out, "},\"components\":{\"responses\":{");
    put_problem_responses(out);
    buf_lit(out, "},");
    put_security(out, app, side);
    buf_lit(out, "\"schemas\":{");
    buf_text(out, openapi_components);
    for (unsigned s = 0; s < app->registry->n_slots; s++)
        if (models[s] && (side & SIDE_PUBLIC))
            put_model_schemas(out, slot_name(registry_slot(app->registry, s)), models[s], closed);
    buf_lit(out, "}}}");
}
