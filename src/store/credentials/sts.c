/* SPDX-License-Identifier: Apache-2.0 */
/* The Security Token Service: temporary credentials of a role. */
#include "../sigv4.h"
#include "priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SKEW_LEAST_MS = 60 * 1000 }; /* a clock that is off by less is not why */

struct request {
    struct credential_chain *c;
    const char *region;
    struct buf url, body;
    char host[300];
    const char *path; /* in url */
};

/* -- where -- */

static bool split_url(struct request *r, struct err *e)
{
    const char *host = strstr(r->url.data, "://") + 3;
    size_t n = strcspn(host, "/?#");

    if (n == 0 || n >= sizeof r->host || host[n] != '/')
        return err_set(e, ERR_UPSTREAM, "'%.100s' is no URL of a service", r->url.data);
    memcpy(r->host, host, n);
    r->host[n] = '\0';
    r->path = host + n;
    return true;
}

static bool make_url(struct request *r, struct err *e)
{
    const struct aws_config *config = r->c->config;
    const char *endpoint = aws_endpoint(config, "sts"), *fips = aws_env("AWS_USE_FIPS_ENDPOINT");

    if (!fips)
        fips = aws_profile_get(config, NULL, "use_fips_endpoint");
    r->region = aws_region(config);
    if (!endpoint && !r->region)
        return err_set(e, ERR_UPSTREAM, "STS needs a region: set AWS_REGION");
    if (endpoint && strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0)
        return err_set(e, ERR_UPSTREAM, "%s is no http:// or https:// URL",
                       aws_endpoint_setting(config, "sts"));
    if (endpoint)
        buf_text(&r->url, endpoint);
    else
        buf_printf(&r->url, "https://sts%s.%s.%s",
                   fips && strcasecmp(fips, "true") == 0 ? "-fips" : "", r->region,
                   aws_dns_suffix(r->region));
    if (r->url.len && r->url.data[r->url.len - 1] != '/')
        buf_char(&r->url, '/');
    if (!r->region)
        r->region = "us-east-1"; /* an endpoint of one's own takes any */
    return r->url.failed ? err_memory(e) : split_url(r, e);
}

/* -- what -- */

static void put(struct request *r, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(&r->body, "&%s=", name);
    url_encode(&r->body, value, strlen(value), false);
}

/* The token's file is read at every call: it is replaced while we run. */
static bool put_token(struct request *r, const char *path, struct err *e)
{
    char token[SECRET_MAX];
    bool ok = secret_file(r->c, path, token, sizeof token, e);

    if (ok) {
        size_t n = strlen(token);
        while (n && strchr(" \t\r\n", token[n - 1]))
            token[--n] = '\0';
        ok = n || err_set(e, ERR_UPSTREAM, "%.200s is empty", path);
    }
    if (ok)
        put(r, "WebIdentityToken", token);
    explicit_bzero(token, sizeof token);
    return ok || err_wrap(e, "the token of the web identity");
}

static bool make_body(struct request *r, const struct sts_role *role, struct err *e)
{
    char session[40];
    unsigned seconds;

    if (role->duration && !number_read(role->duration, 900, 43200, &seconds))
        return err_set(e, ERR_UPSTREAM, "duration_seconds: '%.20s' is no number from 900 to 43200",
                       role->duration);
    snprintf(session, sizeof session, "scored-%llu", (unsigned long long)chain_now(r->c));
    buf_reserve(&r->body,
                4 * (size_t)SECRET_MAX); /* once: memory that grows leaves copies behind */
    buf_printf(&r->body, "Action=AssumeRole%s&Version=2011-06-15",
               role->token_file ? "WithWebIdentity" : "");
    put(r, "RoleArn", role->arn);
    put(r, "RoleSessionName", role->session ? role->session : session);
    put(r, "ExternalId", role->external_id);
    put(r, "DurationSeconds", role->duration);
    return !role->token_file || put_token(r, role->token_file, e);
}

/* -- the call -- */

