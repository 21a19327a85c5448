/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line an event to stderr: when (UTC), level and message, then what the event is about:
 *     time=2026-11-29T15:04:05.678Z level=info msg="loaded" model=cars to=v2
 * or the same as a JSON object. Only the outermost caller logs: main, the server, the loader.
 */
#ifndef SCORED_LOG_H
#define SCORED_LOG_H

#include "scored/err.h"

#include <stdint.h>
#include <string.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* Default LOG_INFO and LOG_LOGFMT; before threads start. */
void log_set(enum log_level level, enum log_format format);

enum log_kind { LOG_KIND_TEXT, LOG_KIND_NUMBER, LOG_KIND_REAL, LOG_KIND_BOOL };

/* What a line says beside its message. Texts may hold anything: they are escaped, and cut. */
struct log_field {
    const char *key;
    enum log_kind kind;
    const char *text; /* NULL: the field is left out */
    size_t n;
    uint64_t number;
    double real;
};

static inline struct log_field log_bytes(const char *key, const char *p, size_t n)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_TEXT, .text = p, .n = n};
}

static inline struct log_field log_text(const char *key, const char *text)
{
    return log_bytes(key, text, text ? strlen(text) : 0);
}

static inline struct log_field log_number(const char *key, uint64_t n)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_NUMBER, .number = n};
}

/* Of things that mostly are none: left out where there are none. */
static inline struct log_field log_count(const char *key, uint64_t n)
{
    return n ? log_number(key, n) : log_text(key, NULL);
}

static inline struct log_field log_real(const char *key, double x)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_REAL, .real = x};
}

static inline struct log_field log_bool(const char *key, bool yes)
{
    return (struct log_field){.key = key, .kind = LOG_KIND_BOOL, .number = yes};
}

void log_event(enum log_level level, const char *msg, const struct log_field *fields, size_t n);

/* log_with(LOG_INFO, "loaded", log_text("model", name), log_number("golden", rows)); */
#define log_with(level, msg, ...)                                  \
    log_event(level, msg, (const struct log_field[]){__VA_ARGS__}, \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

static inline void log_plain(enum log_level level, const char *msg)
{
    log_event(level, msg, NULL, 0);
}

/* From here to log_stop lines are written by a thread of its own, so that a reader that stops
 * reading stops nobody; what the ring between cannot hold is dropped, and a later line says how
 * many. Other threads start later and end earlier. */
bool log_start(struct err *e);
void log_stop(void);        /* waits a bounded time for what is left */
uint64_t log_dropped(void); /* lines, ever */

#endif
