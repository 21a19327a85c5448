/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that rows have and the model has not. A misspelt one changes the answer and nothing fails,
 * so who sent it is told by a header, and who runs this by the log, once a name a minute, and by
 * the model's document on the admin listener. Names only, never values; the last few; and they are
 * no labels of metrics, for who sends rows makes them up.
 */
#include "http_priv.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT = 16, LOG_EVERY_MS = 60 * 1000 };

struct stranger {
    char name[UNKNOWN_BYTES + 1];
    uint64_t requests, seen_ms, logged_ms;
    uint64_t turn; /* which sight of any was the last of it: many fall into one millisecond */
};

struct strangers {
    pthread_mutex_t lock; /* guards all below */
    unsigned n;
    uint64_t turns;
    struct stranger names[KEPT];
};

struct strangers *strangers_new(unsigned slots)
{
    struct strangers *s = calloc(slots ? slots : 1, sizeof *s);

    for (unsigned i = 0; s && i < slots; i++)
        pthread_mutex_init(&s[i].lock, NULL);
    return s;
}

void strangers_free(struct strangers *s, unsigned slots)
{
    for (unsigned i = 0; s && i < slots; i++)
        pthread_mutex_destroy(&s[i].lock);
    free(s);
}

static struct strangers *of_slot(struct exchange *x)
{
    return &x->app->strangers[slot_index(x->app->registry, x->slot)];
}

/* The one of that name, or a new one, at whose place the one stood that was not seen for longest.
 */
static struct stranger *find(struct strangers *s, const char *name)
{
    struct stranger *oldest = s->names;

    for (unsigned i = 0; i < s->n; i++) {
        if (!strcmp(s->names[i].name, name))
            return &s->names[i];
        if (s->names[i].turn < oldest->turn)
            oldest = &s->names[i];
    }
    struct stranger *place = s->n < KEPT ? &s->names[s->n++] : oldest;
    *place = (struct stranger){0};
    snprintf(place->name, sizeof place->name, "%s", name);
    return place;
}

/* True: it is to be logged, and as many were not before. */
static bool note(struct exchange *x, const char *name, uint64_t now, unsigned *unlogged)
{
    struct strangers *s = of_slot(x);

    pthread_mutex_lock(&s->lock);
    struct stranger *it = find(s, name);
    bool log = (!it->logged_ms || now - it->logged_ms >= LOG_EVERY_MS) &&
               limiter_pass(&x->app->strange_fields, unlogged);
    it->requests++;
    it->seen_ms = now;
    it->turn = ++s->turns;
    if (log)
        it->logged_ms = now;
    pthread_mutex_unlock(&s->lock);
    return log;
}

/* In a list of names separated by commas. */
static void put_escaped(struct buf *out, const char *name)
{
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (isalnum(*p) || strchr("-._~", *p))
            buf_char(out, (char)*p);
        else
            buf_printf(out, "%%%02X", *p);
    }
}

/* Where the reply has another header of its own, that matters more. */
static void tell_sender(struct exchange *x)
{
    if (x->extra_header)
        return;
    buf_reset(&x->extra);
    for (unsigned i = 0; i < x->unknown.n; i++) {
        if (i)
            buf_char(&x->extra, ',');
        put_escaped(&x->extra, x->unknown.names[i]);
    }
    reply_header(x, "X-Scored-Unknown-Fields");
}

void strangers_note(struct exchange *x)
{
    uint64_t now = clock_ms();
    unsigned unlogged;

    for (unsigned i = 0; i < x->unknown.n; i++) {
        const char *name = x->unknown.names[i];
        if (note(x, name, now, &unlogged))
            log_with(LOG_WARN, "rows have a field that the model does not know",
                     log_text("model", slot_name(x->slot)), log_text("field", name),
                     log_text("meant", schema_nearest(x->model->schema, name)),
                     log_text("request", x->id), log_count("unlogged", unlogged));
    }
    tell_sender(x);
}

void put_strangers(struct buf *out, struct exchange *x)
{
    struct strangers *s = of_slot(x);
    char when[CLOCK_TEXT];

    buf_lit(out, ",\"unknown_fields\":[");
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->n; i++) {
        const struct stranger *it = &s->names[i];
        const char *meant = schema_nearest(x->model->schema, it->name);
        buf_text(out, i ? ",{\"name\":" : "{\"name\":");
        buf_json_string(out, it->name, strlen(it->name));
        clock_text(it->seen_ms, when);
        buf_printf(out, ",\"requests\":%llu,\"last_seen\":\"%s\"", (unsigned long long)it->requests,
                   when);
        if (meant) {
            buf_lit(out, ",\"did_you_mean\":");
            buf_json_string(out, meant, strlen(meant));
        }
        buf_char(out, '}');
    }
    pthread_mutex_unlock(&s->lock);
    buf_char(out, ']');
}
