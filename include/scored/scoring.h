/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows as text in, answers as text out: decode - run - encode, a frame at a time. One `struct
 * scoring` is one request on one thread: a session, which does not know in what dialect rows are
 * written. Decoding works in the caller's text: strings are
 * unescaped in place, so the text is changed, and must live until the call returns. The byte behind
 * the text must exist and be NUL or a newline.
 */
#ifndef SCORED_SCORING_H
#define SCORED_SCORING_H

#include "scored/buf.h"
#include "scored/err.h"
#include "scored/plan.h"

/* The fields that rows may have: made from a plan's inputs when the model is loaded, read-only
 * after. */
struct schema;
struct schema *schema_new(const struct plan *p, struct arena *a); /* NULL: out of memory */

/* The field that a name which is none was probably meant for, or NULL. */
const char *schema_nearest(const struct schema *s, const char *name);

enum { ECHO_MAX = 16, ECHO_BYTES = 4096 };

/* What a request asks for; the same for all its rows. */
struct question {
    const struct program *program;
    const uint16_t *columns; /* to answer, in order */
    uint16_t n_columns;
    bool spark_vectors;  /* sparse vectors as {"size","indices","values"}; else all dense */
    bool reject_unknown; /* a field that the model does not know is a row error */
    bool reject_missing; /* so is a field that is not there at all, be it null */
    uint16_t n_echoes;   /* request fields copied into the answer as they came */
    struct text echoes[ECHO_MAX];
    uint32_t max_rows; /* of an array; 0: no limit */
    size_t max_reply;  /* bytes; 0: no limit */
    size_t max_line;   /* bytes of a row that streams; 0: no limit */
};

struct counts {
    uint64_t rows, failed, skipped;
    uint64_t unknown_fields;
};

/* The first few names in a request that are no field of the model, each once, as C strings: cut
 * where they are long, and at a NUL. */
enum { UNKNOWN_NAMES = 8, UNKNOWN_BYTES = 64 };
struct unknown {
    unsigned n;
    char names[UNKNOWN_NAMES][UNKNOWN_BYTES + 1];
};

/* Why a whole body has no answer. */
struct body_problem {
    enum problem problem; /* PROBLEM_NONE: there is an answer */
    size_t offset; /* bytes from the body's start; line and column count from 1, columns in bytes */
    size_t line, column;
    char detail[ROW_DETAIL];
};

/* How long rows took, by what was done with them. */
enum stage { STAGE_PARSE, STAGE_SCORE, STAGE_ENCODE, STAGE_COUNT };
struct stage_times {
    uint64_t ns[STAGE_COUNT];
    uint64_t at_ns; /* until when time was told */
};

/* What passed since then was `stage`. */
void stage_passed(struct stage_times *t, enum stage stage);

struct scoring {
    const struct plan *plan;
    const struct schema *schema;
    const struct question *question;
    struct frame *frame;
    struct scratch *scratch; /* the thread's */
    /* Told of each row error, for metrics and logs; may be NULL. */
    void (*on_error)(void *context, const struct row_error *error);
    /* Told of rows of the frame that were decoded, when they are answered; may be NULL. */
    void (*on_rows)(void *context, uint64_t rows);
    void *context;
    struct counts counts;
    struct unknown *unknown;   /* to be filled; may be NULL */
    struct stage_times *times; /* to be added to; may be NULL: looking at the clock costs */
    /* The caller's to keep between requests, or to give back by scoring_done. */
    struct buf echoed; /* the raw tokens of a frame's echoes */
    struct buf head;   /* what a dialect keeps of a body's beginning */
    struct buf made;   /* texts that a dialect makes of a frame's rows */
};

void scoring_done(struct scoring *s);

/* Scores a JSON body. An object is answered by an object, an array by an array. Appends the reply
 * to `out` and returns its HTTP status: 200; 422 where the body was one row and that has no answer
 * (`out` is then a problem document); or another where `why` says what is wrong with the whole body
 * (`out` as it was). `why` is always filled. */
unsigned score_body(struct scoring *s, char *text, size_t n, struct buf *out,
                    struct body_problem *why);

/* A body in a dialect, a frame of rows at a time, so that a long one can wait between two. Private
 * but for `done`, `row_bytes`, and, once it is over, `status` and `why`, which mean what they do
 * above. Each step may run on another thread, with another frame and scratch. */
struct dialect;
struct body_scoring {
    const struct dialect *dialect;
    struct scoring *scoring;
    char *text; /* what is there of the body; it may move between two steps */
    size_t n;
    bool last;        /* no more comes */
    size_t done;      /* bytes that are read: a dialect that streams needs them no longer */
    size_t row_bytes; /* of a row of those; 0: not known */
    size_t start;     /* of the reply in its buffer */
    size_t line, line_start;
    uint32_t rows;
    int more; /* as reader_more */
    bool begun;
    unsigned status;
    struct body_problem why;
};

enum scoring_state { SCORING_ON, SCORING_WAITS, SCORING_DONE, SCORING_FAILED }; /* for more text */

/* How rows and their answers are written: a file of wire each. */
struct dialect {
    const char *name;                              /* for people */
    const char *takes;                             /* media types, separated by commas */
    const char *answers;                           /* that of the reply */
    bool streams;                                  /* rows are scored before the body has ended */
    bool (*is_single)(const char *text, size_t n); /* the body is one row; may be NULL */
    enum scoring_state (*step)(struct body_scoring *b, struct buf *out);
};

#define DIALECT_JSON_TYPES   "application/json"
#define DIALECT_NDJSON_TYPES "application/x-ndjson,application/ndjson,application/jsonl"
#define DIALECT_CSV_TYPES    "text/csv,application/csv"
enum { DIALECT_COUNT = 3 };
extern const struct dialect dialect_json, dialect_ndjson, dialect_csv;
extern const struct dialect *const dialects[DIALECT_COUNT];

void score_begin(struct body_scoring *b, const struct dialect *dialect, struct scoring *s,
                 const struct buf *out);
/* Before each step: what is there of the body. */
static inline void score_text(struct body_scoring *b, char *text, size_t n, bool last)
{
    b->text = text;
    b->n = n;
    b->last = last;
}
/* Where it fails, `out` is as it was. */
enum scoring_state score_step(struct body_scoring *b, struct buf *out);

/* Scores one NDJSON line without its newline, and appends one line to `out`, always. */
void score_line(struct scoring *s, char *text, size_t n, struct buf *out);

/* Scores up to plan->frame_rows lines as one frame: the same answers as score_line on each, in
 * order. */
void score_lines(struct scoring *s, struct text *lines, unsigned n, struct buf *out);

/* A problem document (RFC 9457) for a whole request. `extra` is NULL or JSON members with a leading
 * comma. */
void problem_body(struct buf *out, enum problem problem, const char *detail, const char *extra);

/* Appends one cell as answers show it, null included. Used by scoring, golden rows and tools. */
void encode_cell(struct buf *out, enum type type, const struct column *c, unsigned row,
                 bool spark_vectors);

/* Decodes one JSON object into a row of the frame as score_line does, without scoring: golden rows.
 * False: the text is not well-formed (why). A row error is in the frame. */
bool decode_row(struct scoring *s, unsigned row, char *text, size_t n, struct body_problem *why);

#endif
