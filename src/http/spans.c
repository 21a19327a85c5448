/* SPDX-License-Identifier: Apache-2.0 */
#include "spans.h"

#include "http_priv.h"
#include "peer.h"

#include "scored/clock.h"
#include "scored/log.h"
#include "scored/post.h"
#include "scored/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    BATCH = 512,       /* spans */
    BATCH_MS = 1000,   /* that the first of them waits at most */
    POST_MS = 5000,    /* for one call */
    END_MS = 500,      /* for the last */
    PAUSE_MS = 1000,   /* after a failure; twice as long after the next */
    PAUSE_MAX = 32000, /* at most */
    URL = 512,
    HEADERS = 8,
    HEADER_TEXT = 1024,
};

struct spans {
    struct records *records;
    struct poster *poster;
    struct buf body; /* the batch: all but its end */
    unsigned n;      /* spans in it */
    uint64_t first_ms, retry_ms, pause_ms;
    _Atomic uint64_t sent, lost;
    atomic_bool stop, ended;
    bool fails; /* the log knows */
    char url[URL];
    char header_text[HEADER_TEXT];
    struct post_header headers[HEADERS + 1];
    unsigned n_headers;
    const char *service;
};

/* -- settings, as OpenTelemetry names them -- */

/* No thread of ours runs yet that would set one. */
static const char *variable(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return value && *value ? value : NULL;
}

static bool take_url(struct spans *s, const char *url, const char *path, struct err *e)
{
    size_t n = strlen(url), more = strlen(path);

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return err_set(e, ERR_USAGE,
                       "--otlp-endpoint (SCORED_OTLP_ENDPOINT, "
                       "OTEL_EXPORTER_OTLP_ENDPOINT) takes a URL of http or https");
    while (*path && n && url[n - 1] == '/')
        n--;
    if (n + more >= URL)
        return err_set(e, ERR_USAGE, "--otlp-endpoint: the URL is too long");
    memcpy(s->url, url, n);
    memcpy(s->url + n, path, more + 1);
    return true;
}

/* False in *found: there is no endpoint. */
static bool find_url(struct spans *s, const char *endpoint, bool *found, struct err *e)
{
    static const char traces[] = "/v1/traces";
    const char *whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
               *base = *endpoint ? endpoint : variable("OTEL_EXPORTER_OTLP_ENDPOINT");

    *found = *endpoint || whole || base;
    if (!*found)
        return true;
    return *endpoint || !whole ? take_url(s, base, traces, e) : take_url(s, whole, "", e);
}

static char *trim(char *p)
{
    while (*p == ' ')
        p++;
    for (size_t n = strlen(p); n && p[n - 1] == ' '; n--)
        p[n - 1] = '\0';
    return p;
}

/* name=value,name=value, into s->header_text. */
static void take_headers(struct spans *s)
{
    const char *text = variable("OTEL_EXPORTER_OTLP_HEADERS");

    s->headers[s->n_headers++] = (struct post_header){"Content-Type", "application/json"};
    snprintf(s->header_text, HEADER_TEXT, "%s", text ? text : "");
    for (char *p = s->header_text, *next; p && s->n_headers <= HEADERS; p = next) {
        next = strchr(p, ',');
        if (next)
            *next++ = '\0';
        char *value = strchr(p, '=');
        if (!value)
            continue;
        *value++ = '\0';
        s->headers[s->n_headers++] = (struct post_header){trim(p), trim(value)};
    }
}

/* -- spans -- */

static void put_text(struct buf *out, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(out, ",{\"key\":\"%s\",\"value\":{\"stringValue\":", key);
    buf_json_string(out, value, strlen(value));
    buf_lit(out, "}}");
}

static void put_number(struct buf *out, const char *key, uint64_t value)
{
    buf_printf(out, ",{\"key\":\"%s\",\"value\":{\"intValue\":\"%llu\"}}", key,
               (unsigned long long)value);
}

static void put_attributes(struct buf *out, const struct record *r)
{
    char client[PEER_TEXT];

    buf_printf(out,
               "\"attributes\":[{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":"
               "\"%u\"}}",
               r->status);
    put_text(out, "http.request.method", r->method);
    put_text(out, "http.route", r->route);
    put_text(out, "error.type", r->status >= 400 ? problem_urn(r->problem) : NULL);
    put_text(out, "client.address", peer_text(&r->peer.any, client));
    put_number(out, "http.request.body.size", r->bytes_in);
    put_number(out, "http.response.body.size", r->bytes_out);
    put_text(out, "scored.model", r->model);
    put_text(out, "scored.version", r->version);
    put_text(out, "scored.request", r->id);
    put_number(out, "scored.rows", r->rows);
    put_number(out, "scored.parse_ns", r->stage_ns[STAGE_PARSE]);
    put_number(out, "scored.score_ns", r->stage_ns[STAGE_SCORE]);
    put_number(out, "scored.encode_ns", r->stage_ns[STAGE_ENCODE]);
    put_number(out, "scored.wait_ns", r->wait_ns);
    buf_char(out, ']');
}

/* Nanoseconds since 1970 of a moment of the other clock. */
static uint64_t wall_ns(uint64_t ns)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - (clock_ns() - ns);
}

