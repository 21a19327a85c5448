/* SPDX-License-Identifier: Apache-2.0 */
/* Which source is asked, and when again. */
#include "priv.h"

#include "scored/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum {
    MINUTE = 60 * 1000,
    EARLY_MS = 5 * MINUTE, /* before they expire, they are asked for again */
    KEPT_MS = 15 * MINUTE, /* at most, before they are asked for again */
    AGAIN_MS = 10 * 1000,  /* between two questions while there are good ones */
    REJECTED_MS = 1000,    /* the same where the service did not take them */
    DOUBTED_MS = MINUTE,   /* the same where it denied: mostly they are not to blame */
};

static const struct credential_source *const sources[] = {
    &source_environment, &source_profile, &source_web_identity, &source_container, &source_instance,
};

struct credential_chain *credentials_new(struct aws_config *config, struct transport *t,
                                         int64_t *clock_skew_ms, struct err *e)
{
    struct credential_chain *c = calloc(1, sizeof *c);

    if (!c) {
        err_memory(e);
        return NULL;
    }
    mlock(c, sizeof *c); /* secrets stay out of swap, where that is allowed */
    c->config = config;
    c->transport = t;
    c->clock_skew_ms = clock_skew_ms;
    c->clock = clock_ms;
    c->container_host = "http://169.254.170.2";
    return c;
}

void credentials_free(struct credential_chain *c)
{
    if (!c)
        return;
    chain_wipe(c);
    http_reply_done(&c->reply);
    explicit_bzero(c, sizeof *c);
    munlock(c, sizeof *c);
    free(c);
}

uint64_t chain_now(const struct credential_chain *c)
{
    return c->clock() + (uint64_t)(c->clock_skew_ms ? *c->clock_skew_ms : 0);
}

/* -- asking -- */

static bool not_expired(const struct credential_chain *c, const struct credentials *k,
                        struct err *e)
{
    char text[CLOCK_TEXT];

    if (!k->expires_ms || k->expires_ms > chain_now(c))
        return true;
    clock_text(k->expires_ms, text);
    return err_set(e, ERR_UPSTREAM, "what it gave expired at %s", text);
}

/* Asks one source; `out` holds nothing where that fails. */
static bool ask_source(struct credential_chain *c, const struct credential_source *s,
                       struct credentials *out, struct err *e)
{
    explicit_bzero(out, sizeof *out);
    bool ok = s->get(c, out, e) && not_expired(c, out, e);
    chain_wipe(c);
    if (ok) {
        out->source = s->name;
        return true;
    }
    explicit_bzero(out, sizeof *out);
    if (e->code != ERR_NO_MEMORY)
        e->code = ERR_UPSTREAM;
    return false;
}

/* The first source that is configured is the one, and stays it while what it gave is in hand, even
 * if a file that is just being written says nothing. Into `tried`, why those before it were not. */
static bool ask_first(struct credential_chain *c, struct buf *tried, struct err *e)
{
    for (size_t i = 0; i < countof(sources); i++) {
        const struct credential_source *s = sources[i];
        const char *gap = tried->len ? "; " : "";
        if (c->have && c->current.source != s->name)
            continue;
        if (!c->have && !s->configured(c)) {
            buf_printf(tried, "%s%s: %s", gap, s->name, s->absent);
            continue;
        }
        if (ask_source(c, s, &c->next, e))
            return true;
        if (!s->always || e->code == ERR_NO_MEMORY)
            return err_wrap(e, "credentials of the %s", s->name);
        buf_printf(tried, "%s%s: %s", gap, s->name, e->msg);
    }
    return err_set(e, ERR_UPSTREAM, "no credentials: %s", tried->data ? tried->data : "");
}

static bool ask_once(struct credential_chain *c, struct err *e)
{
    struct buf tried = {0};

    c->config_error = (struct err){0};
    if (!aws_config_reload(c->config, &c->config_error) && c->config_error.code == ERR_NO_MEMORY) {
        *e = c->config_error;
        return false;
    }
    c->token_path[0] = '\0';
    bool ok = ask_first(c, &tried, e);
    buf_done(&tried);
    return ok;
}

/* Whether a file has changed since this, or asking, looked last. */
static bool look(struct credential_chain *c)
{
    bool moved = aws_config_moved(c->config);

    if (*c->token_path && stamp_moved(&c->token_stamp, c->token_path))
        moved = true;
    c->moved = c->moved || moved;
    return moved;
}

