/* SPDX-License-Identifier: Apache-2.0 */
/* A token of an identity provider for a role: IAM roles for service accounts of EKS. */
#include "priv.h"

static bool configured(const struct credential_chain *c)
{
    (void)c;
    return aws_env("AWS_WEB_IDENTITY_TOKEN_FILE") != NULL;
}

static bool get(struct credential_chain *c, struct credentials *out, struct err *e)
{
    const struct sts_role role = {
        .arn = aws_env("AWS_ROLE_ARN"),
        .session = aws_env("AWS_ROLE_SESSION_NAME"),
        .token_file = aws_env("AWS_WEB_IDENTITY_TOKEN_FILE"),
    };

    if (!role.arn)
        return err_set(e, ERR_UPSTREAM, "AWS_WEB_IDENTITY_TOKEN_FILE is set, AWS_ROLE_ARN is not");
    return sts_assume(c, &role, NULL, out, e);
}

const struct credential_source source_web_identity = {
    .name = "web identity",
    .absent = "AWS_WEB_IDENTITY_TOKEN_FILE is not set",
    .configured = configured,
    .get = get,
};
