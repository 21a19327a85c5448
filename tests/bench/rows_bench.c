/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_bench [--kernel NAME] [BUNDLE ...]: nanoseconds a row, without HTTP. First the plan alone: 8
 * empty ops on one row. Then for each bundle, over its golden rows that have an answer: decoding
 * JSON text into a frame, running the plan, and the rest, which is encoding the answer; at 1 row a
 * frame, as a single request has it, and at 64. The golden rows are replayed bit for bit before,
 * and all timed answers are compared.
 *
 * rows_bench --only decode|score|all PASSES BUNDLE: nothing but so many passes at 1 row a frame,
 * trees walked, for whoever counts instructions (test_instructions.py).
 */
#include "scored/config.h"
#include "scored/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SCRATCH = 16 << 20, ROUNDS = 31, EMPTY_OPS = 8, PLAN_RUNS = 1000000, MAX_ROWS = 4096 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

/* Of this thread: what else runs on the machine does not count. */
static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* -- the plan alone -- */

static void run_empty(const struct unit *u, struct frame *f, uint64_t rows)
{
    (void)u;
    (void)f;
    __asm__ volatile("" : : "r"(rows) : "memory");
}

static double time_plan(const struct program *program, struct frame *f, struct scratch *s)
{
    uint64_t start = cpu_ns();

    for (unsigned i = 0; i < PLAN_RUNS; i++) {
        frame_reset(f, s);
        f->n_rows = 1;
        f->live = 1;
        if (!plan_run(program, f))
            abort();
    }
    return (double)(cpu_ns() - start) / PLAN_RUNS;
}

static bool bench_plan(void)
{
    static const struct unit empty = {.run = run_empty};
    struct arena arena = {0};
    struct plan_column columns[EMPTY_OPS + 1] = {0};
    struct plan p = {.columns = columns, .n_columns = EMPTY_OPS + 1, .n_inputs = 1};
    struct program *program =
        arena_alloc(&arena, 1, plan_program_size(&p), alignof(struct program));
    double rounds[ROUNDS];
    struct err e = {0};

    for (unsigned c = 0; c < p.n_columns; c++)
        columns[c].shape = (struct shape){.type = TYPE_DOUBLE, .size = SIZE_UNKNOWN};
    for (unsigned i = 0; program && i < EMPTY_OPS; i++) {
        columns[i + 1].unit = &empty;
        program->steps[program->n_steps++] = &empty;
    }
    struct scratch scratch = {0};
    void *memory = program && plan_layout(&p, SIZE_MAX, 64, &e) && scratch_init(&scratch, 0, &e)
                       ? arena_alloc(&arena, p.frame_size, 1, 64)
                       : NULL;
    if (memory) {
        struct frame *f = frame_init(&p, memory);
        for (unsigned i = 0; i < ROUNDS; i++)
            rounds[i] = time_plan(program, f, &scratch);
        printf("%-34s %8.1f ns   (target: 80)\n\n", "plan: 8 empty ops, one row",
               median(rounds, ROUNDS));
    }
    scratch_done(&scratch);
    arena_done(&arena);
    return memory != NULL;
}

/* -- rows of a bundle -- */

struct bench {
    struct scoring scoring;
    struct scratch scratch;
    struct buf rows, work; /* a line a row; decoding changes the text: `work` is fresh each pass */
    size_t at[MAX_ROWS + 1];
    unsigned n;
    struct buf first, out; /* the answers of the first pass that makes some, and of this one */
};

/* The inputs of golden rows with an answer. */
static void take_rows(struct bench *b, const struct source_file *golden)
{
    static const char head[] = "{\"in\":", middle[] = ",\"out\":";
    const char *text = (const char *)golden->bytes, *end = text + golden->n;

    for (const char *line = text, *next; line < end && b->n < MAX_ROWS; line = next) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        next = newline ? newline + 1 : end;
        const char *stop = memmem(line, (size_t)(next - line), middle, sizeof middle - 1);
        if (!stop)
            continue;
        line += sizeof head - 1;
        b->at[b->n++] = b->rows.len;
        buf_put(&b->rows, line, (size_t)(stop - line));
        buf_char(&b->rows, '\n');
    }
    b->at[b->n] = b->rows.len;
}

