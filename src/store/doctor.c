/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/doctor.h"

#include "route.h"
#include "s3_priv.h"

#include "scored/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONNECT_MS = 3000,
    CALL_MS = 10000,
    SKEW_TOLD = 60,     /* seconds */
    SKEW_MAX = 15 * 60, /* beyond, S3 refuses */
    WHAT = 400,
};

/* -- telling -- */

static bool good(const struct doctor_watch *w, const char *link, const char *what)
{
    w->tell(w->context, link, DOCTOR_OK, what, NULL);
    return true;
}

static bool bad(const struct doctor_watch *w, const char *link, const char *what,
                const char *advice)
{
    w->tell(w->context, link, DOCTOR_FAILED, what, advice);
    return false;
}

static void skip(const struct doctor_watch *w, const char *link, const char *what)
{
    w->tell(w->context, link, DOCTOR_SKIPPED, what, NULL);
}

static bool is_s3(const char *uri)
{
    return strncmp(uri, "s3://", 5) == 0;
}

/* -- settings -- */

struct sources {
    const struct doctor_watch *w;
    bool asked; /* one that is configured */
    bool good;
};

static void tell_source(void *context, const char *source, bool configured, bool is_good,
                        const char *why)
{
    struct sources *s = context;
    enum doctor_state state = is_good ? DOCTOR_OK : DOCTOR_FAILED;
    char link[64];

    if (!configured || s->asked)
        state = DOCTOR_SKIPPED;
    s->asked = s->asked || configured;
    s->good = s->good || is_good;
    snprintf(link, sizeof link, "credentials: %s", source);
    s->w->tell(s->w->context, link, state, why,
               state == DOCTOR_FAILED ? "the first source that is configured is the one: mend it, "
                                        "or unset what configures it; keys in AWS_ACCESS_KEY_ID "
                                        "and AWS_SECRET_ACCESS_KEY go before all others"
                                      : NULL);
}

static bool tell_credentials(struct aws_config *config, const struct doctor_watch *w)
{
    const struct transport_options options = {.ca_bundle = aws_ca_bundle(config)};
    struct sources s = {.w = w};
    struct err e = {0};

    struct transport *t = transport_new(&options, &e);
    struct credential_chain *chain = t ? credentials_new(config, t, NULL, &e) : NULL;
    if (chain)
        credentials_explain(chain, tell_source, &s);
    else
        bad(w, "credentials", e.msg, NULL);
    credentials_free(chain);
    transport_free(t);
    if (chain && !s.asked)
        bad(w, "credentials", "no source is configured",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this "
            "machine a role");
    return s.good;
}

bool doctor_settings(const char *uri, const struct doctor_watch *w, bool *may_ask)
{
    char what[WHAT];
    struct err e = {0};

    *may_ask = true;
    if (!is_s3(uri))
        return true;
    struct aws_config *config = aws_config_new(&e);
    if (!config)
        return bad(w, "settings", e.msg, "mend the file or the variable that it names");
    snprintf(what, sizeof what, "profile '%.100s'%s", aws_profile_name(config),
             aws_profile_exists(config, aws_profile_name(config)) ? ""
                                                                  : ", of which no file says "
                                                                    "anything");
    good(w, "settings", what);
    *may_ask = tell_credentials(config, w);
    aws_config_free(config);
    return true;
}

/* -- the way -- */

struct way {
    const struct doctor_watch *w;
    struct s3_client *c;
    char host[S3_HOST];
    struct route route;
    char what[WHAT];
};

/* Whether the URI itself has this option. */
static bool says(const struct source *s, const char *option)
{
    const char *query = strchr(s->uri, '?');

    return query && strstr(query, option);
}

static bool tell_place(struct way *x, const struct source *s)
{
    const struct s3_place *p = &x->c->place;
    const char *region = aws_region_setting(x->c->config);
    const char *endpoint = aws_endpoint_setting(x->c->config, "s3");

    if (says(s, "region="))
        region = "the URI";
    if (says(s, "endpoint="))
        endpoint = "the URI";
    snprintf(x->what, sizeof x->what, "bucket '%.80s', prefix '%.120s'%s%s", p->bucket, p->prefix,
             p->path_style ? ", the bucket in the path" : "",
             p->requester_pays ? ", the requester pays" : "");
    good(x->w, "place", x->what);
    snprintf(x->what, sizeof x->what, "%s, by %s", p->region,
             region ? region : "default: the endpoint is not AWS's");
    good(x->w, "region", x->what);
    s3_place_host(p, x->host);
    snprintf(x->what, sizeof x->what, "%s://%.300s, by %s", p->plain ? "http" : "https", x->host,
             *p->endpoint && endpoint ? endpoint : "the region: no endpoint is configured");
    return good(x->w, "endpoint", x->what);
}

static bool tell_proxy(struct way *x)
{
    struct err e = {0};

    if (!route_find(&x->route, x->host, x->c->place.plain, &e))
        return bad(x->w, "proxy", e.msg, "a proxy is http://HOST:PORT");
    if (x->route.exception)
        snprintf(x->what, sizeof x->what, "none, by %s", x->route.exception);
    else
        snprintf(x->what, sizeof x->what, "%s:%s, by %s", x->route.host, x->route.port,
                 x->route.variable ? x->route.variable : "");
    if (x->route.variable)
        return good(x->w, "proxy", x->what);
    skip(x->w, "proxy", x->route.exception ? x->what : "none is configured");
    return true;
}

