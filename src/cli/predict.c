/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scored predict: JSON lines in, JSON lines out, in bounded memory. Lines are gathered from a read
 * buffer until a frame is full or the input pauses; a line longer than the buffer makes it grow up
 * to --max-line.
 */
#include "command_line.h"
#include "commands.h"
#include "open_model.h"

#include "scored/buf.h"
#include "scored/clock.h"
#include "scored/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 20 };

enum { VECTORS_DENSE, VECTORS_SPARK };
static const char *const vector_kinds[] = {
    [VECTORS_DENSE] = "dense", [VECTORS_SPARK] = "spark", NULL};
static const char *const kernels[] = {CHOICES_kernel};
static const char *const unknown_rules[] = {CHOICES_unknown_fields};

struct predict {
    const char *uri, *columns;
    unsigned vectors, unknown, kernel; /* numbers of choices */
    struct option_list echoes;
    uint64_t frame_rows, max_line;
    bool no_fuse;

    struct model *model;
    struct question question;
    struct scoring scoring;
    struct scratch scratch;
    struct buf in, out;
    struct text lines[FRAME_ROWS];
    unsigned n_lines;
    bool progress;
    uint64_t start_ns, said_ns;
};

static bool write_all(struct buf *out, struct err *e)
{
    size_t at = 0;

    if (out->failed)
        return err_memory(e);
    while (at < out->len) {
        ssize_t n = write(STDOUT_FILENO, out->data + at, out->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "standard output");
        at += (size_t)n;
    }
    buf_reset(out);
    return true;
}

static void say_progress(struct predict *p, bool last)
{
    uint64_t now = clock_ns();
    const struct counts *c = &p->scoring.counts;

    if (!p->progress || (!last && now - p->said_ns < 200000000U))
        return;
    p->said_ns = now;
    double seconds = (double)(now - p->start_ns) / 1e9;
    fprintf(stderr, "\r%llu rows, %llu failed, %llu skipped, %.0f rows/s   %s",
            (unsigned long long)c->rows, (unsigned long long)c->failed,
            (unsigned long long)c->skipped, seconds > 0 ? (double)c->rows / seconds : 0.0,
            last ? "\n" : "");
}

/* Where nobody saw it counted: answers and errors look alike in a file. */
static void say_failed(const struct predict *p)
{
    const struct counts *c = &p->scoring.counts;

    if (c->failed && !p->progress)
        fprintf(stderr, "scored predict: %llu of %llu rows have an error in place of an answer\n",
                (unsigned long long)c->failed, (unsigned long long)c->rows);
}

static bool flush(struct predict *p, bool all, struct err *e)
{
    if (p->n_lines) {
        score_lines(&p->scoring, p->lines, p->n_lines, &p->out);
        p->n_lines = 0;
        say_progress(p, false);
    }
    return (!all && p->out.len < READ_SIZE && !p->out.failed) || write_all(&p->out, e);
}

/* Scores the complete lines of the buffer and keeps the rest at its start. */
static bool take_lines(struct predict *p, bool end, struct err *e)
{
    char *at = p->in.data, *limit = p->in.data + p->in.len;

    while (at < limit) {
        char *newline = memchr(at, '\n', (size_t)(limit - at));
        if (!newline && !end)
            break;
        char *stop = newline ? newline : limit;
        p->lines[p->n_lines++] = (struct text){at, (uint32_t)(stop - at)};
        at = newline ? newline + 1 : limit;
        if (p->n_lines == p->model->plan.frame_rows && !flush(p, false, e))
            return false;
    }
    if (!flush(p, true, e)) /* lines point into the buffer, which is about to move */
        return false;
    size_t rest = (size_t)(limit - at);
    memmove(p->in.data, at, rest);
    p->in.len = rest;
    p->in.data[rest] = '\0';
    return true;
}

static bool run(struct predict *p, struct err *e)
{
    for (;;) {
        if (p->in.len > p->max_line)
            return err_set(e, ERR_BAD_REQUEST, "line %llu is longer than --max-line %llu bytes",
                           (unsigned long long)p->scoring.counts.rows + 1,
                           (unsigned long long)p->max_line);
        char *to = buf_reserve(&p->in, READ_SIZE);
        if (!to)
            return err_memory(e);
        ssize_t n = read(STDIN_FILENO, to, READ_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, "standard input");
        p->in.len += (size_t)n;
        p->in.data[p->in.len] = '\0';
        if (!take_lines(p, n == 0, e))
            return false;
        if (n == 0)
            return true;
    }
}

