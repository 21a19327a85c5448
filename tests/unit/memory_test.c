/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of scoring. All that stages make of a row and that has no room in the frame is handed out
 * by scratch_take, which the linker replaces here: so that any hand-out can be refused, and that
 * each piece is memory of its own, which a sanitizer watches.
 */
#include "ops_fixture.h"

#include "scored/model.h"

#include <dirent.h>
#include <stdlib.h>

enum { LINES = 4096, PIECES = 1 << 16, REFUSED = 16 };

void *__real_scratch_take(struct scratch *s, size_t bytes);
void *__wrap_scratch_take(struct scratch *s, size_t bytes);

static struct {
    bool on;
    unsigned long n, refused; /* hand-outs so far; the one that is refused, from 1 */
    void *pieces[PIECES];
    unsigned n_pieces;
    unsigned long outgrown; /* how often the memory itself was too little */
} hands;

void *__wrap_scratch_take(struct scratch *s, size_t bytes)
{
    if (!hands.on) {
        void *p = __real_scratch_take(s, bytes);
        hands.outgrown += !p;
        return p;
    }
    if (++hands.n == hands.refused)
        return NULL;
    assert_true(hands.n_pieces < PIECES);
    return hands.pieces[hands.n_pieces++] = malloc(bytes ? bytes : 1);
}

static void hands_off(void)
{
    while (hands.n_pieces)
        free(hands.pieces[--hands.n_pieces]);
    hands.on = false;
    hands.n = hands.refused = 0;
}

/* -- fixtures -- */

struct fixture {
    const char *name;
    struct model *model;
    struct source_file golden;
    struct text rows[LINES]; /* the golden rows' inputs */
    unsigned n;
    struct question all;
    struct scratch scratch;
    struct buf *alone; /* by row: its answer when it is scored alone */
};

static void take_rows(struct fixture *x)
{
    static const char head[] = "{\"in\":";
    static const char *const tails[] = {",\"out\":", ",\"skipped\":", ",\"error\":"};
    const char *text = (const char *)x->golden.bytes, *end = text + x->golden.n;

    for (const char *line = text, *next; line < end; line = next) {
        const char *newline = memchr(line, '\n', (size_t)(end - line)), *stop = NULL;
        next = newline ? newline + 1 : end;
        for (size_t i = 0; i < countof(tails) && !stop; i++)
            stop = memmem(line, (size_t)(next - line), tails[i], strlen(tails[i]));
        assert_true(stop && x->n < LINES);
        line += sizeof head - 1;
        x->rows[x->n++] = (struct text){line, (uint32_t)(stop - line)};
    }
}

/* Asks for all columns. */
static void ask_all(struct fixture *x)
{
    const struct plan *p = &x->model->plan;
    uint16_t *columns = calloc(p->n_columns, sizeof *columns);

    assert_non_null(columns);
    x->all = x->model->defaults;
    x->all.program = p->program_all;
    x->all.columns = columns;
    x->all.spark_vectors = true;
    x->all.n_columns = 0;
    for (unsigned c = 0; c < p->n_columns; c++)
        if (column_in(&p->all, c))
            columns[x->all.n_columns++] = (uint16_t)c;
}

/* No column has room in the frame: all that is made is handed out. */
static void take_room(struct plan *p)
{
    for (unsigned c = 0; c < p->n_columns; c++)
        p->columns[c].room = 0;
}

static void fixture_open(struct fixture *x, const char *name, size_t scratch)
{
    const struct model_options options = {
        .workers = 1, .scratch = 1 << 20, .frame_rows = FRAME_ROWS, .verify = true};
    struct err e = {0};
    char path[512];

    *x = (struct fixture){.name = name};
    snprintf(path, sizeof path, TEST_DIR "/ops/bundles/%s", name);
    struct source *s = source_open_folder(path, &e);
    x->model = s ? model_load(s, &options, &e) : NULL;
    if (!x->model)
        fail_msg("%s: %s", name, e.msg);
    const struct bundle_file *file = &x->model->bundle->files[ROLE_GOLDEN];
    const struct source_request r = {.name = file->name, .max = file->size};
    assert_true(source_fetch(s, &r, &x->golden, &e));
    source_free(s);
    take_rows(x);
    ask_all(x);
    assert_true(scratch_init(&x->scratch, scratch, &e));
    x->alone = calloc(x->n, sizeof *x->alone);
    assert_non_null(x->alone);
}

static void fixture_close(struct fixture *x)
{
    for (unsigned i = 0; i < x->n; i++)
        buf_done(&x->alone[i]);
    free(x->alone);
    free((uint16_t *)(uintptr_t)x->all.columns);
    free(x->golden.bytes);
    scratch_done(&x->scratch);
    model_release(x->model);
}

/* Scores n rows as one frame; a line for each is appended. Decoding changes a text, so it gets a
 * copy. */