static bool sign(const struct request *r, const struct http_header *headers, unsigned n,
                 const struct credentials *by, struct buf *out, struct err *e)
{
    char digest[SHA256_HEX + 1], canonical[SHA256_HEX + 1];
    const struct sigv4_request request = {
        .method = "POST",
        .path = r->path,
        .headers = headers,
        .n_headers = n,
        .payload_sha256 = digest,
        .rule = SIGV4_NORMALISED,
    };
    struct sigv4_key key = {0};
    struct sigv4_signer signer = {
        .key_id = by->key_id,
        .secret = by->secret,
        .region = r->region,
        .service = "sts",
        .cache = &key,
    };

    sigv4_date(chain_now(r->c), signer.date);
    bool ok = sha256_hex(r->body.data, r->body.len, digest, e) &&
              sigv4_authorization(&request, &signer, out, canonical, e) &&
              (!out->failed || err_memory(e));
    sigv4_forget(&key);
    return ok;
}

static bool call(const struct request *r, const struct credentials *by, struct err *e)
{
    char date[SIGV4_DATE];
    struct buf authorization = {0};
    struct http_header headers[5] = {
        {"host", r->host},
        {"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
    };
    unsigned n = 2;
    bool ok = true;

    sigv4_date(chain_now(r->c), date);
    if (by) {
        headers[n++] = (struct http_header){"x-amz-date", date};
        if (*by->token)
            headers[n++] = (struct http_header){"x-amz-security-token", by->token};
        ok = sign(r, headers, n, by, &authorization, e);
        headers[n++] = (struct http_header){"authorization", authorization.data};
    }
    const struct http_call post = {
        .method = "POST",
        .url = r->url.data,
        .headers = headers,
        .n_headers = n,
        .body = r->body.data,
        .body_size = r->body.len,
        .max = STS_MAX,
        .connect_ms = 3000,
        .total_ms = 10000,
    };
    ok = ok && chain_call(r->c, &post, 3, e);
    buf_done(&authorization);
    return ok;
}

/* -- the answer -- */

static bool copy_element(const struct buf *xml, const char *name, char *out, size_t size,
                         struct err *e)
{
    char text[sizeof((struct credentials *)NULL)->token];

    bool ok = xml_text(xml->data, xml->len, name, text, sizeof text)
                  ? secret_copy(out, size, text, name, e)
                  : err_set(e, ERR_UPSTREAM, "it has no usable %s", name);
    explicit_bzero(text, sizeof text);
    return ok;
}

static bool read_answer(const struct buf *xml, struct credentials *out, struct err *e)
{
    char expiration[64];

    return copy_element(xml, "AccessKeyId", out->key_id, sizeof out->key_id, e) &&
           copy_element(xml, "SecretAccessKey", out->secret, sizeof out->secret, e) &&
           copy_element(xml, "SessionToken", out->token, sizeof out->token, e) &&
           copy_element(xml, "Expiration", expiration, sizeof expiration, e) &&
           (time_read(expiration, &out->expires_ms) ||
            err_set(e, ERR_UPSTREAM, "Expiration: '%s' is no time", expiration));
}

/* A refusal may be for our date, which AWS's clock then tells: true where that is another. */
static bool set_clock(struct credential_chain *c)
{
    uint64_t theirs;

    if (!c->clock_skew_ms || c->reply.failure != HTTP_OK || c->reply.status / 100 != 4 ||
        !http_reply_date(&c->reply, &theirs))
        return false;
    int64_t off = (int64_t)theirs - (int64_t)chain_now(c);
    if (off > -SKEW_LEAST_MS && off < SKEW_LEAST_MS)
        return false;
    *c->clock_skew_ms = (int64_t)theirs - (int64_t)c->clock();
    return true;
}

/* The call, and once more where the clock was wrong. */
static bool call_in_time(const struct request *r, const struct credentials *by, struct err *e)
{
    if (call(r, by, e))
        return true;
    if (!by || !set_clock(r->c))
        return false;
    *e = (struct err){0};
    return call(r, by, e);
}

bool sts_assume(struct credential_chain *c, const struct sts_role *role,
                const struct credentials *by, struct credentials *out, struct err *e)
{
    struct request r = {.c = c};

    bool ok = make_url(&r, e) && make_body(&r, role, e) && (!r.body.failed || err_memory(e)) &&
              call_in_time(&r, by, e);
    if (ok && !read_answer(&c->reply.body, out, e))
        ok = err_wrap(e, "the answer of %.100s cannot be used", r.host);
    chain_wipe(c);
    if (r.body.data)
        explicit_bzero(r.body.data, r.body.cap);
    buf_done(&r.body);
    buf_done(&r.url);
    return ok || err_wrap(e, "role %.100s", role->arn);
}
