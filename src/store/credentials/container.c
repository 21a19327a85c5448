/* SPDX-License-Identifier: Apache-2.0 */
/* The service beside a container: ECS's agent, EKS Pod Identity. */
#include "priv.h"

#include <string.h>

static const char relative_name[] = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                  full_name[] = "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                  file_name[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                  token_name[] = "AWS_CONTAINER_AUTHORIZATION_TOKEN";

static bool configured(const struct credential_chain *c)
{
    (void)c;
    return aws_env(relative_name) || aws_env(full_name);
}

static bool make_url(const struct credential_chain *c, struct buf *url, struct err *e)
{
    const char *relative = aws_env(relative_name), *full = aws_env(full_name);

    if (relative && *relative != '/')
        return err_set(e, ERR_UPSTREAM, "%s does not begin with '/'", relative_name);
    if (!relative && strncmp(full, "http://", 7) != 0 && strncmp(full, "https://", 8) != 0)
        return err_set(e, ERR_UPSTREAM, "%s is no http:// or https:// URL", full_name);
    buf_printf(url, "%s%s", relative ? c->container_host : "", relative ? relative : full);
    return !url->failed || err_memory(e);
}

/* The file is read at every call: its token is replaced while we run. */
static bool read_token(struct credential_chain *c, char *out, size_t size, struct err *e)
{
    const char *file = aws_env(file_name), *token = aws_env(token_name);

    out[0] = '\0';
    if (file && !secret_file(c, file, out, size, e))
        return err_wrap(e, "%s", file_name);
    if (!file && token && strlen(token) >= size)
        return err_set(e, ERR_UPSTREAM, "%s is too long", token_name);
    if (!file && token)
        memcpy(out, token, strlen(token) + 1);
    return http_is_clean(out) ||
           err_set(e, ERR_UPSTREAM, "%s has a line break or control character",
                   file ? file_name : token_name);
}

static bool get(struct credential_chain *c, struct credentials *out, struct err *e)
{
    char token[SECRET_MAX];
    struct buf url = {0};

    bool ok = make_url(c, &url, e) && read_token(c, token, sizeof token, e);
    if (ok) {
        const struct http_header header = {"Authorization", token};
        const struct http_call call = {
            .method = "GET",
            .url = url.data,
            .headers = &header,
            .n_headers = *token ? 1 : 0,
            .max = ANSWER_MAX,
            .connect_ms = 2000,
            .total_ms = 5000,
            .direct = true,
            .metadata_only = true,
        };
        ok = chain_call(c, &call, 3, e) && chain_json(c, out, e);
    }
    explicit_bzero(token, sizeof token);
    buf_done(&url);
    return ok;
}

const struct credential_source source_container = {
    .name = "container",
    .absent = "AWS_CONTAINER_CREDENTIALS_FULL_URI and _RELATIVE_URI are not set",
    .configured = configured,
    .get = get,
};
