/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden gate. Each line's "in" is decoded as a request's row would be and scored; its "out" is
 * decoded by the same decoder into a second frame, whose inputs are the answer's columns; then both
 * frames are compared by bits.
 */
#include "scored/model.h"

#include "scored/bounds.h"
#include "scored/fault.h"
#include "scored/value.h"

#include <stdlib.h>

struct line {
    char *in, *out; /* objects, NUL-terminated after splitting */
    size_t in_len, out_len;
    bool skipped, error;
};

struct replay {
    struct model *model;
    struct plan expected_plan; /* its inputs are the default outputs */
    struct scoring got, expected;
    struct scratch scratch[2];   /* of both */
    uint32_t ulps[BOUND_INPUTS]; /* by output */
};

/* -- lines -- */

static char *skip_space(char *p)
{
    return p + strspn(p, " \t\r");
}

/* The byte after a value, or NULL. Strings are respected, all else is left to the decoder. */
static char *skip_value(char *p)
{
    int depth = 0;

    do {
        if (*p == '"') {
            for (p++; *p && *p != '"'; p++)
                if (*p == '\\' && p[1])
                    p++;
            if (!*p)
                return NULL;
            p++;
        } else if (*p == '{' || *p == '[') {
            depth++;
            p++;
        } else if (*p == '}' || *p == ']') {
            depth--;
            p++;
        } else if (depth) {
            p++;
        } else {
            p += strcspn(p, ",}] \t\r");
        }
    } while (depth > 0 && *p);
    return depth == 0 ? p : NULL;
}

static bool set_member(struct line *l, const char *key, size_t n, char *value, size_t length)
{
    bool is_true = length == 4 && memcmp(value, "true", 4) == 0;

    if (n == 2 && memcmp(key, "in", 2) == 0 && !l->in && *value == '{') {
        l->in = value;
        l->in_len = length;
    } else if (n == 3 && memcmp(key, "out", 3) == 0 && !l->out && *value == '{') {
        l->out = value;
        l->out_len = length;
    } else if (n == 7 && memcmp(key, "skipped", 7) == 0 && is_true) {
        l->skipped = true;
    } else if (n == 5 && memcmp(key, "error", 5) == 0 && is_true) {
        l->error = true;
    } else {
        return false;
    }
    return true;
}

/* {"in":{...},"out":{...}}, {"in":{...},"skipped":true} or {"in":{...},"error":true} */
static bool split_line(char *p, struct line *l)
{
    *l = (struct line){0};
    p = skip_space(p);
    if (*p != '{')
        return false;
    do {
        char *key = skip_space(p + 1);
        char *colon = *key == '"' ? skip_value(key) : NULL;
        if (!colon || *(p = skip_space(colon)) != ':')
            return false;
        char *value = skip_space(p + 1);
        char *end = skip_value(value);
        if (!end ||
            !set_member(l, key + 1, (size_t)(colon - key) - 2, value, (size_t)(end - value)))
            return false;
        p = skip_space(end);
    } while (*p == ',');
    if (*p != '}' || *skip_space(p + 1) != '\0' || !l->in)
        return false;
    l->in[l->in_len] = '\0';
    if (l->out)
        l->out[l->out_len] = '\0';
    return (l->out != NULL) + l->skipped + l->error == 1;
}

/* Members of an object, by its commas; 0 where it is none that ends. */
static unsigned count_members(char *p)
{
    unsigned n = 0;

    do {
        p = skip_space(p + 1);
        if (*p == '}')
            return n;
        p = *p == '"' ? skip_value(p) : NULL; /* the name */
        if (!p || *(p = skip_space(p)) != ':' || !(p = skip_value(skip_space(p + 1))))
            return 0;
        n++;
        p = skip_space(p);
    } while (*p == ',');
    return n;
}

/* -- one line -- */

static bool decode(struct scoring *s, char *text, size_t n, const char *what, struct err *e)
{
    struct body_problem why;

    frame_reset(s->frame, s->scratch);
    if (decode_row(s, 0, text, n, &why))
        return true;
    return err_set(e, ERR_BAD_BUNDLE, "\"%s\": byte %zu: %s", what, why.offset, why.detail);
}