static void score(struct fixture *x, unsigned from, unsigned n, struct buf *out)
{
    struct scoring s = {.plan = &x->model->plan,
                        .schema = x->model->schema,
                        .question = &x->all,
                        .frame = x->model->frames[0],
                        .scratch = &x->scratch};
    struct text lines[FRAME_ROWS];
    struct buf copy = {0};

    for (unsigned i = from; i < from + n; i++) {
        buf_put(&copy, x->rows[i].p, x->rows[i].len);
        buf_char(&copy, '\n');
    }
    size_t at = 0;
    for (unsigned i = 0; i < n; i++) {
        lines[i] = (struct text){copy.data + at, x->rows[from + i].len};
        at += x->rows[from + i].len + 1;
    }
    score_lines(&s, lines, n, out);
    buf_done(&copy);
    scoring_done(&s);
}

/* Compares a frame's answers, line by line; returns how many rows were too large. */
static unsigned compare(const struct fixture *x, unsigned from, unsigned n, const struct buf *out)
{
    const char *at = out->data;
    unsigned large = 0;

    for (unsigned i = from; i < from + n; i++) {
        const struct buf *want = &x->alone[i];
        const char *newline = strchr(at, '\n');
        assert_non_null(newline);
        size_t len = (size_t)(newline + 1 - at);
        /* row numbers of errors count from the frame's first */
        const char *number = memmem(at, len, ",\"row\":", 7);
        size_t same = number ? (size_t)(number - at) : len;
        if (memmem(at, len, "urn:scored:row-too-large", 24))
            large++;
        else if (same > want->len || memcmp(at, want->data, same) != 0)
            fail_msg("%s, row %u of %u from %u, hand-out %lu refused: %.*s, not %s", x->name,
                     i - from, n, from, hands.refused, (int)len, at, want->data);
        at = newline + 1;
    }
    assert_true(*at == '\0');
    return large;
}

static void score_alone(struct fixture *x)
{
    for (unsigned i = 0; i < x->n; i++) {
        buf_reset(&x->alone[i]);
        score(x, i, 1, &x->alone[i]);
        if (!strstr(x->alone[i].data, "urn:scored:row-too-large"))
            continue;
        /* the least scratch that is enough for each row */
        struct err e = {0};
        size_t twice = 2 * x->scratch.size;
        scratch_done(&x->scratch);
        assert_true(scratch_init(&x->scratch, twice, &e));
        i--;
    }
}

/* Refuses each hand-out of a row in turn; of a frame of several, REFUSED of them evenly, other ones
 * of every frame. Returns how many there were. */
static unsigned long refuse_each(struct fixture *x, unsigned from, unsigned n)
{
    struct buf out = {0};
    unsigned long all = 1, step = 1;

    for (unsigned long k = 0; k <= all; k += k || n == 1 ? step : 1 + from % step) {
        buf_reset(&out);
        hands.on = true;
        hands.refused = k; /* 0: none */
        score(x, from, n, &out);
        if (k == 0) {
            all = hands.n;
            step = n == 1 ? 1 : all / REFUSED + 1;
        }
        unsigned large = compare(x, from, n, &out);
        /* refused once, a frame runs again in halves; a row that is alone fails */
        assert_int_equal(large, k > 0 && n == 1);
        hands_off();
    }
    buf_done(&out);
    return all;
}

static unsigned long over_fixtures(unsigned long (*check)(struct fixture *x))
{
    DIR *d = opendir(TEST_DIR "/ops/bundles");
    unsigned long n = 0;

    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        struct fixture x;
        if (e->d_name[0] == '.')
            continue;
        fixture_open(&x, e->d_name, 0);
        score_alone(&x);
        take_room(&x.model->plan);
        n += check(&x);
        fixture_close(&x);
    }
    closedir(d);
    return n;
}

static const unsigned frames[] = {1, 7, FRAME_ROWS};

static unsigned long refuse_in_frames(struct fixture *x)
{
    unsigned long n = 0;

    for (size_t k = 0; k < countof(frames); k++)
        for (unsigned from = 0; from < x->n; from += frames[k])
            n += refuse_each(x, from, x->n - from < frames[k] ? x->n - from : frames[k]);
    return n;
}

static void any_hand_out_may_be_refused(void **state)
{
    (void)state;
    assert_true(over_fixtures(refuse_in_frames) > 1000);
}

/* A page of scratch, which frames of 64 rows outgrow and no row does. */
static unsigned long score_in_a_page(struct fixture *x)
{
    struct buf out = {0};

    for (size_t k = 0; k < countof(frames); k++) {
        for (unsigned from = 0; from < x->n; from += frames[k]) {
            unsigned n = x->n - from < frames[k] ? x->n - from : frames[k];
            buf_reset(&out);
            score(x, from, n, &out);
            assert_int_equal(compare(x, from, n, &out), 0);
        }
    }
    buf_done(&out);
    return hands.outgrown;
}

static void a_frame_may_outgrow_its_scratch(void **state)
{
    (void)state;
    assert_true(over_fixtures(score_in_a_page) > 100);
}

/* -- rows that need much -- */

#define LARGE_INPUT  "{\"name\":\"a\",\"type\":\"vector\",\"nullable\":true,\"size\":null}"
#define LARGE_OUTPUT "{\"name\":\"x\",\"type\":\"vector\",\"size\":null}"

