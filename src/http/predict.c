/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /predict: a dialect that streams is scored as it comes in, others when the body is there;
 * all a frame at a time, so that a long body can wait between two.
 */
#include "coding.h"
#include "unpack.h"
#include "worker.h"

#include "scored/clock.h"

#include <stdio.h>
#include <strings.h>

enum {
    STREAM_BYTES = 8 * 1024, /* of a stream before it is looked at */
    LEAST_ROW = 64,          /* bytes of a row, before any was seen */
};

static void on_error(void *context, const struct row_error *error)
{
    struct exchange *x = context;
    const struct plan *p = &x->model->plan;
    const char *field = error->field < p->n_inputs ? p->columns[error->field].name : "";

    x->problem = error->problem;
    snprintf(x->field, sizeof x->field, "%s", field);
    metrics_row_error(x->app->metrics, x->worker, slot_index(x->app->registry, x->slot), field,
                      error->problem);
}

static bool answers(const struct question *q, uint16_t column)
{
    for (unsigned i = 0; i < q->n_columns; i++)
        if (q->columns[i] == column)
            return true;
    return false;
}

static void on_rows(void *context, uint64_t rows)
{
    struct exchange *x = context;
    struct watch *w = x->model->watch;

    watch_rows(w, x->worker, x->scoring.frame, rows, answers(&x->question, watch_column(w)));
}

/* When it is known what came of the request. */
static void count(struct exchange *x)
{
    unsigned slot = slot_index(x->app->registry, x->slot);

    metrics_rows(x->app->metrics, x->worker, slot, &x->scoring.counts);
    metrics_stages(x->app->metrics, x->worker, slot, &x->times);
    if (x->unknown.n)
        strangers_note(x);
}

static void too_large(struct exchange *x, uint64_t max)
{
    char other[128] = "send it in parts";

    if (!x->dialect->streams)
        snprintf(other, sizeof other,
                 "as NDJSON (application/x-ndjson), a row a line, it may have %llu (--max-ndjson)",
                 (unsigned long long)x->app->config->max_ndjson);
    reply_problem(x, PROBLEM_TOO_LARGE, NULL, "a body of %s may have %llu bytes (--max-%s); %s",
                  x->dialect->name, (unsigned long long)max,
                  x->dialect->streams ? "ndjson" : "body", other);
}

static uint64_t body_max(const struct exchange *x)
{
    return x->dialect->streams ? x->app->config->max_ndjson : x->app->config->max_body;
}

static const struct dialect *dialect_of(const char *content_type)
{
    for (unsigned i = 0; content_type && i < DIALECT_COUNT; i++)
        if (media_listed(dialects[i]->takes, content_type))
            return dialects[i];
    return &dialect_json;
}

static bool open_version(struct exchange *x)
{
    x->model = slot_acquire_version(x->slot, x->version.p, x->version.len);
    if (x->model)
        return true;
    struct buf extra = {0};
    put_reload(&extra, x->slot);
    reply_problem(x, PROBLEM_NO_VERSION, extra.failed ? NULL : extra.data,
                  "`versions` lists those that are kept beside the current one");
    buf_done(&extra);
    return false;
}

bool model_open(struct exchange *x)
{
    if (x->version.len)
        return open_version(x);
    x->model = slot_acquire(x->slot);
    if (!x->model)
        reply_not_loaded(x);
    return x->model != NULL;
}

/* Where the body comes compressed: what undoes it, and memory for that. */
static bool open_unpacker(struct exchange *x)
{
    const struct unpacking *by = unpacking_of(x->head.content_encoding);

    if (!by)
        return true;
    x->unpacker = unpacker_new(by);
    if (!x->unpacker)
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
    return x->unpacker && exchange_hold(x, 0);
}

bool predict_open(struct exchange *x)
{
    x->dialect = x->form ? &dialect_json : dialect_of(x->head.content_type);
    if (x->head.length > body_max(x)) {
        too_large(x, body_max(x));
        return false;
    }
    if (!media_accepts(x->head.accept, x->dialect->answers, true)) {
        reply_problem(x, PROBLEM_NOT_ACCEPTABLE, NULL, "%s is answered as %s", x->dialect->name,
                      x->dialect->answers);
        return false;
    }
    if (!model_open(x) || !query_open(x))
        return false;
    const struct scoring kept = x->scoring;
    x->scoring = (struct scoring){
        .plan = &x->model->plan,
        .schema = x->model->schema,
        .question = &x->question,
        .on_error = on_error,
        .on_rows = on_rows,
        .context = x,
        .unknown = &x->unknown,
        .times = &x->times,
        .echoed = kept.echoed,
        .head = kept.head,
        .made = kept.made,
    };
    x->unknown.n = 0;
    score_begin(&x->body_scoring, x->dialect, &x->scoring, &x->reply);
    x->step_due = STREAM_BYTES;
    x->content_type = x->dialect->answers;
    if (!open_unpacker(x))
        return false;
    if (x->dialect->streams || x->unpacker)
        return true;
    if (!exchange_hold(x, x->head.length))
        return false;
    if (x->head.length)
        buf_reserve(&x->body, x->head.length);
    return true;
}

