/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV from any bytes. What must hold: the answer does not depend on where the body was cut on its
 * way, nor on how rows are cut into frames; and it has a record for each that was counted, each
 * with as many fields as the first line has names. The first byte of the input chooses the options.
 */
#include "kits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Has the body come in pieces, what is read being dropped between two. */
static unsigned answer(struct kit *k, const uint8_t *data, size_t size, size_t piece,
                       struct buf *out)
{
    struct body_scoring b;
    struct buf body = {0};
    enum scoring_state state = SCORING_WAITS;

    k->scoring.counts = (struct counts){0};
    score_begin(&b, &dialect_csv, &k->scoring, out);
    for (size_t at = 0; state == SCORING_WAITS;) {
        size_t n = size - at < piece ? size - at : piece;
        buf_put(&body, (const char *)data + at, n);
        at += n;
        buf_reserve(&body, 1);
        require(!body.failed, "memory");
        body.data[body.len] = '\0';
        do {
            score_text(&b, body.data, body.len, at == size);
            state = score_step(&b, out);
        } while (state == SCORING_ON);
        memmove(body.data, body.data + b.done, body.len - b.done);
        body.len -= b.done;
        b.done = 0;
    }
    buf_done(&body);
    return b.status;
}

/* Records of CSV, and whether all have as many fields as the first. */
static uint64_t count_records(const struct buf *out)
{
    uint64_t records = 0;
    unsigned fields = 1, first = 0;
    bool quoted = false;

    for (size_t i = 0; i < out->len; i++) {
        quoted ^= out->data[i] == '"';
        fields += out->data[i] == ',' && !quoted;
        if (out->data[i] != '\n' || quoted)
            continue;
        first = first ? first : fields;
        require(fields == first, "each record has all fields");
        fields = 1;
        records++;
    }
    require(!quoted, "quotes are closed");
    return records;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf first = {0};
    unsigned status = 0;

    if (!kits[0].memory)
        open_kits();
    if (!size)
        return 0;
    for (unsigned i = 0; i < KITS; i++) {
        const size_t pieces[KITS] = {size, 1, 5};
        struct buf out = {0};
        choose(&kits[i].question, data[0]);
        unsigned got = answer(&kits[i], data + 1, size - 1, pieces[i], &out);
        require(i == 0 || got == status, "the status is the same");
        require(i == 0 ||
                    (first.len == out.len &&
                     (!out.len || memcmp(first.data, out.data, out.len) == 0)) ||
                    got != 200,
                "the answer is the same");
        if (got == 200)
            require(count_records(&out) == kits[i].scoring.counts.rows + 1, "a record a row");
        if (i == 0) {
            first = out;
            status = got;
        } else {
            buf_done(&out);
        }
    }
    buf_done(&first);
    return 0;
}
