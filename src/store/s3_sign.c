/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_priv.h"

#include "scored/clock.h"

#include <stdio.h>

static void add(struct s3_signed *s, const char *name, const char *value)
{
    if (value && *value)
        s->headers[s->n_headers++] = (struct http_header){name, value};
}

/* All that is signed. */
static void add_headers(const struct s3_client *c, const struct s3_request *r, struct s3_signed *s)
{
    if (r->ranged)
        snprintf(s->range, sizeof s->range, "bytes=%llu-%llu", (unsigned long long)r->from,
                 (unsigned long long)r->end - 1);
    add(s, "host", s->host);
    add(s, "x-amz-date", s->date);
    add(s, "x-amz-content-sha256", sigv4_empty_sha256);
    add(s, "x-amz-security-token", s->token);
    add(s, "range", s->range);
    add(s, "if-match", r->if_match);
    add(s, "if-none-match", r->if_none_match);
    add(s, "x-amz-request-payer", c->place.requester_pays ? "requester" : "");
    if (!*c->sse.key)
        return;
    add(s, "x-amz-server-side-encryption-customer-algorithm", "AES256");
    add(s, "x-amz-server-side-encryption-customer-key", c->sse.key);
    add(s, "x-amz-server-side-encryption-customer-key-md5", c->sse.md5);
}

static bool put_url(const struct s3_client *c, const struct s3_request *r, struct s3_signed *s,
                    struct err *e)
{
    s3_place_host(&c->place, s->host);
    if (!*s->host)
        return err_set(e, ERR_USAGE, "the host's name is too long");
    s3_place_path(&c->place, r->name, &s->path);
    if (*c->place.version_id && strcmp(r->name, "bundle.json") == 0) {
        buf_lit(&s->query, "versionId=");
        url_encode(&s->query, c->place.version_id, strlen(c->place.version_id), false);
    }
    buf_printf(&s->url, "%s://%s%s%s%s", c->place.plain ? "http" : "https", s->host, s->path.data,
               s->query.len ? "?" : "", s->query.len ? s->query.data : "");
    return !(s->path.failed || s->query.failed || s->url.failed) || err_memory(e);
}

static bool put_authorization(struct s3_client *c, const struct credentials *k, struct s3_signed *s,
                              struct err *e)
{
    const struct sigv4_request r = {.method = "GET",
                                    .path = s->path.data,
                                    .query = s->query.data,
                                    .headers = s->headers,
                                    .n_headers = s->n_headers,
                                    .payload_sha256 = sigv4_empty_sha256,
                                    .rule = SIGV4_AS_SENT};
    struct sigv4_signer by = {.key_id = k->key_id,
                              .secret = k->secret,
                              .region = s->region,
                              .service = "s3",
                              .cache = &c->key};

    memcpy(by.date, s->date, sizeof by.date);
    if (!sigv4_authorization(&r, &by, &s->authorization, s->canonical, e))
        return false;
    add(s, "authorization", s->authorization.data);
    return true;
}

/* With the client's lock held. */
static bool sign(struct s3_client *c, const struct s3_request *r, struct s3_signed *s,
                 struct err *e)
{
    const struct credentials *k = credentials_get(c->chain, e);

    atomic_store(&c->owner->credentials_expire_ms, credentials_expiry(c->chain));
    if (!k)
        return err_wrap(e, "no credentials");
    s->credentials = k->source;
    s->serial = k->serial;
    memcpy(s->token, k->token, sizeof s->token);
    memcpy(s->region, c->place.region, sizeof s->region);
    sigv4_date(clock_ms() + (uint64_t)c->skew_ms, s->date);
    if (!put_url(c, r, s, e))
        return false;
    add_headers(c, r, s);
    return put_authorization(c, k, s, e);
}

bool s3_sign(struct s3_client *c, const struct s3_request *r, struct s3_signed *s, struct err *e)
{
    pthread_mutex_lock(&c->lock);
    bool ok = sign(c, r, s, e);
    pthread_mutex_unlock(&c->lock);
    return ok;
}

void s3_signed_done(struct s3_signed *s)
{
    buf_done(&s->url);
    buf_done(&s->path);
    buf_done(&s->query);
    buf_done(&s->authorization);
    explicit_bzero(s->token, sizeof s->token);
}