/* -- what it costs -- */

static struct cost *cost_of_slot(struct app *app, const struct slot *s)
{
    return &app->costs[slot_index(app->registry, s)];
}

static struct cost *cost_of(const struct exchange *x)
{
    return cost_of_slot(x->app, x->slot);
}

/* A running mean over some sixteen observations, of which one alone does not move it far. */
static void learn(_Atomic uint32_t *mean, uint64_t seen)
{
    uint32_t old = atomic_load_explicit(mean, memory_order_relaxed);
    uint64_t most = (uint64_t)old * 4;
    uint64_t now = old ? ((uint64_t)old * 15 + (seen < most ? seen : most) + 8) / 16 : seen;

    now = now > UINT32_MAX ? UINT32_MAX : now ? now : 1;
    atomic_store_explicit(mean, (uint32_t)now, memory_order_relaxed);
}

/* The time that this thread had a processor. Asking for it costs, beside a row that takes a
 * microsecond: one request in sixty-four does, and all that are long. */
static bool measures(const struct exchange *x)
{
    return x->job.admitted || x->requests % 64 == 1 ||
           !atomic_load_explicit(&cost_of(x)->row_ns, memory_order_relaxed);
}

static uint64_t rows_of(const struct exchange *x)
{
    uint32_t bytes = atomic_load_explicit(&cost_of(x)->row_bytes, memory_order_relaxed);
    size_t left = x->body.len - x->body_scoring.done;

    if (x->dialect->is_single && x->dialect->is_single(x->body.data, left))
        return 1;
    return left / (bytes ? bytes : LEAST_ROW) + 1;
}

uint64_t predict_estimate(const struct exchange *x)
{
    return rows_of(x) * atomic_load_explicit(&cost_of(x)->row_ns, memory_order_relaxed);
}

/* The model that a request line asks to predict, or NULL. */
static struct slot *asked_slot(struct app *app, struct text bytes)
{
    static const char post[] = "POST ";
    struct text parts[PATH_PARTS];
    const char *path = bytes.p + sizeof post - 1;

    if (bytes.len < sizeof post || memcmp(bytes.p, post, sizeof post - 1) != 0)
        return NULL;
    struct text target = {path, (uint32_t)strcspn(path, " ?\r\n")};
    const struct route *r = routes_find(SIDE_PUBLIC, target, parts);
    if (!r || r->answer != predict_answer)
        return NULL;
    return parts[0].len ? registry_find(app->registry, parts[0].p, parts[0].len)
                        : registry_default(app->registry);
}

bool predict_is_hopeless(struct app *app, struct text bytes, size_t head, uint64_t body)
{
    if (!queue_waits(&app->queue))
        return false;
    struct slot *slot = asked_slot(app, bytes);
    if (!slot)
        return false;
    const struct cost *cost = cost_of_slot(app, slot);
    uint64_t row_ns = atomic_load_explicit(&cost->row_ns, memory_order_relaxed);
    uint64_t row_bytes = atomic_load_explicit(&cost->row_bytes, memory_order_relaxed);
    bool many = head < bytes.len && bytes.p[head] == '[' && row_bytes;
    uint64_t guess = row_ns * (many ? body / row_bytes : 1);
    return guess >= STEP_NS && queue_ask(&app->queue, guess) != ADMITTED;
}

/* -- scoring -- */

/* What is read of a stream is dropped, so that its body begins where reading goes on. */
static void drop_scored(struct exchange *x)
{
    size_t done = x->body_scoring.done;

    x->body.len -= done;
    if (x->body.len && done)
        memmove(x->body.data, x->body.data + done, x->body.len + 1);
    x->body_scoring.done = 0;
    x->step_due = x->body.len + STREAM_BYTES;
}

static void failed_for_memory(struct exchange *x)
{
    reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again, or with fewer rows");
}

static void body_failed(struct exchange *x, const struct body_problem *why)
{
    char extra[96];

    snprintf(extra, sizeof extra, ",\"offset\":%zu,\"line\":%zu,\"column\":%zu", why->offset,
             why->line, why->column);
    reply_problem(x, why->problem, why->problem == PROBLEM_TOO_LARGE ? NULL : extra, "%s",
                  why->detail);
}

