/* SPDX-License-Identifier: Apache-2.0 */
/* The query of a prediction: columns=LIST|all, vectors=spark|dense, strict=true|false, timing=true|
 * false, echo=LIST (may repeat). */
#include "http_priv.h"

#include "scored/utf8.h"

#include <stdlib.h>

#define KNOWN ",\"parameters\":[\"columns\",\"vectors\",\"strict\",\"timing\",\"echo\"]"

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

/* In place; the judge of heads has seen to the escapes. */
static void decode(char *p)
{
    char *to = p;

    while (*p) {
        if (*p == '%') {
            *to++ = (char)(hex_value(p[1]) << 4 | hex_value(p[2]));
            p += 3;
        } else {
            *to++ = (char)(*p == '+' ? ' ' : *p);
            p++;
        }
    }
    *to = '\0';
}

void put_columns(struct buf *out, const struct plan *p)
{
    const char *comma = "";
    unsigned first_label = p->n_columns - p->n_labels;

    buf_char(out, '[');
    for (unsigned i = 0; i < (unsigned)p->n_added + p->n_labels; i++) {
        unsigned c = i < p->n_added ? p->added[i] : first_label + i - p->n_added;
        const char *name = p->columns[c].name;
        buf_text(out, comma);
        buf_json_string(out, name, strlen(name));
        comma = ",";
    }
    buf_char(out, ']');
}

static bool bad_value(struct exchange *x, const char *parameter, const char *wants)
{
    reply_problem(x, PROBLEM_BAD_PARAMETER, KNOWN, "\"%s\" takes %s", parameter, wants);
    return false;
}

static bool grow(struct exchange *x)
{
    const struct plan *p = &x->model->plan;
    size_t size = plan_program_size(p);

    if (x->program_size < size) {
        struct program *program = realloc(x->program, size);
        if (!program)
            return false;
        x->program = program;
        x->program_size = size;
    }
    if (x->n_columns < p->n_columns) {
        uint16_t *columns = realloc(x->columns, p->n_columns * sizeof *columns);
        if (!columns)
            return false;
        x->columns = columns;
        x->n_columns = p->n_columns;
    }
    return true;
}

static bool take_columns(struct exchange *x, char *value)
{
    struct text unknown;
    struct question asked = x->question;

    if (!*value)
        return bad_value(x, "columns", "names of columns, separated by commas, or \"all\"");
    if (!grow(x)) {
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
        return false;
    }
    if (question_columns(x->model, value, x->program, x->columns, &asked, &unknown)) {
        x->question.program = asked.program;
        x->question.columns = asked.columns;
        x->question.n_columns = asked.n_columns;
        return true;
    }
    struct buf extra = {0};
    buf_lit(&extra, ",\"column\":");
    buf_json_string(&extra, unknown.p, unknown.len);
    buf_lit(&extra, ",\"columns\":");
    put_columns(&extra, &x->model->plan);
    const struct plan *p = &x->model->plan;
    uint16_t dropped = plan_dropped(p, unknown.p, unknown.len);
    if (dropped != COLUMN_NONE)
        reply_problem(x, PROBLEM_UNKNOWN_COLUMN, extra.failed ? NULL : extra.data,
                      "stage %s drops the column; `columns` lists those that the model keeps",
                      p->stages[dropped].uid);
    else
        reply_problem(x, PROBLEM_UNKNOWN_COLUMN, extra.failed ? NULL : extra.data,
                      "`columns` lists those that the model adds");
    buf_done(&extra);
    return false;
}

static bool take_vectors(struct exchange *x, char *value)
{
    x->question.spark_vectors = !strcmp(value, "spark");
    return x->question.spark_vectors || !strcmp(value, "dense") ||
           bad_value(x, "vectors", "\"spark\" or \"dense\"");
}

/* The row has the model's fields, all of them and no others. */
static bool take_strict(struct exchange *x, char *value)
{
    bool strict = !strcmp(value, "true");

    x->question.reject_unknown = x->question.reject_missing = strict;
    return strict || !strcmp(value, "false") || bad_value(x, "strict", "\"true\" or \"false\"");
}