static struct text row_text(const struct bench *b, unsigned row)
{
    return (struct text){b->work.data + b->at[row], (uint32_t)(b->at[row + 1] - b->at[row] - 1)};
}

enum pass { PASS_DECODE, PASS_SCORE, PASS_ALL, PASS_COUNT };

static void decode_and_score(struct bench *b, unsigned from, unsigned n, enum pass pass)
{
    struct scoring *s = &b->scoring;
    struct body_problem why;

    frame_reset(s->frame, s->scratch);
    for (unsigned i = 0; i < n; i++) {
        struct text row = row_text(b, from + i);
        decode_row(s, i, b->work.data + b->at[from + i], row.len, &why);
    }
    if (pass == PASS_SCORE && !plan_run(s->question->program, s->frame))
        abort();
}

static void answer(struct bench *b, unsigned from, unsigned n)
{
    struct text lines[FRAME_ROWS];
    struct body_problem why;

    if (n == 1) { /* as a request of one row does */
        score_body(&b->scoring, b->work.data + b->at[from], row_text(b, from).len, &b->out, &why);
        buf_char(&b->out, '\n');
        return;
    }
    for (unsigned i = 0; i < n; i++)
        lines[i] = row_text(b, from + i);
    score_lines(&b->scoring, lines, n, &b->out);
}

/* Nanoseconds a row of a pass over all rows, `frame` of them at a time. */
static double time_pass(struct bench *b, enum pass pass, unsigned frame)
{
    buf_reset(&b->work);
    buf_put(&b->work, b->rows.data, b->rows.len);
    if (frame == 1) /* a body ends with a NUL */
        for (unsigned i = 0; i < b->n; i++)
            b->work.data[b->at[i + 1] - 1] = '\0';
    buf_reset(&b->out);
    uint64_t start = cpu_ns();
    for (unsigned i = 0; i < b->n; i += frame) {
        unsigned n = b->n - i < frame ? b->n - i : frame;
        if (pass == PASS_ALL)
            answer(b, i, n);
        else
            decode_and_score(b, i, n, pass);
    }
    return (double)(cpu_ns() - start) / b->n;
}

static bool same_answers(struct bench *b)
{
    if (!b->first.len)
        buf_put(&b->first, b->out.data, b->out.len);
    return !b->out.failed && b->out.len == b->first.len &&
           memcmp(b->out.data, b->first.data, b->out.len) == 0;
}

static bool bench_frame(struct bench *b, const char *name, unsigned frame)
{
    double decode[ROUNDS], score[ROUNDS], encode[ROUNDS], all[ROUNDS];
    bool same = true;

    for (unsigned i = 0; i < ROUNDS; i++) {
        double ns[PASS_COUNT];
        for (unsigned pass = 0; pass < PASS_COUNT; pass++)
            ns[pass] = time_pass(b, (enum pass)pass, frame);
        same = same && same_answers(b);
        decode[i] = ns[PASS_DECODE];
        score[i] = ns[PASS_SCORE] - ns[PASS_DECODE];
        encode[i] = ns[PASS_ALL] - ns[PASS_SCORE];
        all[i] = ns[PASS_ALL];
    }
    printf("%-24s %5u %8.0f %8.0f %8.0f %8.0f   %s\n", name, frame, median(decode, ROUNDS),
           median(score, ROUNDS), median(encode, ROUNDS), median(all, ROUNDS),
           same ? "equal" : "ANSWERS DIFFER");
    return same;
}

/* The model, and its golden rows, which it does not keep. */
static struct model *load(const char *uri, enum plan_kernel kernel, struct source_file *golden)
{
    const struct model_options options = {.workers = 1,
                                          .scratch = SCRATCH,
                                          .frame_rows = FRAME_ROWS,
                                          .verify = true,
                                          .kernel = kernel};
    struct err e = {0};
    struct source *s = source_open_folder(uri, &e);
    struct model *m = s ? model_load(s, &options, &e) : NULL;