static bool tell_connection(struct way *x)
{
    struct err e = {0};
    char address[64] = "";
    unsigned n = 0;

    struct addrinfo *list = route_addresses(&x->route, &e);
    if (!list)
        return bad(x->w, "dns", e.msg,
                   "is the name right (bucket, region, endpoint), and does this machine's resolver "
                   "know it?");
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        n++;
    route_text(list, address, sizeof address);
    snprintf(x->what, sizeof x->what, "%s has %u address%s: %s%s", x->route.host, n,
             n == 1 ? "" : "es", address, n == 1 ? "" : ", ...");
    good(x->w, "dns", x->what);
    uint64_t from = clock_ns();
    bool ok = route_connect(list, CONNECT_MS, address, sizeof address, &e);
    freeaddrinfo(list);
    if (!ok)
        return bad(x->w, "tcp", e.msg,
                   x->route.variable
                       ? "is the proxy right, and does it run?"
                       : "does it run? Does a firewall, a security group or a network policy "
                         "forbid it, or does it need a proxy (HTTPS_PROXY)?");
    snprintf(x->what, sizeof x->what, "connected to %s port %s in %.1f ms", address, x->route.port,
             (double)(clock_ns() - from) / 1e6);
    return good(x->w, "tcp", x->what);
}

static const char *advice_of(enum http_failure failure, bool tls, bool plain)
{
    if (failure == HTTP_UNTRUSTED)
        return "trust its authority: AWS_CA_BUNDLE=FILE.pem";
    if (!tls)
        return "does this port speak https? Where it does not, the endpoint begins with http://";
    return plain ? "does this port speak http? Where it wants https, the endpoint begins with "
                   "https://"
                 : "something answers there, but not as S3 does: is a proxy in between?";
}

/* S3 refuses a clock that is far off; a fetch puts that right by the reply's date. */
static void tell_clock(struct way *x, const struct http_reply *reply)
{
    uint64_t there;

    if (!http_reply_date(reply, &there)) {
        skip(x->w, "clock", "the reply has no date");
        return;
    }
    int64_t behind = (int64_t)(there / 1000) - (int64_t)(clock_ms() / 1000);
    uint64_t off = (uint64_t)(behind < 0 ? -behind : behind);
    snprintf(x->what, sizeof x->what, "%llu seconds %s the server's", (unsigned long long)off,
             behind < 0 ? "ahead of" : "behind");
    if (off > SKEW_MAX)
        bad(x->w, "clock", x->what, "set this machine's clock: S3 refuses 15 minutes");
    else
        good(x->w, "clock", off > SKEW_TOLD ? x->what : "agrees with the server's");
}

/* Asks without credentials: any answer shows that the way is open. */
static bool tell_answer(struct way *x)
{
    struct http_reply reply = {0};
    struct err e = {0};
    char url[S3_HOST + 16];

    snprintf(url, sizeof url, "%s://%s/", x->c->place.plain ? "http" : "https", x->host);
    const struct http_call call = {
        .method = "HEAD", .url = url, .max = 1024, .connect_ms = CONNECT_MS, .total_ms = CALL_MS};
    bool came = transport_call(x->c->transport, &call, &reply, &e);
    bool tls = came || x->c->place.plain || reply.failure == HTTP_BROKEN ||
               reply.failure == HTTP_TOO_LARGE;
    if (x->c->place.plain)
        skip(x->w, "tls", "the endpoint is plain http");
    else if (tls)
        good(x->w, "tls", "the certificate is trusted");
    if (came)
        tell_clock(x, &reply);
    else
        bad(x->w, tls ? "http" : "tls", e.msg, advice_of(reply.failure, tls, x->c->place.plain));
    http_reply_done(&reply);
    return came;
}

bool doctor_way(struct source *s, const struct doctor_watch *w)
{
    struct way x = {.w = w, .c = s->context};

    if (!s->remote)
        return true;
    return tell_place(&x, s) && tell_proxy(&x) && tell_connection(&x) && tell_answer(&x);
}

/* -- files -- */

static bool drop(void *context, const char *p, size_t n)
{
    (void)context;
    (void)p;
    (void)n;
    return true;
}

/* By its first byte: what may be asked of S3 is just what a fetch will ask. */
static bool object_size(struct s3_client *c, const char *name, uint64_t *size, struct err *e)
{
    struct s3_request r = {.name = name,
                           .ranged = true,
                           .end = 1,
                           .max = UINT64_MAX,
                           .deadline_ns = s3_deadline(clock_ns(), 0),
                           .sink = drop};

    if (!s3_call(c, c->transport, &r, e))
        return err_wrap(e, "%s", name);
    *size = r.total;
    return true;
}

static bool file_size(const char *folder, const char *name, uint64_t *size, struct err *e)
{
    char path[PATH_MAX];
    struct stat st;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return err_set(e, ERR_USAGE, "%s: the path is too long", name);
    if (stat(path, &st) < 0 && errno == ENOENT)
        return err_set(e, ERR_NOT_FOUND, "%s does not exist", name);
    if (access(path, R_OK) < 0)
        return err_errno(e, name);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_BAD_BUNDLE, "%s is not a regular file", name);
    *size = (uint64_t)st.st_size;
    return true;
}

bool doctor_size(struct source *s, const char *name, uint64_t *size, struct err *e)
{
    return s->remote ? object_size(s->context, name, size, e)
                     : file_size(s->context, name, size, e);
}
