/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_priv.h"

#include "scored/clock.h"

#include <stdlib.h>
#include <time.h>

enum {
    MILLION = 1000000,
    NAP_MS = 100,        /* the stop flag is looked at as often while waiting */
    HEADWAY = 256 << 10, /* bytes that make a broken attempt one that was worth it */
};

bool s3_stopped(const struct s3_client *c)
{
    return (c->options.stop && *c->options.stop) || c->halt;
}

uint64_t s3_deadline(uint64_t from_ns, uint64_t n)
{
    uint64_t ms = n / (1 << 20) * 1000;

    return from_ns + (ms > S3_LEAST_MS ? ms : S3_LEAST_MS) * MILLION;
}

/* One attempt, while it runs and then judged. */
struct attempt {
    struct s3_client *client;
    struct s3_request *request;
    struct http_reply reply;
    struct s3_signed as;
    struct s3_failure failure;
    struct err *e;
    struct err head;      /* why the head was refused */
    enum retry_kind kind; /* what may help if it failed */
    bool checked;         /* the head was looked at */
};

static bool check_head(struct attempt *a)
{
    a->checked = true;
    return s3_check_head(&a->reply, a->request, &a->head);
}

static bool take(void *context, const char *p, size_t n)
{
    struct attempt *a = context;
    struct s3_request *r = a->request;

    if (!a->checked && !check_head(a))
        return false;
    if (r->ranged && n > r->end - r->from) /* the head may have told less than was asked for */
        return err_set(&a->head, ERR_UPSTREAM, "a reply that is longer than its Content-Range");
    if (!r->sink(r->context, p, n))
        return false;
    r->from += r->ranged ? n : 0;
    return true;
}

static bool send(struct attempt *a, struct transport *t)
{
    const struct s3_request *r = a->request;
    uint64_t now = clock_ns(), left = r->deadline_ns > now ? (r->deadline_ns - now) / MILLION : 0;
    const struct http_call call = {.method = "GET",
                                   .url = a->as.url.data,
                                   .headers = a->as.headers,
                                   .n_headers = a->as.n_headers,
                                   .max = r->ranged ? r->end - r->from : r->max,
                                   .connect_ms = S3_CONNECT_MS,
                                   .total_ms = left > UINT32_MAX ? UINT32_MAX : (unsigned)left + 1,
                                   .sink = take,
                                   .context = a};

    return transport_call(t, &call, &a->reply, a->e);
}

/* -- judging -- */

/* There is no reply, or it is not whole. */
static bool judge_broken(struct attempt *a)
{
    if (a->reply.failure == HTTP_TOO_LARGE && a->reply.status / 100 == 2 && !a->checked)
        check_head(a); /* knows better why */
    if (a->head.code) {
        *a->e = a->head;
        return false;
    }
    if (a->e->code == ERR_UPSTREAM)
        a->kind = retry_kind_of(a->reply.failure, 0, "");
    struct err why = *a->e;
    if (a->reply.failure == HTTP_UNTRUSTED)
        err_set(a->e, why.code, "%.400s; AWS_CA_BUNDLE names a file of the authorities to trust",
                why.msg);
    return false;
}

static bool judge_success(struct attempt *a)
{
    struct s3_request *r = a->request;

    if (!a->checked && !check_head(a)) {
        *a->e = a->head;
        return false;
    }
    if (!r->ranged || r->from == r->end)
        return true;
    a->kind = RETRY_TRANSIENT;
    return err_set(a->e, ERR_UPSTREAM, "the reply ended early");
}

/* Whether the attempt did what it was for; else `kind` says what may help, and `e` what was. */
static bool judge(struct attempt *a, bool whole)
{
    struct s3_request *r = a->request;
    struct s3_failure *f = &a->failure;

    a->kind = RETRY_NOTHING;
    if (!whole)
        return judge_broken(a);
    if (a->reply.status == 200 || a->reply.status == 206)
        return judge_success(a);
    r->unchanged = a->reply.status == 304 && r->if_none_match;
    if (r->unchanged)
        return true;
    r->changed = a->reply.status == 412 && r->if_match;
    if (r->changed)
        return err_set(a->e, ERR_UPSTREAM, "it was overwritten while it was read");
    s3_read_failure(&a->reply, f);
    a->kind = retry_kind_of(HTTP_OK, f->status, f->code);
    f->credentials = a->as.credentials;
    memcpy(f->asked_region, a->as.region, sizeof f->asked_region);
    memcpy(f->canonical, a->as.canonical, sizeof f->canonical);
    return s3_fail(f, a->e);
}

