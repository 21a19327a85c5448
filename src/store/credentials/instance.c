/* SPDX-License-Identifier: Apache-2.0 */
/* EC2's instance metadata service, by version 2 only: version 1 answers whoever can make a process
 * send a GET. */
#include "../sigv4.h"
#include "priv.h"

#include <string.h>
#include <strings.h>

static const char path[] = "/latest/meta-data/iam/security-credentials/";

struct service {
    struct credential_chain *c;
    struct buf endpoint; /* no slash at its end */
    char token[1024];
    unsigned timeout_s, attempts;
};

static bool configured(const struct credential_chain *c)
{
    const char *disabled = aws_env("AWS_EC2_METADATA_DISABLED");

    (void)c;
    return !disabled || strcasecmp(disabled, "true") != 0;
}

/* -- settings -- */

static bool read_endpoint(struct buf *out, struct err *e)
{
    const char *endpoint = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (endpoint && strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0)
        return err_set(e, ERR_UPSTREAM,
                       "AWS_EC2_METADATA_SERVICE_ENDPOINT is no http:// or https:// URL");
    if (!endpoint && mode && strcasecmp(mode, "IPv4") != 0 && strcasecmp(mode, "IPv6") != 0)
        return err_set(e, ERR_UPSTREAM,
                       "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is neither IPv4 nor IPv6");
    if (!endpoint)
        endpoint = mode && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]"
                                                         : "http://169.254.169.254";
    buf_text(out, endpoint);
    while (out->len && out->data[out->len - 1] == '/')
        out->data[--out->len] = '\0';
    return !out->failed || err_memory(e);
}

static bool read_number(const char *variable, unsigned high, unsigned *out, struct err *e)
{
    const char *text = aws_env(variable);

    *out = 1;
    if (!text || number_read(text, 1, high, out))
        return true;
    return err_set(e, ERR_UPSTREAM, "%s: '%.20s' is no number from 1 to %u", variable, text, high);
}

/* -- calls -- */

static bool call(struct service *s, const char *method, const char *url,
                 const struct http_header *header, struct err *e)
{
    const struct http_call call = {
        .method = method,
        .url = url,
        .headers = header,
        .n_headers = 1,
        .max = ANSWER_MAX,
        .connect_ms = 1000 * s->timeout_s,
        .total_ms = 1000 * s->timeout_s,
        .direct = true,
    };

    return chain_call(s->c, &call, s->attempts, e);
}

static bool get_token(struct service *s, struct err *e)
{
    const struct http_header lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "21600"};
    struct buf url = {0};

    buf_printf(&url, "%s/latest/api/token", s->endpoint.data);
    bool ok = url.failed ? err_memory(e) : call(s, "PUT", url.data, &lifetime, e);
    if (!ok && s->c->reply.failure == HTTP_TIMEOUT)
        err_wrap(e, "no answer: this is no EC2 instance, or one whose hop limit keeps containers "
                    "out");
    ok = ok && secret_copy(s->token, sizeof s->token, s->c->reply.body.data, "its token", e);
    chain_wipe(s->c);
    buf_done(&url);
    return ok;
}

/* GET of a path below security-credentials/. */
static bool get_path(struct service *s, const char *name, struct err *e)
{
    const struct http_header token = {"X-aws-ec2-metadata-token", s->token};
    struct buf url = {0};

    buf_printf(&url, "%s%s", s->endpoint.data, path);
    url_encode(&url, name, strlen(name), false);
    bool ok = url.failed ? err_memory(e) : call(s, "GET", url.data, &token, e);
    buf_done(&url);
    return ok;
}

static bool get_role(struct service *s, char *out, size_t size, struct err *e)
{
    if (!get_path(s, "", e))
        return s->c->reply.status == 404 ? err_set(e, ERR_UPSTREAM, "the instance has no role")
                                         : false;
    char *body = s->c->reply.body.data;
    body[strcspn(body, "\r\n")] = '\0';
    return secret_copy(out, size, body, "the name of the instance's role", e);
}

static bool get(struct credential_chain *c, struct credentials *out, struct err *e)
{
    struct service s = {.c = c};
    char role[256];

    bool ok = read_endpoint(&s.endpoint, e) &&
              read_number("AWS_METADATA_SERVICE_TIMEOUT", 60, &s.timeout_s, e) &&
              read_number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", 10, &s.attempts, e) &&
              get_token(&s, e) && get_role(&s, role, sizeof role, e) && get_path(&s, role, e) &&
              chain_json(c, out, e);
    explicit_bzero(s.token, sizeof s.token);
    buf_done(&s.endpoint);
    return ok;
}

const struct credential_source source_instance = {
    .name = "instance",
    .absent = "AWS_EC2_METADATA_DISABLED is true",
    .configured = configured,
    .get = get,
    .always = true,
};
