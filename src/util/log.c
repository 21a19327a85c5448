/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/log.h"

#include "log_writer.h"

#include "scored/clock.h"
#include "scored/utf8.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    MESSAGE_MAX = 1000, /* bytes of a text, escaped */
    VALUE_MAX = 300,
    END = 8, /* what a line that is full still takes: "...", a quote, a brace, a newline */
};

static enum log_level max_level = LOG_INFO;
static enum log_format format = LOG_LOGFMT;

void log_set(enum log_level level, enum log_format f)
{
    max_level = level;
    format = f;
}

/* -- a line -- */

struct line {
    char bytes[LOG_LINE_MAX];
    unsigned n;
};

static unsigned room(const struct line *l)
{
    return LOG_LINE_MAX - END - l->n;
}

/* Whole, or not at all. */
static bool put(struct line *l, const char *p, size_t n)
{
    if (n > room(l))
        return false;
    memcpy(l->bytes + l->n, p, n);
    l->n += (unsigned)n;
    return true;
}

static void put_last(struct line *l, const char *text)
{
    size_t n = strlen(text);

    memcpy(l->bytes + l->n, text, n); /* into END */
    l->n += (unsigned)n;
}

/* A character as JSON strings and logfmt write it; what is no UTF-8 as the replacement character.
 * Returns how many bytes it took. */
static unsigned escape(const char *p, size_t n, char out[8], unsigned *len)
{
    static const char named[][3] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    unsigned char c = (unsigned char)*p;
    unsigned whole = utf8_sequence(p, n);

    if (c < countof(named) && named[c][0])
        *len = (unsigned)snprintf(out, 8, "%s", named[c]);
    else if (c < 0x20 || c == 0x7f)
        *len = (unsigned)snprintf(out, 8, "\\u%04x", c);
    else if (whole)
        memcpy(out, p, *len = whole);
    else
        *len = (unsigned)snprintf(out, 8, "\\ufffd");
    return whole ? whole : 1;
}

static void put_quoted(struct line *l, const char *p, size_t n, unsigned max)
{
    unsigned start = l->n, len;
    char out[8];

    put(l, "\"", 1);
    for (size_t i = 0; i < n;) {
        unsigned took = escape(p + i, n - i, out, &len);
        if (l->n - start + len > max || !put(l, out, len)) {
            put_last(l, "...");
            break;
        }
        i += took;
    }
    put_last(l, "\"");
}

/* As logfmt takes it without quotes. */
static bool is_bare(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] <= 0x20 || p[i] >= 0x7f || strchr("\"=\\", p[i]))
            return false;
    return n > 0 && n < VALUE_MAX;
}

static void put_text(struct line *l, const char *p, size_t n)
{
    if (format == LOG_LOGFMT && is_bare(p, n) && put(l, p, n))
        return;
    put_quoted(l, p, n, VALUE_MAX);
}

static void put_key(struct line *l, const char *key)
{
    char text[64];
    int n = format == LOG_JSON ? snprintf(text, sizeof text, "%s\"%s\":", l->n ? "," : "{", key)
                               : snprintf(text, sizeof text, "%s%s=", l->n ? " " : "", key);

    put(l, text, (size_t)n);
}

static void put_field(struct line *l, const struct log_field *f)
{
    char text[32];
    int n = 0;

    put_key(l, f->key);
    switch (f->kind) {
    case LOG_KIND_TEXT: put_text(l, f->text, f->n); return;
    case LOG_KIND_NUMBER: n = snprintf(text, sizeof text, "%" PRIu64, f->number); break;
    case LOG_KIND_REAL: n = snprintf(text, sizeof text, "%.3f", f->real); break;
    case LOG_KIND_BOOL: n = snprintf(text, sizeof text, "%s", f->number ? "true" : "false"); break;
    }
    put(l, text, (size_t)n);
}

/* Key and quotes, and some of the value. */
static bool fits(const struct line *l, const struct log_field *f)
{
    return f->kind != LOG_KIND_TEXT || f->text ? room(l) > strlen(f->key) + 64 : false;
}

static void begin(struct line *l, enum log_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char now[CLOCK_TEXT];

    l->n = 0;
    clock_text(clock_ms(), now);
    put_field(l, &(struct log_field){.key = "time", .text = now, .n = strlen(now)});
    put_field(l,
              &(struct log_field){.key = "level", .text = names[level], .n = strlen(names[level])});
}

static void write_line(struct line *l)
{
    put_last(l, format == LOG_JSON ? "}\n" : "\n");
    log_put(l->bytes, l->n);
}

static void make(struct line *l, enum log_level level, const char *msg)
{
    begin(l, level);
    put_key(l, "msg");
    put_quoted(l, msg, strlen(msg), MESSAGE_MAX);
}

void log_event(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
    struct line l;

    if (level > max_level)
        return;
    make(&l, level, msg);
    for (size_t i = 0; i < n; i++)
        if (fits(&l, &fields[i]))
            put_field(&l, &fields[i]);
    write_line(&l);
}

unsigned log_drops(char *out, unsigned size, uint64_t n)
{
    const struct log_field dropped = log_number("dropped", n);
    struct line l;

    make(&l, LOG_WARN, "lines are missing here: nobody read the log");
    put_field(&l, &dropped);
    put_last(&l, format == LOG_JSON ? "}\n" : "\n");
    memcpy(out, l.bytes, l.n < size ? l.n : size);
    return l.n < size ? l.n : size;
}