static bool fail_cell(const struct replay *r, unsigned i, struct err *e)
{
    const struct plan *p = &r->model->plan;
    uint16_t c = p->outputs[i];
    enum type type = p->columns[c].shape.type;
    struct buf expected = {0}, got = {0};

    encode_cell(&expected, type, &r->expected.frame->columns[i], 0, true);
    encode_cell(&got, type, &r->got.frame->columns[c], 0, true);
    err_set(e, ERR_BAD_BUNDLE, "column '%.64s': expected %.120s, got %.120s", p->columns[c].name,
            expected.data ? expected.data : "?", got.data ? got.data : "?");
    buf_done(&expected);
    buf_done(&got);
    return false;
}

static const char *outcome(const struct frame *f)
{
    return f->failed & 1 ? "a row error" : f->skipped & 1 ? "a skipped row" : "an answer";
}

static bool check_outcome(const struct replay *r, const struct line *l, struct err *e)
{
    const struct frame *f = r->got.frame;
    const char *expected = l->error ? "a row error" : l->skipped ? "a skipped row" : "an answer";

    if (strcmp(expected, outcome(f)) == 0)
        return true;
    return err_set(e, ERR_BAD_BUNDLE, "expected %s, got %s%s%s", expected, outcome(f),
                   f->failed & 1 ? ": " : "", f->failed & 1 ? f->errors[0].detail : "");
}

static bool replay_line(struct replay *r, char *text, struct err *e)
{
    struct coverage *c = &r->model->coverage;
    const struct plan *p = &r->model->plan;
    struct line l;

    if (!split_line(text, &l))
        return err_set(
            e, ERR_BAD_BUNDLE,
            "must be an object of \"in\" and one of \"out\", \"skipped\":true, \"error\":true");
    unsigned n_in = count_members(l.in), n_out = l.out ? count_members(l.out) : 0;
    if (!decode(&r->got, l.in, l.in_len, "in", e))
        return false;
    if (!plan_run(p->program, r->got.frame))
        return err_set(e, ERR_NO_MEMORY,
                       "the row needs more than %zu bytes of scoring memory (--scratch)",
                       r->got.scratch->size);
    if (!check_outcome(r, &l, e))
        return false;
    if (n_in != p->n_inputs) /* the decoder itself takes a missing field for a null */
        return err_set(e, ERR_BAD_BUNDLE, "\"in\" has %u of %u inputs", n_in, p->n_inputs);
    c->rows++;
    c->skipped += l.skipped;
    c->failed += l.error;
    if (!l.out)
        return true;
    c->answered++;
    if (!decode(&r->expected, l.out, l.out_len, "out", e))
        return false;
    if (r->expected.frame->failed)
        return err_set(e, ERR_BAD_BUNDLE, "\"out\": %s", r->expected.frame->errors[0].detail);
    for (unsigned i = 0; i < p->n_outputs; i++)
        if (!column_equal(p->columns[p->outputs[i]].shape.type, &r->expected.frame->columns[i], 0,
                          &r->got.frame->columns[p->outputs[i]], 0, r->ulps[i]))
            return fail_cell(r, i, e);
    return n_out == p->n_outputs ||
           err_set(e, ERR_BAD_BUNDLE, "\"out\" has %u of %u outputs", n_out, p->n_outputs);
}

/* -- all lines -- */

/* Lines have the inputs and outputs that the manifest names, and no others. */
static const struct question strict = {.reject_unknown = true};

