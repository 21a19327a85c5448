/* SPDX-License-Identifier: Apache-2.0 */
/* URIs: which kind of source. */
#include "store_priv.h"

#include <string.h>

static const struct cache_calls cache_calls = {
    .get = cache_get,
    .note_get = cache_note_get,
    .put = cache_put,
    .note_put = cache_note_put,
    .free = cache_free,
};

static bool open_kind(struct source *s, const struct source_options *options, struct err *e)
{
    const char *scheme = strstr(s->uri, "://");

    if (strncmp(s->uri, "models:/", 8) == 0) {
        s->remote = true;
        return mlflow_source(s, s->uri, options, e);
    }

    if (strncmp(s->uri, "s3://", 5) == 0) {
        s->remote = true;
        return s3_source(s, s->uri, options, e);
    }
    if (scheme && strncmp(s->uri, "file://", 7) != 0)
        return err_set(
            e, ERR_USAGE,
            "'%.200s': a URI is a path, file://PATH, s3://BUCKET/PREFIX/ or models:/NAME@ALIAS",
            s->uri);
    return source_of_folder(s, scheme ? s->uri + 7 : s->uri, e);
}

bool cache_open(struct source *s, const char *folder, uint64_t max_bytes, struct err *e)
{
    s->cache = cache_new(folder, max_bytes, e);
    s->calls = &cache_calls;
    return s->cache != NULL;
}

static bool open_cache(struct source *s, const struct source_options *options, struct err *e)
{
    bool wanted = s->remote && options->cache && *options->cache;

    return !wanted || cache_open(s, options->cache, options->cache_bytes, e);
}

struct source *source_open(const char *uri, const struct source_options *options, struct err *e)
{
    static const struct source_options none;
    struct source *s = source_new(uri, e);

    if (!s)
        return NULL;
    if (!options)
        options = &none;
    if (open_kind(s, options, e) && open_cache(s, options, e))
        return s;
    source_free(s);
    return NULL;
}
