/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nanoseconds a row of 5 strings and 7 numbers, without a model: decoding (with an empty answer),
 * fields in the model's order and in reverse; and what answering one double, or all 12 fields,
 * adds; and the same rows as bodies of NDJSON and of CSV. CPU time of this thread, the least of
 * many rounds.
 */
#include "../unit/wire_kit.h"

#include <time.h>

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
    buf_text(body, dialect == &dialect_csv ? "\n" : "");
    for (unsigned r = 0; r < ROWS; r++) {
        if (dialect == &dialect_ndjson)
            buf_put(body, row->data, row->len);
        for (size_t i = 0; dialect == &dialect_csv && i < countof(inputs); i++)
            buf_printf(body, "%s%s", i ? "," : "", values[i]);
        buf_char(body, '\n');
    }
}

/* The least nanoseconds a row of a body of ROWS rows, which is scored where it stands. */
static double body_ns(struct kit *k, const struct dialect *dialect, const struct buf *row,
                      uint16_t n_columns)
{
    struct buf body = {0}, out = {0};
    double least = 1e18;

    k->question.n_columns = n_columns;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct body_scoring b;
        put_body(dialect, row, &body);
        buf_reset(&out);
        double from = now_ns();
        score_begin(&b, dialect, &k->scoring, &out);
        do
            score_text(&b, body.data, body.len, true);
        while (score_step(&b, &out) == SCORING_ON);
        double took = (now_ns() - from) / ROWS;
        least = took < least ? took : least;
    }
    kit_check(k->scoring.counts.failed == 0, "every row");
    buf_done(&body);
    buf_done(&out);
    return least;
}

int main(void)
{
    struct buf row = {0}, reversed = {0};
    struct kit k;

    kit_open(&k, inputs, countof(inputs), ROWS);
    make_row(&row, false);
    make_row(&reversed, true);
    static const struct measure {
        const char *name;
        bool reversed;
        uint16_t n_columns;
        const struct dialect *dialect; /* NULL: lines, without a body */
    } measures[] = {
        {"decode, fields in order", false, 0, NULL},
        {"decode, fields in reverse", true, 0, NULL},
        {"the same in order, one double back", false, 1, NULL},
        {"the same in order, 12 fields back", false, countof(inputs), NULL},
        {"a body of NDJSON, one double back", false, 1, &dialect_ndjson},
        {"a body of CSV, one double back", false, 1, &dialect_csv},
    };
    double least[countof(measures)];
    for (unsigned pass = 0; pass < PASSES; pass++) {
        for (size_t i = 0; i < countof(measures); i++) {
            const struct measure *m = &measures[i];
            const struct buf *text = m->reversed ? &reversed : &row;
            double ns = m->dialect ? body_ns(&k, m->dialect, text, m->n_columns)
                                   : lines_ns(&k, text, m->n_columns);
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
