/* SPDX-License-Identifier: Apache-2.0 */
#include "access_log.h"

#include "http_priv.h"
#include "peer.h"

#include "scored/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WRITE_MAX = 4096, /* what a pipe that can be written to takes whole */
    LOOK_MS = 50,     /* between two looks at whether it ends */
};

struct access_log {
    struct records *records;
    struct buf lines;
    uint64_t n_lines;
    _Atomic uint64_t lost; /* that could not be written */
};

/* -- which requests -- */

static bool read_count(uint64_t *n, const char *digits)
{
    enum { MAX_DIGITS = 9 };
    size_t len = strspn(digits, "0123456789");

    *n = len && len <= MAX_DIGITS && !digits[len] ? strtoull(digits, NULL, 10) : 0;
    return *n != 0;
}

bool access_rule_read(struct access_rule *rule, const char *text, struct err *e)
{
    static const char sampled[] = "sampled:";
    static const struct {
        const char *name;
        struct access_rule rule;
    } rules[] = {{"off", {false, 0}}, {"errors", {true, 0}}, {"all", {true, 1}}};

    for (size_t i = 0; i < countof(rules); i++) {
        *rule = rules[i].rule;
        if (!strcmp(text, rules[i].name))
            return true;
    }
    if (!strncmp(text, sampled, sizeof sampled - 1) &&
        read_count(&rule->one_in, text + sizeof sampled - 1))
        return true;
    return err_set(
        e, ERR_USAGE,
        "--access-log (SCORED_ACCESS_LOG) takes off, errors, sampled:N or all, not \"%s\"", text);
}

/* -- lines -- */

static void put_text(struct buf *out, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(out, ",\"%s\":", key);
    buf_json_string(out, value, strlen(value));
}

static void put_us(struct buf *out, const char *key, uint64_t ns)
{
    buf_printf(out, ",\"%s_us\":%llu.%03u", key, (unsigned long long)ns / 1000,
               (unsigned)(ns % 1000));
}

static void put_stages(struct buf *out, const struct record *r)
{
    put_us(out, "parse", r->stage_ns[STAGE_PARSE]);
    put_us(out, "score", r->stage_ns[STAGE_SCORE]);
    put_us(out, "encode", r->stage_ns[STAGE_ENCODE]);
    put_us(out, "wait", r->wait_ns);
    put_us(out, "total", r->ended_ns - r->began_ns);
}

/* The wall clock's, of a moment of the other clock: it may have been set meanwhile. */
static uint64_t wall_ms(uint64_t ns)
{
    return clock_ms() - (clock_ns() - ns) / 1000000;
}

static void put_line(struct buf *out, const struct record *r)
{
    char time[CLOCK_TEXT], client[PEER_TEXT];

    clock_text(wall_ms(r->ended_ns), time);
    buf_printf(out, "{\"time\":\"%s\"", time);
    put_text(out, "method", r->method);
    put_text(out, "route", r->route);
    buf_printf(out, ",\"status\":%u", r->status);
    put_text(out, "type", r->problem == PROBLEM_NONE ? NULL : problem_urn(r->problem));
    put_text(out, "model", r->model);
    put_text(out, "version", r->version);
    buf_printf(out, ",\"rows\":%llu,\"bytes_in\":%llu,\"bytes_out\":%llu",
               (unsigned long long)r->rows, (unsigned long long)r->bytes_in,
               (unsigned long long)r->bytes_out);
    put_stages(out, r);
    put_text(out, "request", r->id);
    put_text(out, "trace", r->trace.id);
    put_text(out, "span", r->trace.id[0] ? r->trace.span : NULL);
    put_text(out, "token", r->token);
    put_text(out, "client", peer_text(&r->peer.any, client));
    buf_lit(out, "}\n");
}

/* -- writing -- */

/* False: it never will be, or this ends. */
static bool wait_until_writable(const struct access_log *log)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    while (!(p.revents & POLLOUT)) {
        int n = poll(&p, 1, LOOK_MS);
        if ((n < 0 && errno != EINTR) || (p.revents & (POLLERR | POLLHUP | POLLNVAL)) ||
            (n == 0 && records_ends(log->records)))
            return false;
    }
    return true;
}

/* Whole lines, but where one is longer than WRITE_MAX. */
static size_t chunk(const char *p, size_t n)
{
    size_t whole = n < WRITE_MAX ? n : WRITE_MAX;

    for (size_t i = whole; i; i--)
        if (p[i - 1] == '\n')
            return i;
    return whole;
}

static size_t write_some(const struct access_log *log, const char *p, size_t n)
{
    ssize_t written = -1;

    do {
        if (!wait_until_writable(log))
            return 0;
        written = write(STDOUT_FILENO, p, chunk(p, n));
    } while (written < 0 && (errno == EINTR || errno == EAGAIN));
    return written > 0 ? (size_t)written : 0;
}

static uint64_t count_lines(const char *p, size_t n)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    return lines;
}

static void write_lines(struct access_log *log)
{
    size_t done = 0, wrote = 1;

    for (; wrote && done < log->lines.len; done += wrote)
        wrote = write_some(log, log->lines.data + done, log->lines.len - done);
    if (log->lines.failed)
        log->lost += log->n_lines;
    else if (done < log->lines.len)
        log->lost += count_lines(log->lines.data + done, log->lines.len - done);
    buf_reset(&log->lines);
    log->n_lines = 0;
}

static void take(void *context, const struct record *r)
{
    struct access_log *log = context;

    put_line(&log->lines, r);
    log->n_lines++;
    if (log->lines.failed || log->lines.len >= WRITE_MAX)
        write_lines(log);
}

static void flush(void *context, bool ends)
{
    (void)ends;
    write_lines(context);
}

/* -- life -- */

struct access_log *access_log_start(unsigned workers, struct err *e)
{
    struct access_log *log = calloc(1, sizeof *log);

    if (!log) {
        err_memory(e);
        return NULL;
    }
    const struct reader_of_records reader = {take, flush, log};
    log->records = records_start("scored-access", workers, &reader, e);
    if (log->records)
        return log;
    free(log);
    return NULL;
}

struct records *access_log_records(struct access_log *log)
{
    return log->records;
}

uint64_t access_log_dropped(const struct access_log *log)
{
    return log ? records_dropped(log->records) + log->lost : 0;
}

void access_log_stop(struct access_log *log)
{
    if (!log || !records_stop(log->records))
        return;
    buf_done(&log->lines);
    free(log);
}