/* -- trying again -- */

/* With the client's lock held: puts right what was wrong. False where that cannot be. */
static bool correct(struct s3_client *c, const struct attempt *a)
{
    uint64_t theirs;

    switch (a->kind) {
    case RETRY_NOTHING: return false;
    case RETRY_TRANSIENT:
    case RETRY_THROTTLED: return true;
    case RETRY_CREDENTIALS: credentials_reject(c->chain, a->as.serial); return true;
    case RETRY_DENIED: return credentials_doubt(c->chain, a->as.serial);
    case RETRY_CLOCK:
        if (!http_reply_date(&a->reply, &theirs))
            return false;
        c->skew_ms = (int64_t)theirs - (int64_t)clock_ms();
        return true;
    case RETRY_REGION:
        if (!*a->failure.region || strcmp(a->failure.region, a->as.region) == 0)
            return false;
        memcpy(c->place.region, a->failure.region, sizeof c->place.region);
        return true;
    }
    return false;
}

/* In [0, 1). With the client's lock held. */
static double chance(struct s3_client *c)
{
    c->random ^= c->random << 13; /* xorshift64 */
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return (double)(c->random >> 11) * 0x1p-53;
}

static long retry_after(const struct http_reply *reply)
{
    char text[12];

    if (!http_reply_header(reply, "x-amz-retry-after", text, sizeof text) || !*text ||
        text[strspn(text, "0123456789")])
        return -1;
    return strtol(text, NULL, 10);
}

/* Whether to try again, and after how long. */
static bool again(struct s3_client *c, const struct attempt *a, struct retry *retry, unsigned *wait)
{
    pthread_mutex_lock(&c->lock);
    bool yes = correct(c, a) && retry_again(retry, &c->bucket, a->kind);
    *wait = yes ? retry_wait_ms(retry, a->kind, chance(c), retry_after(&a->reply)) : 0;
    pthread_mutex_unlock(&c->lock);
    return yes;
}

static void succeeded(struct s3_client *c, const struct retry *retry)
{
    pthread_mutex_lock(&c->lock);
    retry_succeeded(retry, &c->bucket);
    pthread_mutex_unlock(&c->lock);
}

/* Waits; false where it is to stop, or the deadline would pass. */
static bool pause_ms(const struct s3_client *c, unsigned ms, uint64_t deadline_ns)
{
    uint64_t until = clock_ns() + (uint64_t)ms * MILLION;

    if (until >= deadline_ns)
        return false;
    for (;;) {
        uint64_t now = clock_ns(), left = until > now ? until - now : 0;
        if (s3_stopped(c) || left == 0)
            return !s3_stopped(c);
        uint64_t nap = left < (uint64_t)NAP_MS * MILLION ? left : (uint64_t)NAP_MS * MILLION;
        nanosleep(&(struct timespec){.tv_nsec = (long)nap}, NULL);
    }
}

/* Makes an attempt and decides. Whether it is over: then *ok says how. */
static bool attempt(struct attempt *a, struct transport *t, struct retry *retry, bool *ok)
{
    uint64_t from = a->request->from;
    unsigned wait;

    *ok = s3_sign(a->client, a->request, &a->as, a->e) && judge(a, send(a, t));
    if (*ok) {
        succeeded(a->client, retry);
        return true;
    }
    if (a->request->ranged && a->request->from - from >= HEADWAY)
        retry->made = 0;
    if (!again(a->client, a, retry, &wait))
        return true;
    return !pause_ms(a->client, wait, a->request->deadline_ns);
}

bool s3_call(struct s3_client *c, struct transport *t, struct s3_request *r, struct err *e)
{
    struct retry retry = {.attempts = c->attempts};
    bool over = false, ok = false;

    while (!over) {
        struct attempt a = {.client = c, .request = r, .e = e};
        *e = (struct err){0};
        over = attempt(&a, t, &retry, &ok);
        http_reply_done(&a.reply);
        s3_signed_done(&a.as);
        if (!over && r->again)
            r->again(r->context);
    }
    if (!ok && s3_stopped(c))
        return err_set(e, ERR_UPSTREAM, "stopped");
    if (!ok && retry.made)
        return err_wrap(e, "tried %u times", retry.made + 1);
    return ok;
}
