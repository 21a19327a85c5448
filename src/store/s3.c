/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles in S3. */
#include "s3_priv.h"

#include "scored/clock.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

static void client_free(void *context)
{
    struct s3_client *c = context;

    if (!c)
        return;
    credentials_free(c->chain);
    for (unsigned i = 0; i < S3_WORKERS; i++)
        transport_free(c->workers[i]);
    transport_free(c->transport);
    transport_free(c->asking);
    aws_config_free(c->config);
    pthread_mutex_destroy(&c->lock);
    explicit_bzero(c, sizeof *c);
    free(c);
}

static bool fetch(void *context, const struct source_request *r, struct source_file *f,
                  struct err *e)
{
    struct s3_client *c = context;
    bool large = r->max >= S3_LARGE && !(r->tag && *r->tag);

    *f = (struct source_file){0};
    if (large ? s3_get_parts(c, r, f, e) : s3_get(c, r, f, e))
        return true;
    *f = (struct source_file){0};
    return err_wrap(e, "%s", r->name);
}

/* -- opening -- */

/* A setting of the environment or the profile; NULL where neither has it. */
static const char *setting(const struct s3_client *c, const char *variable, const char *key)
{
    const char *value = aws_env(variable);

    return value ? value : aws_profile_get(c->config, NULL, key);
}

static bool is_true(const char *value)
{
    return value && strcasecmp(value, "true") == 0;
}

static bool read_place(struct s3_client *c, const char *uri, struct err *e)
{
    const struct s3_settings s = {
        .endpoint = aws_endpoint(c->config, "s3"),
        .endpoint_setting = aws_endpoint_setting(c->config, "s3"),
        .region = aws_region(c->config),
        .dualstack = is_true(setting(c, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")),
        .fips = is_true(setting(c, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")),
    };
    const char *key = aws_env("SCORED_S3_SSE_C_KEY_FILE");

    if (!s3_place_read(&c->place, uri, &s, e))
        return false;
    if (!key)
        return true;
    if (c->place.plain)
        return err_set(e, ERR_USAGE, "SCORED_S3_SSE_C_KEY_FILE: a key is sent by https only");
    return s3_sse_read(&c->sse, key, e) || err_wrap(e, "SCORED_S3_SSE_C_KEY_FILE");
}

static bool make_transports(struct s3_client *c, struct err *e)
{
    const char *ca = setting(c, "AWS_CA_BUNDLE", "ca_bundle");
    const struct transport_options o = {.ca_bundle = ca, .stop = c->options.stop};

    c->worker_options = (struct transport_options){.ca_bundle = ca, .stop = &c->halt};
    c->transport = transport_new(&o, e);
    c->asking = c->transport ? transport_new(&o, e) : NULL;
    return c->asking != NULL;
}

static bool open_client(struct s3_client *c, const char *uri, struct err *e)
{
    c->config = aws_config_new(e);
    if (!c->config || !read_place(c, uri, e) ||
        !retry_attempts(setting(c, "AWS_MAX_ATTEMPTS", "max_attempts"), &c->attempts, e) ||
        !make_transports(c, e))
        return false;
    if (getrandom(&c->random, sizeof c->random, GRND_NONBLOCK) != sizeof c->random)
        c->random = clock_ns();
    c->random |= 1;
    c->chain = credentials_new(c->config, c->asking, &c->skew_ms, e);
    return c->chain != NULL;
}

bool s3_source(struct source *s, const char *uri, const struct source_options *options,
               struct err *e)
{
    struct s3_client *c = calloc(1, sizeof *c);

    if (!c)
        return err_memory(e);
    if (pthread_mutex_init(&c->lock, NULL) != 0) {
        free(c);
        return err_memory(e);
    }
    c->owner = s;
    c->options = *options;
    if (!open_client(c, uri, e)) {
        client_free(c);
        return false;
    }
    s->context = c;
    s->fetch = fetch;
    s->free = client_free;
    return true;
}