/* Into c->next. Once more where a file was replaced while that failed. */
static bool ask(struct credential_chain *c, struct err *e)
{
    bool ok = ask_once(c, e);

    if (!ok && e->code != ERR_NO_MEMORY && look(c)) {
        *e = (struct err){0};
        ok = ask_once(c, e);
    }
    c->asked_ms = c->clock();
    return ok;
}

/* -- when -- */

/* Where refreshing is due; jittered, so that a fleet does not ask as one. */
static uint64_t refresh_time(const struct credential_chain *c, const struct credentials *k)
{
    uint64_t now = chain_now(c), window = KEPT_MS;
    uint32_t random = 0;

    if (!k->expires_ms)
        return 0;
    uint64_t life = k->expires_ms - now;
    if (life < window + EARLY_MS)
        window = life > 2 * (uint64_t)EARLY_MS ? life - EARLY_MS : life / 2;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = 0;
    return now + window - window / 8 * (random >> 8) / (UINT32_MAX >> 8);
}

static void keep(struct credential_chain *c)
{
    explicit_bzero(&c->current, sizeof c->current);
    c->current = c->next;
    explicit_bzero(&c->next, sizeof c->next);
    c->current.serial = ++c->kept;
    c->have = true;
    c->rejected = c->moved = false;
    c->refresh_ms = refresh_time(c, &c->current);
}

/* Whether the source was asked less than `ms` ago. */
static bool asked_within(const struct credential_chain *c, uint64_t ms)
{
    uint64_t now = c->clock();

    return c->asked_ms && now >= c->asked_ms && now - c->asked_ms < ms;
}

const struct credentials *credentials_get(struct credential_chain *c, struct err *e)
{
    struct err why = {0};
    struct err expired = {0};
    bool alive = c->have && not_expired(c, &c->current, &expired), just_now = look(c);
    bool due = c->rejected || c->moved || (c->refresh_ms && chain_now(c) >= c->refresh_ms);

    if (alive && (!due || (!just_now && asked_within(c, c->rejected ? REJECTED_MS : AGAIN_MS))))
        return &c->current;
    if (ask(c, &why)) {
        keep(c);
        return &c->current;
    }
    if (alive && !c->rejected)
        return &c->current;
    *e = why;
    if (c->have && !alive) {
        err_wrap(e, "%s: %s, and could not be had anew", c->current.source, expired.msg);
        explicit_bzero(&c->current, sizeof c->current);
        c->have = false;
    }
    return NULL;
}

void credentials_reject(struct credential_chain *c, unsigned serial)
{
    if (c->have && c->current.serial == serial)
        c->rejected = true;
}

static bool same(const struct credentials *a, const struct credentials *b)
{
    return strcmp(a->key_id, b->key_id) == 0 && strcmp(a->secret, b->secret) == 0 &&
           strcmp(a->token, b->token) == 0;
}

bool credentials_doubt(struct credential_chain *c, unsigned serial)
{
    struct err ignored = {0};

    if (!c->have || c->current.serial != serial)
        return c->have;
    if ((!look(c) && asked_within(c, DOUBTED_MS)) || !ask(c, &ignored))
        return false;
    bool others = !same(&c->current, &c->next);
    keep(c);
    return others;
}

uint64_t credentials_expiry(const struct credential_chain *c)
{
    return c->have ? c->current.expires_ms : 0;
}

/* -- for people -- */

static void explain_good(const struct credentials *k, char *out, size_t size)
{
    struct err text;
    char expires[CLOCK_TEXT] = "never";

    if (k->expires_ms)
        clock_text(k->expires_ms, expires);
    err_set(&text, ERR_NONE, "key %.4s..., %s, expires %s", k->key_id,
            *k->token ? "with a session token" : "without a session token", expires);
    memcpy(out, text.msg, size < sizeof text.msg ? size : sizeof text.msg);
}

void credentials_explain(struct credential_chain *c,
                         void (*tell)(void *context, const char *source, bool configured, bool good,
                                      const char *why),
                         void *context)
{
    const char *first = NULL;

    for (size_t i = 0; i < countof(sources); i++) {
        const struct credential_source *s = sources[i];
        struct err e = {0};
        bool configured = s->configured(c), good = false;
        if (!configured) {
            err_set(&e, ERR_NONE, "%s", s->absent);
        } else if (first) {
            err_set(&e, ERR_NONE, "not asked: %s goes before it", first);
        } else {
            good = ask_source(c, s, &c->next, &e);
            if (good)
                explain_good(&c->next, e.msg, sizeof e.msg);
            explicit_bzero(&c->next, sizeof c->next);
            first = s->name;
        }
        tell(context, s->name, configured, good, e.msg);
    }
}