/* The plan that decodes answers: the default outputs as inputs. */
static bool expect(struct replay *r, struct arena *a, struct err *e)
{
    const struct plan *p = &r->model->plan;
    struct plan *x = &r->expected_plan;

    *x = (struct plan){.arena = a, .n_columns = p->n_outputs, .n_inputs = p->n_outputs};
    x->columns = arena_new(a, struct plan_column, p->n_outputs);
    if (!x->columns)
        return err_memory(e);
    for (unsigned i = 0; i < p->n_outputs; i++) {
        x->columns[i] = p->columns[p->outputs[i]];
        x->columns[i].unit = NULL;
        x->columns[i].nullable = true;
        x->columns[i].root = (uint16_t)i;
    }
    if (!plan_layout(x, SIZE_MAX, 1, e))
        return false;
    struct schema *schema = schema_new(x, a);
    void *memory = schema ? arena_alloc(a, x->frame_size, 1, 64) : NULL;
    if (!memory)
        return err_memory(e);
    r->expected = (struct scoring){.plan = x,
                                   .schema = schema,
                                   .question = &strict,
                                   .frame = frame_init(x, memory),
                                   .scratch = &r->scratch[1]};
    return true;
}

static void read_ulps(struct replay *r)
{
    const struct model *m = r->model;

    for (unsigned i = 0; i < m->plan.n_outputs; i++) {
        const char *name = m->plan.columns[m->plan.outputs[i]].name;
        struct json entry;
        struct err ignored;
        if (!json_get(&m->bundle->exactness, name, &entry, &ignored) ||
            !json_get_u32(&entry, "n", UINT32_MAX, &r->ulps[i], &ignored))
            r->ulps[i] = 0; /* n stands with the tier ulp only */
    }
}

static bool check_count(const struct model *m, struct err *e)
{
    uint32_t rows;

    if (!json_get_u32(&m->bundle->golden_coverage, "rows", UINT32_MAX, &rows, e))
        return false;
    if (m->coverage.rows != rows)
        return err_set(e, ERR_BAD_BUNDLE, "%u rows, the manifest says %u",
                       (unsigned)m->coverage.rows, (unsigned)rows);
    return m->coverage.answered || err_set(e, ERR_BAD_BUNDLE, "no golden row with an answer");
}

static bool replay_all(struct replay *r, char *text, size_t n, struct err *e)
{
    unsigned number = 0;

    for (char *at = text, *end = text + n; at < end; number++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *next = newline ? newline + 1 : end;
        size_t length = (size_t)((newline ? newline : end) - at);
        if (number >= BOUND_GOLDEN_ROWS)
            return err_set(e, ERR_BAD_BUNDLE, "more than %d lines", BOUND_GOLDEN_ROWS);
        if (memchr(at, '\0', length))
            return err_set(e, ERR_BAD_BUNDLE, "line %u: a NUL byte", number + 1);
        fault_point("golden.row");
        at[length] = '\0'; /* the newline's place, or the byte behind the file */
        if (!replay_line(r, at, e))
            return err_wrap(e, "line %u", number + 1);
        at = next;
    }
    return check_count(r->model, e);
}

bool golden_replay(struct model *m, size_t scratch, struct err *e)
{
    struct replay *r = calloc(1, sizeof *r);
    size_t n = m->bundle->files[ROLE_GOLDEN].size;
    char *text = malloc(n + 1); /* decoding changes the text */
    struct arena arena = {0};

    if (!r || !text) {
        free(r);
        free(text);
        return err_memory(e);
    }
    memcpy(text, m->bundle->bytes[ROLE_GOLDEN], n);
    text[n] = '\0';
    r->model = m;
    r->got = (struct scoring){.plan = &m->plan,
                              .schema = m->schema,
                              .question = &strict,
                              .frame = m->frames[0],
                              .scratch = &r->scratch[0]};
    m->coverage = (struct coverage){0};
    read_ulps(r);
    bool ok = scratch_init(&r->scratch[0], scratch, e) && scratch_init(&r->scratch[1], 0, e) &&
              expect(r, &arena, e) && replay_all(r, text, n, e);
    if (!ok)
        err_wrap(e, "%s", m->bundle->files[ROLE_GOLDEN].name);
    scoring_done(&r->got);
    scoring_done(&r->expected);
    scratch_done(&r->scratch[0]);
    scratch_done(&r->scratch[1]);
    arena_done(&arena);
    free(text);
    free(r);
    return ok;
}