/* Under a negative threshold all that a vector does not store comes out as 1.0. */
static const double negative[] = {-1.0};
static const struct bundle_text large = {
    .input = LARGE_INPUT,
    .output = LARGE_OUTPUT,
    .stage = "\"op\":\"binarizer\",\"class\":\"org.apache.spark.ml.feature.Binarizer\","
             "\"inputs\":{\"inputCols\":[\"a\"]},\"outputs\":{\"outputCols\":[\"x\"]},"
             "\"params\":{}",
    .exactness = "\"x\":{\"tier\":\"exact\",\"why\":\"w\"}",
    .tensors = {{"thresholds", "F64", "1", negative, sizeof negative}}};

static void put_row(struct buf *body, unsigned size)
{
    buf_printf(body, "%c{\"a\":{\"size\":%u,\"indices\":[],\"values\":[]}}", body->len ? ',' : '[',
               size);
}

static void put_ones(struct buf *out, unsigned n)
{
    buf_lit(out, "{\"x\":[");
    for (unsigned i = 0; i < n; i++)
        buf_text(out, &",1.0"[!i]);
    buf_lit(out, "]}");
}

struct told {
    unsigned n;
};

static void count_error(void *context, const struct row_error *error)
{
    struct told *t = context;

    assert_int_equal(error->problem, PROBLEM_ROW_TOO_LARGE);
    t->n++;
}

/* Any three of the rows outgrow the scratch of 1 MiB; the sixth does so alone; 7, 8 are no rows. */
static void rows_that_outgrow_a_scratch_together_are_answered(void **state)
{
    static const unsigned sizes[] = {50000, 60000, 1, 2, 50000, 200000, 60000, 50000, 50000};
    struct buf body = {0}, want = {0}, out = {0};
    struct body_problem why;
    struct told told = {0};
    struct loaded l;

    (void)state;
    load_good(&l, &large);
    assert_false(l.plan.bounded);
    for (size_t i = 0; i < countof(sizes); i++) {
        put_row(&body, sizes[i]);
        buf_char(&want, i ? ',' : '[');
        if (sizes[i] > 100000)
            buf_printf(&want,
                       "{\"error\":{\"type\":\"urn:scored:row-too-large\",\"title\":\"%s\","
                       "\"status\":422,"
                       "\"detail\":\"the row needs more than %d bytes of scoring memory "
                       "(--scratch)\",\"row\":%zu}}",
                       problem_title(PROBLEM_ROW_TOO_LARGE), SCRATCH, i);
        else
            put_ones(&want, sizes[i]);
    }
    buf_lit(&body, "]");
    buf_lit(&want, "]");
    const struct question q = {.program = l.plan.program,
                               .columns = l.plan.outputs,
                               .n_columns = l.plan.n_outputs,
                               .spark_vectors = true};
    struct scoring s = {.plan = &l.plan,
                        .schema = l.schema,
                        .question = &q,
                        .frame = l.frame,
                        .scratch = &l.scratch,
                        .on_error = count_error,
                        .context = &told};
    assert_int_equal(score_body(&s, body.data, body.len, &out, &why), 200);
    assert_int_equal(out.len, want.len);
    assert_memory_equal(out.data, want.data, want.len);
    assert_int_equal(s.counts.rows, countof(sizes));
    assert_int_equal(s.counts.failed, 1);
    assert_int_equal(told.n, 1);
    buf_done(&body);
    buf_done(&want);
    buf_done(&out);
    scoring_done(&s);
    unload(&l);
}

/* -- sizes -- */

/* Fifteen fields of free text: of each the text, its words, the words' hashes as a vector, and all
 * vectors in one. Of none but the texts is a need known at load. */
static void free_text_needs_little_before_it_comes(void **state)
{
    enum { FIELDS = 15, STAGES = 3 };
    static const enum type types[STAGES] = {TYPE_STRING, TYPE_ARRAY_STRING, TYPE_VECTOR};
    static struct plan_column columns[FIELDS * STAGES + 1];
    struct plan p = {.columns = columns, .n_columns = countof(columns), .n_inputs = FIELDS};
    struct err e = {0};

    (void)state;
    for (unsigned c = 0; c < p.n_columns; c++) {
        unsigned stage = c / FIELDS;
        enum type type = stage < STAGES ? types[stage] : TYPE_VECTOR;
        columns[c] = (struct plan_column){
            .shape = {.type = type, .size = SIZE_UNKNOWN, .most = MOST_UNKNOWN}};
    }
    assert_true(plan_layout(&p, SIZE_MAX, FRAME_ROWS, &e));
    assert_int_equal(p.frame_rows, FRAME_ROWS);
    assert_false(p.bounded);
    print_message("%d fields of free text, %u rows: %zu bytes a frame\n", FIELDS, p.frame_rows,
                  p.frame_size);
    assert_true(p.frame_size < 128 << 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_hand_out_may_be_refused),
        cmocka_unit_test(a_frame_may_outgrow_its_scratch),
        cmocka_unit_test(rows_that_outgrow_a_scratch_together_are_answered),
        cmocka_unit_test(free_text_needs_little_before_it_comes),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
