/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models of MLflow's registry: models:/NAME@ALIAS and models:/NAME/VERSION. The tracking server is
 * asked by REST which version that is and where its files are; they come from S3, or through the
 * server itself. Whenever the manifest is looked at, the alias is looked up again, so that a
 * version that is given the alias is served from then on.
 */
#include "store_priv.h"

#include "scored/base64.h"
#include "scored/json.h"
#include "transport.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 256, /* of a model, an alias, a version */
    URL_BYTES = 2048,
    SOURCE_BYTES = 1024,
    ANSWER_BYTES = 64 << 10,
    ASK_MS = 10000,
    LARGE_MS = 600000, /* for a file that comes through the server */
};

static const char artifacts[] = "mlflow-artifacts:/";
static const struct json_limits limits = {.bytes = ANSWER_BYTES, .depth = 16, .number = 40};

struct mlflow {
    struct source_options options;
    struct transport *transport;
    struct http_reply reply;
    struct buf authorization;     /* the header's value; empty: none */
    struct source *owner, *inner; /* `inner`: where the files are, once that is known */
    char server[URL_BYTES / 2];   /* without a slash at its end */
    char name[NAME_MAX_BYTES], alias[NAME_MAX_BYTES], version[NAME_MAX_BYTES]; /* encoded */
    char place[SOURCE_BYTES]; /* what the server said of them */
};

static const char *setting(const char *variable)
{
    const char *value = getenv(variable); /* NOLINT(concurrency-mt-unsafe): nobody writes it */

    return value ? value : "";
}

/* -- what is asked for -- */

/* Percent-encodes all that is not plain; false where it does not fit. */
static bool encode(char *out, size_t size, const char *text, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (at + 4 > size)
            return false;
        if (isalnum(c) || strchr("-._~", c))
            out[at++] = (char)c;
        else
            at += (size_t)snprintf(out + at, 4, "%%%02X", c);
    }
    out[at] = '\0';
    return n > 0;
}

/* "models:/NAME@ALIAS" or "models:/NAME/VERSION". */
static bool read_uri(struct mlflow *m, const char *uri, struct err *e)
{
    const char *name = uri + sizeof "models:/" - 1, *mark = strpbrk(name, "@/");
    const char *rest = mark ? mark + 1 : "";
    bool by_alias = mark && *mark == '@';
    size_t n = strlen(rest);

    if (mark && encode(m->name, sizeof m->name, name, (size_t)(mark - name)) &&
        encode(by_alias ? m->alias : m->version, NAME_MAX_BYTES, rest, n) &&
        (by_alias ? !strchr(rest, '/') : strspn(rest, "0123456789") == n))
        return true;
    return err_set(e, ERR_USAGE,
                   "'%.200s': MLflow's models are models:/NAME@ALIAS or models:/NAME/VERSION", uri);
}

/* -- the server -- */

static bool read_server(struct mlflow *m, const char *given, struct err *e)
{
    const char *url = given && *given ? given : setting("MLFLOW_TRACKING_URI");
    size_t n = strlen(url);

    if (!n)
        return err_set(e, ERR_USAGE,
                       "models:/ is looked up at a tracking server: --mlflow URL "
                       "(SCORED_MLFLOW, MLFLOW_TRACKING_URI) names it");
    if ((strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) ||
        n >= sizeof m->server || !http_is_clean(url) || strpbrk(url, " ?#"))
        return err_set(e, ERR_USAGE,
                       "--mlflow (SCORED_MLFLOW, MLFLOW_TRACKING_URI) takes a URL of http or "
                       "https, not '%.200s'",
                       url);
    while (n && url[n - 1] == '/')
        n--;
    memcpy(m->server, url, n);
    m->server[n] = '\0';
    return true;
}

/* As MLflow's own clients: a token, or a name and a password. */
static bool read_authorization(struct mlflow *m, struct err *e)
{
    const char *token = setting("MLFLOW_TRACKING_TOKEN"),
               *user = setting("MLFLOW_TRACKING_USERNAME");
    struct buf *out = &m->authorization, plain = {0};

    if (*token) {
        buf_printf(out, "Bearer %s", token);
    } else if (*user) {
        buf_printf(&plain, "%s:%s", user, setting("MLFLOW_TRACKING_PASSWORD"));
        buf_printf(out, "Basic ");
        buf_base64(out, (const unsigned char *)plain.data, plain.len);
        buf_put(out, "", 1);
    }
    bool failed = out->failed || plain.failed;
    buf_done(&plain);
    if (failed)
        return err_memory(e);
    return !out->len || http_is_clean(out->data) ||
           err_set(e, ERR_USAGE, "MLFLOW_TRACKING_TOKEN is no text for a header");
}

