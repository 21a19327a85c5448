/* SPDX-License-Identifier: Apache-2.0 */
/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. */
#include "priv.h"

static const char id_name[] = "AWS_ACCESS_KEY_ID", secret_name[] = "AWS_SECRET_ACCESS_KEY",
                  token_name[] = "AWS_SESSION_TOKEN", time_name[] = "AWS_CREDENTIAL_EXPIRATION";

static bool configured(const struct credential_chain *c)
{
    (void)c;
    return aws_env(id_name) || aws_env(secret_name);
}

static bool get(struct credential_chain *c, struct credentials *out, struct err *e)
{
    const char *id = aws_env(id_name), *secret = aws_env(secret_name);
    const char *token = aws_env(token_name), *expires = aws_env(time_name);

    (void)c;
    if (!id || !secret)
        return err_set(e, ERR_UPSTREAM, "%s is set, %s is not", id ? id_name : secret_name,
                       id ? secret_name : id_name);
    if (expires && !time_read(expires, &out->expires_ms))
        return err_set(e, ERR_UPSTREAM, "%s: '%.40s' is no time, as 2026-11-21T10:20:30Z is",
                       time_name, expires);
    return secret_copy(out->key_id, sizeof out->key_id, id, id_name, e) &&
           secret_copy(out->secret, sizeof out->secret, secret, secret_name, e) &&
           (!token || secret_copy(out->token, sizeof out->token, token, token_name, e));
}

const struct credential_source source_environment = {
    .name = "environment",
    .absent = "AWS_ACCESS_KEY_ID is not set",
    .configured = configured,
    .get = get,
};