/* The reply says in Server-Timing how long what took. */
static bool take_timing(struct exchange *x, char *value)
{
    x->tells_times = !strcmp(value, "true");
    return x->tells_times || !strcmp(value, "false") ||
           bad_value(x, "timing", "\"true\" or \"false\"");
}

static bool take_echo(struct exchange *x, char *value)
{
    struct question *q = &x->question;

    for (char *p = value;; p++) {
        size_t n = strcspn(p, ",");
        if (!n)
            return bad_value(x, "echo", "names of fields, separated by commas");
        if (q->n_echoes == ECHO_MAX) {
            reply_problem(x, PROBLEM_BAD_PARAMETER, KNOWN, "\"echo\" takes at most %d fields",
                          ECHO_MAX);
            return false;
        }
        for (unsigned i = 0; i < q->n_echoes; i++)
            if (q->echoes[i].len == n && !memcmp(q->echoes[i].p, p, n))
                return bad_value(x, "echo", "each field once");
        if ((n == 5 && !memcmp(p, "error", n)) || (n == 7 && !memcmp(p, "skipped", n)))
            return bad_value(x, "echo",
                             "neither error nor skipped, which rows without an answer have");
        q->echoes[q->n_echoes++] = (struct text){p, (uint32_t)n};
        p += n;
        if (!*p)
            return true;
    }
}

static const struct parameter {
    const char *name;
    bool (*take)(struct exchange *x, char *value);
    bool repeats;
} parameters[] = {
    {"columns", take_columns, false}, {"vectors", take_vectors, false},
    {"strict", take_strict, false},   {"timing", take_timing, false},
    {"echo", take_echo, true},
};

static bool is_text(const char *p)
{
    return utf8_valid(p, strlen(p)) == strlen(p);
}

static bool take(struct exchange *x, char *pair, unsigned *seen)
{
    char *value = pair + strcspn(pair, "=");

    if (*value)
        *value++ = '\0';
    decode(pair);
    decode(value);
    if (!is_text(pair) || !is_text(value)) {
        reply_problem(x, PROBLEM_BAD_PARAMETER, KNOWN,
                      "a name or a value is not well-formed UTF-8");
        return false;
    }
    for (unsigned i = 0; i < countof(parameters); i++) {
        if (strcmp(pair, parameters[i].name) != 0)
            continue;
        if ((*seen & 1U << i) && !parameters[i].repeats)
            return bad_value(x, parameters[i].name, "one value");
        *seen |= 1U << i;
        return parameters[i].take(x, value);
    }
    reply_problem(x, PROBLEM_BAD_PARAMETER, KNOWN,
                  "there is no parameter \"%.*s\"; `parameters` lists those that there are",
                  (int)utf8_valid(pair, strnlen(pair, 64)), pair);
    return false;
}

/* An echo that is also a column asked for would stand twice in the answer. */
static bool check_echoes(struct exchange *x)
{
    const struct question *q = &x->question;

    for (unsigned i = 0; i < q->n_echoes; i++) {
        for (unsigned j = 0; j < q->n_columns; j++) {
            const char *name = x->model->plan.columns[q->columns[j]].name;
            if (strlen(name) == q->echoes[i].len && !memcmp(name, q->echoes[i].p, q->echoes[i].len))
                return bad_value(x, "echo", "no name of a column that is asked for");
        }
    }
    return true;
}

bool query_open(struct exchange *x)
{
    const struct config *config = x->app->config;
    unsigned seen = 0;

    x->question = x->model->defaults;
    x->question.n_echoes = 0;
    x->question.reject_unknown = config->unknown_fields == UNKNOWN_REJECT;
    x->question.reject_missing = config->missing_fields == MISSING_REJECT;
    x->question.max_rows = (uint32_t)config->max_rows;
    x->question.max_reply = config->max_reply;
    x->question.max_line = config->max_body;
    if (!x->query || !*x->query)
        return true;
    for (char *p = x->query, *next; p; p = next) {
        next = strchr(p, '&');
        if (next)
            *next++ = '\0';
        if (*p && !take(x, p, &seen))
            return false;
    }
    return check_echoes(x);
}
