/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef WIRE_PRIV_H
#define WIRE_PRIV_H

#include "digits.h"
#include "moment.h"
#include "reader.h"

/* -- schema -- */

struct field {
    struct text name;
    enum type type;
    struct digits digits;
    bool nullable, contains_null;
    bool plain; /* the name stands in JSON as it is, so bytes may be compared before they are
                   unescaped */
};

struct schema {
    struct field *fields; /* by input */
    uint32_t n_fields;
    struct text *names;
    struct dict dict;
    struct zone zone;     /* of timestamps that name none */
    struct text *members; /* by column: `,"name":`; empty where it has no name */
};

enum { FIELD_NONE = UINT16_MAX };

uint16_t schema_find(const struct schema *s, const char *name, size_t n);

/* -- rows: session.c -- */

/* Where a raw token lies in scoring.echoed; len 0: the field is missing. */
struct token {
    size_t at;
    uint32_t len;
};

/* The rows of a frame between a dialect that fills them and one that puts their answers. Large, on
 * the stack, mostly left as it is. */
struct rows {
    struct scoring *scoring;
    const struct schema *schema;
    uint64_t first_row;                        /* of the request: number of the frame's first */
    struct token echoes[FRAME_ROWS][ECHO_MAX]; /* by row of the frame */
};

/* Empties the frame. */
void rows_begin(struct rows *rows, struct scoring *s);

/* The next row of the frame, which has room; it lives, and is to be filled. */
static inline unsigned rows_add(struct rows *rows)
{
    struct frame *f = rows->scoring->frame;
    unsigned row = f->n_rows++;

    f->live |= row_bit(row);
    for (unsigned i = 0; i < rows->scoring->question->n_echoes; i++)
        rows->echoes[row][i].len = 0;
    return row;
}

/* Appends a row's answer. */
typedef void put_row(struct buf *out, const struct rows *rows, unsigned row);

/* Runs the frame, has each row's answer put, and a `separator` after each but the last
 * (`after_last`: after that too); counts, and empties the frame. */
void rows_answer(struct rows *rows, put_row *put, char separator, bool after_last, struct buf *out);

/* The same for a frame of one row that is the whole request, without a separator. `failed` puts the
 * answer where the row failed, and gives its status; else it is 200. */
unsigned rows_answer_only(struct rows *rows, put_row *put,
                          unsigned (*failed)(struct buf *out, const struct rows *rows),
                          struct buf *out);

/* -- bodies that stream: dialect.c -- */

enum { WAITING_BYTES = 256 * 1024 }; /* of rows that wait for their frame to fill */

/* Scores the next frame of rows of the body's text; false: there is none. */
typedef bool score_rows_of(struct body_scoring *b, struct buf *out);

/* A step of a dialect that streams, within the question's limits. */
enum scoring_state stream_step(struct body_scoring *b, score_rows_of *some, struct buf *out);
/* The end of one that found no whole row. */
enum scoring_state stream_waits(struct body_scoring *b);

/* -- names that are no field: unknown.c -- */

void unknown_note(struct unknown *u, const struct text *name);

/* Fails the row for one of them, and says what may have been meant. */
void unknown_fail(struct rows *rows, unsigned row, const struct text *name);

/* Fails a row that holds none of the model's fields; `name` is the first that it has, if any. */
void unknown_fail_row(struct rows *rows, unsigned row, const struct text *name);

/* -- decoding JSON -- */

/* One request, or a part of it, on its way into the frame. */
struct decoder {
    struct rows rows;
    struct reader reader;
    unsigned row;                      /* of the frame */
    uint16_t guess;                    /* the field that comes next in most texts */
    struct text stranger;              /* the first name of this row that is no field */
    const char *wanted;                /* what is expected at p, for errors */
    uint64_t seen[COLUMN_WORDS];       /* fields of this row */
    size_t seen_at[COLUMN_WORDS * 64]; /* byte offsets of those */
};

/* Decodes the value that comes next as the next row of the frame. False: it is not well-formed. */
bool decode_value_as_row(struct decoder *d);

/* The same for a text that must be one row and nothing else. */
bool decode_text_as_row(struct decoder *d, char *text, size_t n, struct body_problem *why);

/* The field `f` of the row does not hold what it should: notes the row error, and returns true, for
 * the text goes on. It reads "expected WHAT, got GOT in field ...". */
bool decode_wrong(struct decoder *d, uint16_t f, enum problem problem, const char *what,
                  const char *got);

/* The same for a value of the wrong kind, which is stepped over. */
bool decode_wrong_kind(struct decoder *d, uint16_t f);

/* Reads an element: a finite number, or the name of another one. `*ok` is false where it is
 * something else; the row error has been noted then. */
bool decode_double(struct decoder *d, uint16_t f, double *out, bool *ok);

/* Decode the value whose first byte is at the reader's p, not null, into a cell of its type. */
bool decode_value(struct decoder *d, uint16_t f, enum type type, void *cell);
bool decode_array(struct decoder *d, uint16_t f, enum type type, void *cell);
bool decode_vector(struct decoder *d, uint16_t f, enum type type, void *cell);

/* -- encoding JSON -- */

put_row encode_row;

/* The same in CSV, and the line of names. */
put_row encode_csv_row;
void encode_csv_head(struct buf *out, const struct scoring *s);

/* Appends the problem document of the frame's only row, which failed. Returns its status. */
unsigned encode_failed_body(struct buf *out, const struct rows *rows);

#endif