static void end(struct exchange *x)
{
    const struct body_scoring *b = &x->body_scoring;

    x->status = b->status;
    if (x->status == 200)
        x->problem = PROBLEM_NONE;
    else if (b->why.problem != PROBLEM_NONE)
        body_failed(x, &b->why);
    else
        x->content_type = "application/problem+json";
    if (x->body.failed || x->reply.failed)
        failed_for_memory(x);
    count(x);
}

/* Goes on with the body; the worker that takes the step has memory of its own. */
static enum scoring_state step_body(struct exchange *x)
{
    struct body_scoring *b = &x->body_scoring;
    uint64_t rows = x->scoring.counts.rows, begin = measures(x) ? clock_thread_ns() : 0;

    x->scoring.frame = x->model->frames[x->worker];
    x->scoring.scratch = &x->app->all[x->worker]->scratch;
    score_text(b, x->body.data, x->body.len, b->last);
    b->row_bytes = 0;
    x->times.at_ns = clock_ns();
    enum scoring_state state = score_step(b, &x->reply);
    stage_passed(&x->times, STAGE_PARSE);
    if (begin && x->scoring.counts.rows > rows)
        learn(&cost_of(x)->row_ns, (clock_thread_ns() - begin) / (x->scoring.counts.rows - rows));
    if (b->row_bytes)
        learn(&cost_of(x)->row_bytes, b->row_bytes);
    return state;
}

/* False: that was the last step for now. */
static bool step(struct exchange *x)
{
    enum scoring_state state = step_body(x);

    if (state == SCORING_ON && exchange_hold(x, 0))
        return true;
    if (state == SCORING_ON)
        count(x);
    else if (state == SCORING_WAITS && !x->body.failed && !x->reply.failed)
        drop_scored(x);
    else
        end(x);
    return !x->status && x->unpacker;
}

/* -- of what comes compressed -- */

static void unpack_failed(struct exchange *x, enum unpack_state state)
{
    const struct unpacking *by = unpack_by(x->unpacker);
    unsigned long long at = unpack_read(x->unpacker);

    if (state == UNPACK_NO_MEMORY)
        failed_for_memory(x);
    else if (state == UNPACK_WRONG)
        reply_problem(x, by->malformed, NULL, "%s, before byte %llu of it",
                      unpack_wrong(x->unpacker), at);
    else
        reply_problem(x, by->malformed, NULL, "it ends within a member, after %llu bytes", at);
    count(x);
}

/* Unpacks a little. One byte more than may be shows that there are too many. */
static enum unpack_state unpack_little(struct exchange *x)
{
    uint64_t room = body_max(x) - x->unpacked + 1;
    size_t n = room < UNPACK_STEP ? (size_t)room : (size_t)UNPACK_STEP, had = x->body.len;

    if (!exchange_hold(x, n))
        return UNPACK_ON;
    enum unpack_state state = unpack_some(x->unpacker, &x->body, n);
    x->unpacked += x->body.len - had;
    if (x->unpacked > body_max(x)) {
        too_large(x, body_max(x));
        count(x);
    } else if (state == UNPACK_WRONG || state == UNPACK_NO_MEMORY ||
               (state == UNPACK_WAITS && x->complete_ns && !unpack_is_whole(x->unpacker))) {
        unpack_failed(x, state);
    }
    return state;
}

/* Unpacks until there is enough to score, and scores that. */
static bool unpack_step(struct exchange *x)
{
    bool enough = x->body_scoring.last || (x->dialect->streams && x->body.len >= x->step_due);

    if (enough)
        return step(x);
    enum unpack_state state = unpack_little(x);
    if (x->status || state == UNPACK_ON)
        return !x->status;
    x->body_scoring.last = x->complete_ns;
    return x->body_scoring.last;
}

static void take_compressed(struct exchange *x, const char *p, size_t n)
{
    if (unpack_put(x->unpacker, p, n))
        x->job.step = unpack_step;
    else
        failed_for_memory(x);
}

/* Once the reply is a problem the rest is dropped. */
void predict_body(struct exchange *x, const char *p, size_t n)
{
    if (x->received > body_max(x)) {
        too_large(x, body_max(x));
        return;
    }
    if (x->unpacker) {
        take_compressed(x, p, n);
        return;
    }
    if (!exchange_hold(x, n))
        return;
    buf_put(&x->body, p, n);
    if (x->dialect->streams && !x->body.failed && x->body.len >= x->step_due)
        x->job.step = step;
}

void predict_answer(struct exchange *x)
{
    if (x->unpacker) {
        x->job.step = unpack_step;
        return;
    }
    if (x->body.failed || !buf_reserve(&x->body, 0)) {
        failed_for_memory(x);
        count(x);
        return;
    }
    x->body_scoring.last = true;
    x->job.step = step;
}