/* Turns the flags into a question; its memory lives in the model's arena. */
static bool make_question(struct predict *p, struct err *e)
{
    struct model *m = p->model;
    const struct plan *plan = &m->plan;
    struct program *program =
        arena_alloc(&m->arena, 1, plan_program_size(plan), alignof(struct program));
    uint16_t *columns = arena_new(&m->arena, uint16_t, plan->n_columns);
    struct text unknown;

    if (!program || !columns)
        return err_memory(e);
    if (!question_columns(m, p->columns, program, columns, &p->question, &unknown))
        return err_set(e, ERR_USAGE, "--columns: the model adds no column '%.*s'",
                       (int)(unknown.len < 100 ? unknown.len : 100), unknown.p);
    if (p->echoes.n > ECHO_MAX)
        return err_set(e, ERR_USAGE, "--echo: at most %d fields", ECHO_MAX);
    p->question.spark_vectors = p->vectors == VECTORS_SPARK;
    p->question.reject_unknown = p->unknown == UNKNOWN_REJECT;
    for (unsigned i = 0; i < p->echoes.n; i++)
        p->question.echoes[p->question.n_echoes++] =
            (struct text){p->echoes.items[i], (uint32_t)strlen(p->echoes.items[i])};
    p->scoring = (struct scoring){.plan = plan,
                                  .schema = m->schema,
                                  .question = &p->question,
                                  .frame = m->frames[0],
                                  .scratch = &p->scratch};
    return true;
}

static const char above[] =
    "usage: scored predict --model URI [OPTIONS] < rows.jsonl > answers.jsonl\n\n"
    "Answers one line for each line, in order; a line that cannot be answered gets\n"
    "{\"error\":{...}} in its place. Memory does not grow with the input.\n"
    "Exit status 0: each line got its answer or its error, and standard error says how many "
    "errors;\n"
    "1: it broke off; 2: usage.\n";
static const char below[] =
    "example:\n"
    "  sed -n 's/^{\"in\":\\(.*\\),\"out\":.*/\\1/p' models/days_to_sell/bundle/golden-*.jsonl |\n"
    "    scored predict --model models/days_to_sell/bundle > answers.jsonl\n";

static int predict(struct predict *p)
{
    struct err e = {0};

    struct model_options options = MODEL_ONCE;
    options.frame_rows = (unsigned)p->frame_rows;
    options.no_fuse = p->no_fuse;
    options.kernel = (enum plan_kernel)p->kernel;
    p->model = open_model(p->uri, options, &e);
    if (!p->model)
        return command_end("predict", false, &e);
    p->progress = isatty(STDERR_FILENO) && !isatty(STDIN_FILENO);
    p->start_ns = clock_ns();
    size_t scratch = 0;
    bool ok = open_scratch(&scratch, &e) && scratch_init(&p->scratch, scratch, &e) &&
              make_question(p, &e) && run(p, &e);
    say_progress(p, true);
    say_failed(p);
    buf_done(&p->in);
    buf_done(&p->out);
    scoring_done(&p->scoring);
    scratch_done(&p->scratch);
    model_release(p->model);
    return command_end("predict", ok, &e);
}

int cmd_predict(int argc, char **argv)
{
    struct predict p = {.columns = "", .frame_rows = 64, .max_line = 16 << 20};
    const struct option options[] = {
        {"model", OPTION_TEXT, &p.uri, .value = "URI",
         .help = "the bundle: a directory or s3://BUCKET/PREFIX/",
         .missing = "--model URI is needed"},
        {"columns", OPTION_TEXT, &p.columns, .value = "LIST",
         .help = "columns to answer, separated by commas, or all (default: the bundle's)"},
        {"vectors", OPTION_CHOICE, &p.vectors, .value = "KIND", .choices = vector_kinds,
         .help = "dense, or spark: sparse vectors as size, indices, values"},
        {"echo", OPTION_LIST, &p.echoes, .value = "FIELD",
         .help = "a field of the row to copy into its answer; may be repeated"},
        {"unknown-fields", OPTION_CHOICE, &p.unknown, .value = "RULE", .choices = unknown_rules,
         .help = "ignore or reject"},
        {"frame-rows", OPTION_NUMBER, &p.frame_rows, .value = "N",
         .help = "rows scored together; never changes an answer", .low = 1, .high = 64},
        {"no-fuse", OPTION_SWITCH, &p.no_fuse,
         .help = "run each stage by itself; never changes an answer"},
        {"kernel", OPTION_CHOICE, &p.kernel, .value = "NAME", .choices = kernels,
         .help = "how trees are asked: auto (what is faster here), walk or tiles; never changes an "
                 "answer"},
        {"max-line", OPTION_NUMBER, &p.max_line, .value = "BYTES", .help = "longest line",
         .low = 1024, .high = (uint64_t)1 << 30},
    };
    const struct command_line line = {"predict", above,
                                      below,     {options, countof(options)},
                                      0,         "rows are read from standard input: < rows.jsonl"};
    int status;

    if (!command_read(&line, argc, argv, NULL, &status))
        return status;
    return predict(&p);
}