    const struct bundle_file *file = m ? &m->bundle->files[ROLE_GOLDEN] : NULL;
    if (m && !source_fetch(s, &(struct source_request){.name = file->name, .max = file->size},
                           golden, &e)) {
        model_release(m);
        m = NULL;
    }
    if (!m)
        fprintf(stderr, "rows_bench: %s\n", e.msg);
    source_free(s);
    return m;
}

/* What is to be done with a bundle's rows; passes 0: all that there is, timed. */
struct only {
    enum pass pass;
    unsigned passes;
    enum plan_kernel kernel;
};

static bool run_rows(struct bench *b, const struct model *m, const struct only *only)
{
    for (unsigned i = 0; i < only->passes; i++)
        time_pass(b, only->pass, 1);
    if (only->passes) {
        printf("%u rows\n", b->n);
        return b->n;
    }
    printf("%s: %u stages, %u inputs; %u golden rows equal in bits, loaded in %.1f ms\n",
           m->bundle->name, m->bundle->n_stages, m->bundle->n_inputs, m->coverage.rows,
           (double)m->load_ns / 1e6);
    return b->n && bench_frame(b, m->bundle->name, 1) &&
           bench_frame(b, m->bundle->name, m->plan.frame_rows);
}

static bool bench_bundle(const char *uri, const struct only *only)
{
    struct source_file golden = {0};
    struct model *m = load(uri, only->kernel, &golden);
    struct bench *b = calloc(1, sizeof *b);
    bool same = false;

    if (m && b && scratch_init(&b->scratch, SCRATCH, &(struct err){0})) {
        b->scoring = (struct scoring){.plan = &m->plan,
                                      .schema = m->schema,
                                      .question = &m->defaults,
                                      .frame = m->frames[0],
                                      .scratch = &b->scratch};
        take_rows(b, &golden);
        same = run_rows(b, m, only);
        buf_done(&b->rows);
        buf_done(&b->work);
        buf_done(&b->first);
        buf_done(&b->out);
        scoring_done(&b->scoring);
        scratch_done(&b->scratch);
    }
    free(b);
    free(golden.bytes);
    model_release(m);
    return same;
}

static int count_rows(char **argv)
{
    static const char *const passes[] = {"decode", "score", "all"};
    struct only only = {PASS_COUNT, (unsigned)strtoul(argv[3], NULL, 10), KERNEL_WALK};

    for (unsigned i = 0; i < PASS_COUNT; i++)
        if (strcmp(argv[2], passes[i]) == 0)
            only.pass = (enum pass)i;
    return only.pass == PASS_COUNT || !only.passes || !bench_bundle(argv[4], &only);
}

/* Auto, where there is no --kernel; else moves behind it. */
static enum plan_kernel kernel_of(char ***arguments)
{
    static const char *const names[] = {CHOICES_kernel};
    unsigned i = 0;

    if (!**arguments || strcmp(**arguments, "--kernel") != 0)
        return KERNEL_AUTO;
    while (names[i] && (*arguments)[1] && strcmp(names[i], (*arguments)[1]) != 0)
        i++;
    if (!names[i] || !(*arguments)[1])
        exit(fprintf(stderr, "rows_bench: --kernel takes a name that serve --help lists\n") > 0);
    *arguments += 2;
    return (enum plan_kernel)i;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--only") == 0)
        return count_rows(argv);
    char **bundles = argv + 1;
    const struct only all = {.kernel = kernel_of(&bundles)};
    bool fine = bench_plan();

    printf("%-24s %5s %8s %8s %8s %8s   ns a row, median of %d passes\n", "model", "frame",
           "decode", "score", "encode", "all", ROUNDS);
    for (; *bundles; bundles++)
        fine = bench_bundle(*bundles, &all) && fine;
    return !fine;
}
