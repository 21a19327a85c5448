/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile of the shared files: keys, or a role that is assumed by what another profile or source
 * gives. Of a profile that another one names as its source, keys go before a role.
 */
#include "priv.h"

#include <string.h>
#include <strings.h>

enum { MAX_ROLES = 5 }; /* in a row */

/* The profiles from the chosen one to where we are. */
struct walk {
    struct credential_chain *c;
    const char *names[MAX_ROLES + 1];
    unsigned n;
};

static bool resolve(struct walk *w, const char *profile, struct credentials *out, struct err *e);

/* -- keys -- */

static bool has_keys(const struct aws_config *config, const char *profile)
{
    return aws_profile_get(config, profile, "aws_access_key_id") ||
           aws_profile_get(config, profile, "aws_secret_access_key");
}

static bool copy_key(const struct walk *w, const char *profile, const char *key, char *out,
                     size_t size, struct err *e)
{
    const char *value = aws_profile_get(w->c->config, profile, key);

    if (!value)
        return err_set(e, ERR_UPSTREAM, "it has one key but no %s", key);
    return secret_copy(out, size, value, key, e);
}

static bool copy_keys(const struct walk *w, const char *profile, struct credentials *out,
                      struct err *e)
{
    bool token = aws_profile_get(w->c->config, profile, "aws_session_token") != NULL;

    return copy_key(w, profile, "aws_access_key_id", out->key_id, sizeof out->key_id, e) &&
           copy_key(w, profile, "aws_secret_access_key", out->secret, sizeof out->secret, e) &&
           (!token || copy_key(w, profile, "aws_session_token", out->token, sizeof out->token, e));
}

/* -- roles -- */

static bool by_source(const struct walk *w, const char *name, struct credentials *out,
                      struct err *e)
{
    static const struct {
        const char *name;
        const struct credential_source *source;
    } sources[] = {
        {"Environment", &source_environment},
        {"EcsContainer", &source_container},
        {"Ec2InstanceMetadata", &source_instance},
    };

    for (size_t i = 0; i < countof(sources); i++) {
        const struct credential_source *s = sources[i].source;
        if (strcasecmp(sources[i].name, name) != 0)
            continue;
        if (!s->configured(w->c))
            return err_set(e, ERR_UPSTREAM, "credential_source %s: %s", name, s->absent);
        return s->get(w->c, out, e) || err_wrap(e, "credential_source %s", name);
    }
    return err_set(e, ERR_UPSTREAM,
                   "credential_source: '%.40s' is none of Environment, EcsContainer, "
                   "Ec2InstanceMetadata",
                   name);
}

/* What the role is assumed by. */
static bool find_base(struct walk *w, const char *profile, struct credentials *out, struct err *e)
{
    const char *source = aws_profile_get(w->c->config, profile, "source_profile");
    const char *kind = aws_profile_get(w->c->config, profile, "credential_source");

    if (!source == !kind)
        return err_set(e, ERR_UPSTREAM,
                       source ? "it has both source_profile and credential_source"
                              : "its role_arn needs source_profile, credential_source or "
                                "web_identity_token_file");
    if (kind)
        return by_source(w, kind, out, e);
    if (strcmp(source, profile) == 0)
        return copy_keys(w, profile, out, e);
    return resolve(w, source, out, e);
}

static bool assume(struct walk *w, const char *profile, struct credentials *out, struct err *e)
{
    const struct aws_config *config = w->c->config;
    const struct sts_role role = {
        .arn = aws_profile_get(config, profile, "role_arn"),
        .session = aws_profile_get(config, profile, "role_session_name"),
        .external_id = aws_profile_get(config, profile, "external_id"),
        .duration = aws_profile_get(config, profile, "duration_seconds"),
        .token_file = aws_profile_get(config, profile, "web_identity_token_file"),
    };
    struct credentials base = {0};

    if (aws_profile_get(config, profile, "mfa_serial"))
        return err_set(e, ERR_UPSTREAM,
                       "mfa_serial asks for a code that nobody is here to type: use a role without "
                       "it, or put temporary keys into the environment");
    if (role.token_file)
        return sts_assume(w->c, &role, NULL, out, e);
    bool ok = find_base(w, profile, &base, e) && sts_assume(w->c, &role, &base, out, e);
    explicit_bzero(&base, sizeof base);
    return ok;
}

/* -- profiles -- */

/* What would start programs or browsers. */
static const struct {
    const char *key, *instead;
} unsupported[] = {
    {"credential_process", "a program is not run for keys"},
    {"sso_session", "IAM Identity Center needs a browser"},
    {"sso_start_url", "IAM Identity Center needs a browser"},
};

static bool refuse(const struct walk *w, const char *profile, struct err *e)
{
    for (size_t i = 0; i < countof(unsupported); i++)
        if (aws_profile_get(w->c->config, profile, unsupported[i].key))
            return err_set(e, ERR_UPSTREAM,
                           "%s is not read (%s): use role_arn, or keys, as `aws configure "
                           "export-credentials` prints them",
                           unsupported[i].key, unsupported[i].instead);
    if (aws_profile_get(w->c->config, profile, "web_identity_token_file"))
        return err_set(e, ERR_UPSTREAM, "its web_identity_token_file needs role_arn");
    return err_set(e, ERR_UPSTREAM, "it has no keys and no role_arn");
}

static bool enter(struct walk *w, const char *profile, struct err *e)
{
    if (!aws_profile_exists(w->c->config, profile))
        return err_set(e, ERR_UPSTREAM, "no file has it");
    for (unsigned i = 0; i < w->n; i++)
        if (strcmp(w->names[i], profile) == 0)
            return err_set(e, ERR_UPSTREAM, "its source_profile leads back to itself");
    if (w->n == countof(w->names))
        return err_set(e, ERR_UPSTREAM, "more than %d roles in a row", (int)MAX_ROLES);
    w->names[w->n++] = profile;
    return true;
}

static bool resolve(struct walk *w, const char *profile, struct credentials *out, struct err *e)
{
    const struct aws_config *config = w->c->config;
    bool ok = enter(w, profile, e);

    if (ok) {
        bool keys = has_keys(config, profile);
        if (aws_profile_get(config, profile, "role_arn") && (w->n == 1 || !keys))
            ok = assume(w, profile, out, e);
        else
            ok = keys ? copy_keys(w, profile, out, e) : refuse(w, profile, e);
    }
    return ok || err_wrap(e, "'%.60s'", profile);
}

static bool configured(const struct credential_chain *c)
{
    static const char *const keys[] = {"role_arn", "web_identity_token_file"};
    bool found = has_keys(c->config, NULL);

    for (size_t i = 0; i < countof(keys); i++)
        found = found || aws_profile_get(c->config, NULL, keys[i]);
    for (size_t i = 0; i < countof(unsupported); i++)
        found = found || aws_profile_get(c->config, NULL, unsupported[i].key);
    return found;
}

static bool get(struct credential_chain *c, struct credentials *out, struct err *e)
{
    struct walk w = {.c = c};

    if (c->config_error.code) {
        *e = c->config_error;
        return false;
    }
    return resolve(&w, aws_profile_name(c->config), out, e);
}

const struct credential_source source_profile = {
    .name = "profile",
    .absent = "no keys and no role_arn",
    .configured = configured,
    .get = get,
};
