/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nanoseconds a row of 5 strings and 7 numbers, without a model: decoding (with an empty answer),
 * fields in the model's order and in reverse; and what answering one double, or all 12 fields,
 * adds; and the same rows as bodies of JSON, NDJSON, CSV and compressed NDJSON. CPU time of this
 * thread, the least of many rounds.
 */
#include "../unit/wire_kit.h"
#include "gzip.h"
#include "unpack.h"

#include <time.h>
#ifdef SCORED_ZSTD
#include <zstd.h>
#endif

enum { ROWS = 64, ROUNDS = 500, PASSES = 20 };

static const struct kit_input inputs[] = {
    {"price_ratio", TYPE_DOUBLE, true, false}, {"make", TYPE_STRING, true, false},
    {"model", TYPE_STRING, true, false},       {"fuel", TYPE_STRING, true, false},
    {"body", TYPE_STRING, true, false},        {"region", TYPE_STRING, true, false},
    {"age_months", TYPE_INT, true, false},     {"mileage", TYPE_INT, true, false},
    {"power_bhp", TYPE_INT, true, false},      {"previous_owners", TYPE_INT, true, false},
    {"price", TYPE_DOUBLE, true, false},       {"density", TYPE_DOUBLE, true, false},
};

static const char *const values[] = {
    "0.9125", "\"BMW\"", "\"3 Series\"", "\"Diesel\"", "\"Saloon\"", "\"North West\"",
    "41",     "38211",   "184",          "2",          "18450.5",    "610.25",
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void make_row(struct buf *row, bool reverse)
{
    for (size_t i = 0; i < countof(inputs); i++) {
        size_t at = reverse ? countof(inputs) - 1 - i : i;
        buf_printf(row, "%c\"%s\":%s", i ? ',' : '{', inputs[at].name, values[at]);
    }
    buf_char(row, '}');
}

/* The least nanoseconds a row of scoring lines; there is no stage, so this is decoding and
 * encoding. */
static double lines_ns(struct kit *k, const struct buf *row, uint16_t n_columns)
{
    struct text lines[ROWS];
    struct buf out = {0};
    double least = 1e18;

    k->question.n_columns = n_columns;
    for (unsigned i = 0; i < ROWS; i++)
        lines[i] = (struct text){row->data, (uint32_t)row->len};
    for (unsigned round = 0; round < ROUNDS; round++) {
        buf_reset(&out);
        double from = now_ns();
        score_lines(&k->scoring, lines, ROWS, &out);
        double took = (now_ns() - from) / ROWS;
        least = took < least ? took : least;
    }
    kit_check(k->scoring.counts.failed == 0, "every row");
    buf_done(&out);
    return least;
}

static void put_body(const struct dialect *dialect, const struct buf *row, struct buf *body)
{
    buf_reset(body);
    for (size_t i = 0; dialect == &dialect_csv && i < countof(inputs); i++)
        buf_printf(body, "%s%s", i ? "," : "", inputs[i].name);
    buf_text(body, dialect == &dialect_csv ? "\n" : dialect == &dialect_json ? "[" : "");
    for (unsigned r = 0; r < ROWS; r++) {
        if (dialect != &dialect_csv)
            buf_put(body, row->data, row->len);
        for (size_t i = 0; dialect == &dialect_csv && i < countof(inputs); i++)
            buf_printf(body, "%s%s", i ? "," : "", values[i]);
        buf_char(body, dialect == &dialect_json && r < ROWS - 1 ? ',' : '\n');
    }
    buf_text(body, dialect == &dialect_json ? "]" : "");
}

static void by_gzip(const struct buf *text, struct buf *packed)
{
    struct gzip *g = gzip_new();

    buf_reset(packed);
    kit_check(g != NULL, "gzip");
    while (gzip_some(g, text, packed) == GZIP_ON)
        ;
    gzip_free(g);
}

#ifdef SCORED_ZSTD
static void by_zstd(const struct buf *text, struct buf *packed)
{
    size_t room = ZSTD_compressBound(text->len);

    buf_reset(packed);
    char *to = buf_reserve(packed, room);
    kit_check(to != NULL, "memory");
    packed->len = ZSTD_compress(to, room, text->data, text->len, 3);
    kit_check(!ZSTD_isError(packed->len), "zstd");
}
#endif

/* As the server has it: into a buffer of its own. */
static void unpack(const struct unpacking *by, const struct buf *packed, struct buf *text)
{
    struct unpacker *u = unpacker_new(by);

    buf_reset(text);
    kit_check(u && unpack_put(u, packed->data, packed->len), by->name);
    while (unpack_some(u, text, UNPACK_STEP) == UNPACK_ON)
        ;
    unpacker_free(u);
}

static const struct measure {
    const char *name;
    bool reversed;
    uint16_t n_columns;
    const struct dialect *dialect; /* NULL: lines, without a body */
    const struct unpacking *by;    /* NULL: the body comes as it is */
    void (*pack)(const struct buf *text, struct buf *packed);
} measures[] = {
    {"decode, fields in order", false, 0, NULL, NULL, NULL},
    {"decode, fields in reverse", true, 0, NULL, NULL, NULL},
    {"the same in order, one double back", false, 1, NULL, NULL, NULL},
    {"the same in order, 12 fields back", false, countof(inputs), NULL, NULL, NULL},
    {"a body of JSON, one double back", false, 1, &dialect_json, NULL, NULL},
    {"a body of NDJSON, one double back", false, 1, &dialect_ndjson, NULL, NULL},
    {"a body of CSV, one double back", false, 1, &dialect_csv, NULL, NULL},
    {"a body of gzip'd NDJSON, the same", false, 1, &dialect_ndjson, &unpacking_gzip, by_gzip},
#ifdef SCORED_ZSTD
    {"a body of zstd'd NDJSON, the same", false, 1, &dialect_ndjson, &unpacking_zstd, by_zstd},
#endif
};

/* What is measured of a body: by its time here, by its instructions with
 * valgrind --tool=callgrind --toggle-collect=measured_body. */
static __attribute__((noinline)) void measured_body(struct kit *k, const struct measure *m,
                                                    const struct buf *packed, struct buf *body,
                                                    struct buf *out)
{
    struct body_scoring b;

    if (m->by)
        unpack(m->by, packed, body);
    score_begin(&b, m->dialect, &k->scoring, out);
    do
        score_text(&b, body->data, body->len, true);
    while (score_step(&b, out) == SCORING_ON);
}

/* The least nanoseconds a row of a body of ROWS rows, which is scored where it stands. */
static double body_ns(struct kit *k, const struct measure *m, const struct buf *row,
                      unsigned rounds)
{
    struct buf body = {0}, packed = {0}, out = {0};
    double least = 1e18;

    k->question.n_columns = m->n_columns;
    for (unsigned round = 0; round < rounds; round++) {
        put_body(m->dialect, row, &body);
        if (m->by)
            m->pack(&body, &packed);
        buf_reset(&out);
        double from = now_ns();
        measured_body(k, m, &packed, &body, &out);
        double took = (now_ns() - from) / ROWS;
        least = took < least ? took : least;
    }
    kit_check(k->scoring.counts.failed == 0, "every row");
    buf_done(&body);
    buf_done(&packed);
    buf_done(&out);
    return least;
}

/* Of the measure of that number, a body once, and no other: to count its instructions. */
static int one_body(struct kit *k, const struct buf *row, const char *number)
{
    size_t i = strtoul(number, NULL, 10);

    kit_check(i < countof(measures) && measures[i].dialect, "the number of a body's measure");
    body_ns(k, &measures[i], row, 1);
    printf("%s, %d rows\n", measures[i].name, ROWS);
    return 0;
}

int main(int argc, char **argv)
{
    struct buf row = {0}, reversed = {0};
    struct kit k;

    kit_open(&k, inputs, countof(inputs), ROWS);
    make_row(&row, false);
    make_row(&reversed, true);
    if (argc > 1)
        return one_body(&k, &row, argv[1]);
    double least[countof(measures)];
    for (unsigned pass = 0; pass < PASSES; pass++) {
        for (size_t i = 0; i < countof(measures); i++) {
            const struct measure *m = &measures[i];
            const struct buf *text = m->reversed ? &reversed : &row;
            double ns =
                m->dialect ? body_ns(&k, m, text, ROUNDS) : lines_ns(&k, text, m->n_columns);
            least[i] = pass && least[i] < ns ? least[i] : ns;
        }
    }
    for (size_t i = 0; i < countof(measures); i++)
        printf("%-36s %7.1f ns\n", measures[i].name, least[i]);
    buf_done(&row);
    buf_done(&reversed);
    kit_close(&k);
    return 0;
}