/* GET of a path of the server; ERR_NOT_FOUND and the like in words. */
static bool get(struct mlflow *m, const char *path, uint64_t max, unsigned ms, struct err *e)
{
    char url[URL_BYTES];
    const struct http_header header = {"Authorization", m->authorization.data};
    const struct http_call call = {.method = "GET",
                                   .url = url,
                                   .headers = &header,
                                   .n_headers = m->authorization.len ? 1 : 0,
                                   .max = max,
                                   .total_ms = ms};

    if (snprintf(url, sizeof url, "%s/api/2.0/%s", m->server, path) >= (int)sizeof url)
        return err_set(e, ERR_USAGE, "the path at the tracking server is too long");
    if (!transport_call(m->transport, &call, &m->reply, e))
        return false;
    if (m->reply.status == 200)
        return true;
    enum err_code code = m->reply.status == 404 ? ERR_NOT_FOUND : ERR_UPSTREAM;
    const char *hint = m->reply.status == 401 || m->reply.status == 403
                           ? "; MLFLOW_TRACKING_TOKEN, or _USERNAME and _PASSWORD, say who asks"
                           : "";
    return err_set(e, code, "%s answered %u%s", m->server, m->reply.status, hint);
}

/* A string of the answer, of an object in it or of itself, that fits. */
static bool read_answer(struct mlflow *m, const char *within, const char *key, char *out,
                        size_t size, struct err *e)
{
    struct json_doc *doc = json_parse(m->reply.body.data, m->reply.body.len, &limits, e);
    struct json root = doc ? json_root(doc) : (struct json){0}, object = root;
    const char *text = NULL;
    bool ok = doc && (!within || json_get_object(&root, within, &object, e)) &&
              json_get_string(&object, key, &text, e);

    if (ok && (!*text || strlen(text) >= size || !http_is_clean(text)))
        ok = err_set(e, ERR_UPSTREAM, "%s: empty, too long, or no text", key);
    if (ok)
        memcpy(out, text, strlen(text) + 1);
    json_free(doc);
    if (ok)
        return true;
    e->code = e->code == ERR_NO_MEMORY ? e->code : ERR_UPSTREAM;
    return err_wrap(e, "the answer of %s cannot be used", m->server);
}

/* -- which version, and where it is -- */

static bool ask_version(struct mlflow *m, char version[NAME_MAX_BYTES], struct err *e)
{
    char path[URL_BYTES / 2];

    snprintf(version, NAME_MAX_BYTES, "%s", m->version);
    if (*version)
        return true;
    snprintf(path, sizeof path, "mlflow/registered-models/alias?name=%s&alias=%s", m->name,
             m->alias);
    if (!get(m, path, ANSWER_BYTES, ASK_MS, e) ||
        !read_answer(m, "model_version", "version", version, NAME_MAX_BYTES, e))
        return false;
    return strspn(version, "0123456789") == strlen(version) ||
           err_set(e, ERR_UPSTREAM, "%s: version '%.40s' is no number", m->server, version);
}

static bool ask_place(struct mlflow *m, const char *version, char place[SOURCE_BYTES],
                      struct err *e)
{
    char path[URL_BYTES / 2];

    snprintf(path, sizeof path, "mlflow/model-versions/get-download-uri?name=%s&version=%s",
             m->name, version);
    return get(m, path, ANSWER_BYTES, ASK_MS, e) &&
           read_answer(m, NULL, "artifact_uri", place, SOURCE_BYTES, e);
}

/* -- files that come through the server -- */

/* Below mlflow-artifacts:/, at this very server, and never above it. */
static bool check_artifacts(const char *place, struct err *e)
{
    const char *path = place + sizeof artifacts - 1;

    if (*path != '/' && *path && !strstr(path, "..") && !strpbrk(path, "?#%\\ "))
        return true;
    return err_set(e, ERR_UPSTREAM, "'%.200s' is no place below mlflow-artifacts:/", place);
}