static void put_span(struct buf *out, const struct record *r)
{
    uint64_t end = wall_ns(r->ended_ns), begin = end - (r->ended_ns - r->began_ns);

    buf_printf(out, "{\"traceId\":\"%s\",\"spanId\":\"%s\"", r->trace.id, r->trace.span);
    if (r->trace.parent[0])
        buf_printf(out, ",\"parentSpanId\":\"%s\"", r->trace.parent);
    if (r->state[0]) {
        buf_lit(out, ",\"traceState\":");
        buf_json_string(out, r->state, strlen(r->state));
    }
    buf_printf(out, ",\"name\":\"%s %s\",\"kind\":2,", r->method, r->route);
    buf_printf(out, "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",",
               (unsigned long long)begin, (unsigned long long)end);
    put_attributes(out, r);
    buf_printf(out, ",\"status\":{\"code\":%d}}", r->status >= 500 ? 2 : 0);
}

static void put_head(const struct spans *s, struct buf *out)
{
    buf_lit(out, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
                 "\"value\":{\"stringValue\":");
    buf_json_string(out, s->service, strlen(s->service));
    buf_lit(out, "}}");
    put_text(out, "service.version", scored_version);
    buf_printf(out,
               "]},\"scopeSpans\":[{\"scope\":{\"name\":\"scored\",\"version\":\"%s\"},\"spans\":[",
               scored_version);
}

/* -- sending -- */

static void drop_batch(struct spans *s)
{
    s->lost += s->n;
    s->n = 0;
    buf_reset(&s->body);
}

/* The log is told when it begins to fail, and when it no longer does. */
static void note_failure(struct spans *s, const struct err *e)
{
    s->pause_ms = s->pause_ms ? s->pause_ms * 2 : PAUSE_MS;
    s->pause_ms = s->pause_ms < PAUSE_MAX ? s->pause_ms : PAUSE_MAX;
    s->retry_ms = clock_ns() / 1000000 + s->pause_ms;
    if (!s->fails)
        log_with(LOG_WARN, "spans are dropped: their collector does not take them",
                 log_text("url", s->url), log_text("why", e->msg));
    s->fails = true;
}

static void note_success(struct spans *s)
{
    if (s->fails)
        log_with(LOG_INFO, "spans are taken again", log_text("url", s->url),
                 log_number("dropped", spans_dropped(s)));
    s->fails = false;
    s->pause_ms = s->retry_ms = 0;
}

static void send_batch(struct spans *s)
{
    struct err e = {0};

    buf_lit(&s->body, "]}]}]}");
    const struct post post = {
        .url = s->url,
        .headers = s->headers,
        .n_headers = s->n_headers,
        .body = s->body.data,
        .n = s->body.len,
        .total_ms = records_ends(s->records) ? END_MS : POST_MS,
    };
    if (s->body.failed || !poster_post(s->poster, &post, &e)) {
        note_failure(s, &e);
        drop_batch(s);
        return;
    }
    note_success(s);
    s->sent += s->n;
    s->n = 0;
    buf_reset(&s->body);
}

static void take(void *context, const struct record *r)
{
    struct spans *s = context;

    if (!s->n) {
        s->first_ms = clock_ns() / 1000000;
        put_head(s, &s->body);
    } else {
        buf_char(&s->body, ',');
    }
    put_span(&s->body, r);
    if (++s->n < BATCH)
        return;
    if (clock_ns() / 1000000 < s->retry_ms)
        drop_batch(s);
    else
        send_batch(s);
}

static void flush(void *context, bool ends)
{
    struct spans *s = context;
    uint64_t now = clock_ns() / 1000000;

    if (s->n && now >= s->retry_ms && (ends || now - s->first_ms >= BATCH_MS))
        send_batch(s);
    if (s->n && ends)
        drop_batch(s);
    atomic_store(&s->ended, ends);
}

/* -- life -- */

static void free_spans(struct spans *s)
{
    poster_free(s->poster);
    buf_done(&s->body);
    free(s);
}

bool spans_start(struct spans **out, const char *endpoint, unsigned workers, struct err *e)
{
    struct spans *s = calloc(1, sizeof *s);
    const struct reader_of_records reader = {take, flush, s};
    bool found = false;

    *out = NULL;
    if (!s)
        return err_memory(e);
    const char *service = variable("OTEL_SERVICE_NAME");
    s->service = service ? service : "scored";
    bool ok = find_url(s, endpoint, &found, e);
    if (ok && found) {
        take_headers(s);
        s->poster = poster_new(&s->stop, e);
        s->records = s->poster ? records_start("scored-spans", workers, &reader, e) : NULL;
        ok = s->records != NULL;
    }
    if (ok && found)
        *out = s;
    else
        free_spans(s);
    return ok;
}

struct records *spans_records(struct spans *s)
{
    return s->records;
}

uint64_t spans_sent(const struct spans *s)
{
    return s ? s->sent : 0;
}

uint64_t spans_dropped(const struct spans *s)
{
    return s ? s->lost + records_dropped(s->records) : 0;
}

void spans_stop(struct spans *s)
{
    const struct timespec tick = {.tv_nsec = 5000000};

    if (!s)
        return;
    records_end(s->records);
    for (uint64_t end = clock_ns() / 1000000 + END_MS;
         !atomic_load(&s->ended) && clock_ns() / 1000000 < end; nanosleep(&tick, NULL))
        ;
    atomic_store(&s->stop, true);
    if (records_stop(s->records))
        free_spans(s);
}