static bool fetch_artifact(void *context, const struct source_request *r, struct source_file *f,
                           struct err *e)
{
    struct mlflow *m = context;
    char path[URL_BYTES];

    *f = (struct source_file){0};
    if (snprintf(path, sizeof path, "mlflow-artifacts/artifacts/%s/%s",
                 m->place + sizeof artifacts - 1, r->name) >= (int)sizeof path)
        return err_set(e, ERR_USAGE, "%s: the path is too long", r->name);
    bool ok = get(m, path, r->max, LARGE_MS, e) &&
              file_of_bytes(f, m->reply.body.data, m->reply.body.len, e);
    http_reply_done(&m->reply);
    if (!ok)
        return err_wrap(e, "%s", r->name);
    snprintf(f->tag, sizeof f->tag, "%s", f->sha256);
    if (!r->tag || strcmp(r->tag, f->tag) != 0)
        return true;
    free(f->bytes);
    f->bytes = NULL;
    f->unchanged = true;
    return true;
}

/* -- the source -- */

static struct source *open_place(struct mlflow *m, const char *place, struct err *e)
{
    bool through = strncmp(place, artifacts, sizeof artifacts - 1) == 0;

    if (through && !check_artifacts(place, e))
        return NULL;
    if (!through && strncmp(place, "s3://", 5) != 0) {
        err_set(e, ERR_UPSTREAM,
                "the version's files are at '%.200s': only s3:// and mlflow-artifacts:/ are read",
                place);
        return NULL;
    }
    struct source *s = source_new(place, e);
    if (s && through) {
        s->context = m;
        s->fetch = fetch_artifact;
    } else if (s && !s3_source(s, s->uri, &m->options, e)) {
        source_free(s);
        return NULL;
    }
    return s;
}

/* Looks the name up, and opens the place if it is another one than before. */
static bool resolve(struct mlflow *m, bool *moved, struct err *e)
{
    char version[NAME_MAX_BYTES], place[SOURCE_BYTES];

    if (!ask_version(m, version, e) || !ask_place(m, version, place, e))
        return false;
    *moved = !m->inner || strcmp(place, m->place) != 0;
    if (!*moved)
        return true;
    struct source *s = open_place(m, place, e);
    if (!s)
        return false;
    source_free(m->inner);
    m->inner = s;
    memcpy(m->place, place, sizeof m->place);
    return true;
}

/* A manifest is looked for anew; the files that it names are where it was. */
static bool fetch(void *context, const struct source_request *r, struct source_file *f,
                  struct err *e)
{
    struct mlflow *m = context;
    struct source_request asked = *r;
    bool manifest = strcmp(r->name, m->owner->manifest) == 0, moved = false;

    *f = (struct source_file){0};
    if ((manifest || !m->inner) && !resolve(m, &moved, e))
        return false;
    if (moved)
        asked.tag = NULL;
    if (manifest && !*m->owner->pin && *m->inner->pin) {
        asked.name = m->inner->manifest;
        asked.sha256 = m->inner->pin;
    }
    bool ok = source_fetch(m->inner, &asked, f, e);
    atomic_store(&m->owner->credentials_expire_ms, atomic_load(&m->inner->credentials_expire_ms));
    return ok || err_wrap(e, "%s", m->place);
}

static void mlflow_free(void *context)
{
    struct mlflow *m = context;

    source_free(m->inner);
    transport_free(m->transport);
    http_reply_done(&m->reply);
    buf_done(&m->authorization);
    free(m);
}

bool mlflow_source(struct source *s, const char *uri, const struct source_options *options,
                   struct err *e)
{
    struct mlflow *m = calloc(1, sizeof *m);
    const struct transport_options o = {.stop = options->stop};

    if (!m)
        return err_memory(e);
    m->owner = s;
    m->options = *options;
    m->options.cache = NULL;
    if (read_uri(m, uri, e) && read_server(m, options->mlflow, e) && read_authorization(m, e))
        m->transport = transport_new(&o, e);
    if (!m->transport) {
        mlflow_free(m);
        return false;
    }
    s->context = m;
    s->fetch = fetch;
    s->free = mlflow_free;
    return true;
}
