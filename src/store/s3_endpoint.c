/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_endpoint.h"

#include "aws_config.h"
#include "sigv4.h"

#include "scored/decimal.h"
#include "scored/distance.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define LETTERS  "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"

/* Whether all of a text are letters of a set, and there are low to high of them. */
static bool is_made_of(const char *text, const char *set, size_t low, size_t high)
{
    size_t n = strlen(text);

    return n >= low && n <= high && strspn(text, set) == n;
}

bool s3_is_region(const char *text)
{
    return is_made_of(text, LETTERS CAPITALS DIGITS "-_", 1, S3_NAME - 1);
}

/* -- options of the URI -- */

struct options {
    char region[S3_NAME], endpoint[S3_HOST], version_id[S3_KEY];
    char path_style[8], requester_pays[8];
};

static const struct option {
    const char *name;
    size_t at, size;
} known[] = {
    {"region", offsetof(struct options, region), S3_NAME},
    {"endpoint", offsetof(struct options, endpoint), S3_HOST},
    {"path_style", offsetof(struct options, path_style), 8},
    {"requester_pays", offsetof(struct options, requester_pays), 8},
    {"version_id", offsetof(struct options, version_id), S3_KEY},
};

static bool unknown_option(const char *name, int n, struct err *e)
{
    char typed[40], meant[MEANT];
    const char *best = NULL;

    snprintf(typed, sizeof typed, "%.*s", n < 32 ? n : 32, name);
    for (size_t i = 0; i < countof(known); i++)
        text_nearer(typed, known[i].name, &best);
    return err_set(e, ERR_USAGE, "there is no option '%s'%s", typed, text_meant(meant, "", best));
}

/* Decodes %XX; false where it is too long, or a %XX is not one or makes a control character. */
static bool decode(const char *p, size_t n, char *out, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned c = (unsigned char)p[i];
        if (c == '%') {
            char hex[3] = "";
            memcpy(hex, p + i + 1, n - i > 2 ? 2 : 0);
            if (strspn(hex, DIGITS "abcdefABCDEF") != 2)
                return false;
            c = (unsigned)strtoul(hex, NULL, 16);
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || at + 1 >= size)
            return false;
        out[at++] = (char)c;
    }
    out[at] = '\0';
    return at > 0;
}

static bool read_option(struct options *o, const char *text, size_t n, struct err *e)
{
    size_t name = strcspn(text, "=&");

    for (size_t i = 0; i < countof(known); i++) {
        if (strlen(known[i].name) != name || strncmp(known[i].name, text, name) != 0)
            continue;
        if (name < n &&
            decode(text + name + 1, n - name - 1, (char *)o + known[i].at, known[i].size))
            return true;
        return err_set(e, ERR_USAGE, "the value of '%s' is empty, too long, or has a bad %%XX",
                       known[i].name);
    }
    return unknown_option(text, (int)(name < 64 ? name : 64), e);
}

static bool read_options(struct options *o, const char *text, struct err *e)
{
    while (*text) {
        size_t n = strcspn(text, "&");
        if (n && !read_option(o, text, n, e))
            return false;
        text += n + (text[n] == '&');
    }
    return true;
}

/* "" leaves the value as it is. */
static bool read_bool(const char *name, const char *text, bool *value, struct err *e)
{
    if (!*text)
        return true;
    *value = strcmp(text, "true") == 0;
    if (*value || strcmp(text, "false") == 0)
        return true;
    return err_set(e, ERR_USAGE, "%s is '%s', not true or false", name, text);
}

/* -- endpoints -- */

static bool is_port(const char *text)
{
    uint16_t port;

    return decimal_port(text, &port) && port;
}

/* Splits "host:port" or "[address]:port"; *port is "" where there is none. */
static bool split_host(char *host, const char **port)
{
    char *end = host[0] == '[' ? strchr(host, ']') : NULL;

    if (host[0] == '[' && !end)
        return false;
    end = strchr(end ? end : host, ':');
    *port = "";
    if (!end)
        return true;
    *port = end + 1;
    *end = '\0';
    return is_port(*port);
}

static bool is_address(const char *host)
{
    struct in6_addr a;
    char bare[64];
    size_t n = strlen(host);

    if (host[0] != '[')
        return inet_pton(AF_INET, host, &a) == 1;
    if (n < 3 || n >= sizeof bare || host[n - 1] != ']')
        return false;
    memcpy(bare, host + 1, n - 2);
    bare[n - 2] = '\0';
    return inet_pton(AF_INET6, bare, &a) == 1;
}

static void lower(const char *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(p[i] | (p[i] >= 'A' && p[i] <= 'Z' ? 0x20 : 0));
    out[n] = '\0';
}

/* Reads http[s]://host[:port][/path] into the place; whether the host is an address. */
static bool read_endpoint(struct s3_place *p, const char *url, bool *address)
{
    char host[S3_HOST];
    const char *port;

    p->plain = strncasecmp(url, "http://", 7) == 0;
    if (!p->plain && strncasecmp(url, "https://", 8) != 0)
        return false;
    url += p->plain ? 7 : 8;
    size_t n = strcspn(url, "/"), path = strlen(url + n);
    if (n >= sizeof host || path >= sizeof p->endpoint_path || strpbrk(url + n, "?# \\"))
        return false;
    lower(url, n, host);
    while (path && url[n + path - 1] == '/')
        path--;
    memcpy(p->endpoint_path, url + n, path);
    p->endpoint_path[path] = '\0';
    if (!split_host(host, &port))
        return false;
    *address = is_address(host);
    bool implied = !*port || strcmp(port, p->plain ? "80" : "443") == 0;
    snprintf(p->endpoint, sizeof p->endpoint, "%s%s%s", host, implied ? "" : ":",
             implied ? "" : port);
    return *address || is_made_of(host, LETTERS DIGITS "-_.", 1, 253);
}

/* A name that may stand in front of a host's: a certificate for *.host fits. */
static bool is_label(const char *bucket)
{
    return is_made_of(bucket, LETTERS DIGITS "-", 3, 63) && bucket[0] != '-' &&
           bucket[strlen(bucket) - 1] != '-';
}

static bool choose_endpoint(struct s3_place *p, const struct options *o,
                            const struct s3_settings *s, struct err *e)
{
    const char *url = *o->endpoint ? o->endpoint : s->endpoint;
    const char *name = *o->endpoint || !s->endpoint_setting ? "endpoint" : s->endpoint_setting;
    bool address = false;

    p->dualstack = s->dualstack;
    p->fips = s->fips;
    if (url && !read_endpoint(p, url, &address))
        return err_set(e, ERR_USAGE, "%s: '%.200s' is not http[s]://host[:port][/path]", name,
                       strchr(url, '@') ? "(with a user's name)" : url);
    if (url && (p->dualstack || p->fips))
        return err_set(e, ERR_USAGE, "%s is set for an endpoint of one's own",
                       p->fips ? "AWS_USE_FIPS_ENDPOINT" : "AWS_USE_DUALSTACK_ENDPOINT");
    p->path_style = url || !is_label(p->bucket);
    if (!read_bool("path_style", o->path_style, &p->path_style, e))
        return false;
    p->path_style |= address;
    return true;
}

static bool choose_region(struct s3_place *p, const struct options *o, const struct s3_settings *s,
                          struct err *e)
{
    const char *region = *o->region ? o->region : s->region;

    if (!region && !*p->endpoint)
        return err_set(e, ERR_USAGE,
                       "no region is known: set AWS_REGION, region in the profile, or "
                       "?region= in the URI");
    if (!region)
        region = "us-east-1";
    if (!s3_is_region(region))
        return err_set(e, ERR_USAGE, "'%.64s' is no region, as eu-central-1 is", region);
    memcpy(p->region, region, strlen(region) + 1);
    return true;
}

/* -- bucket and prefix -- */

static bool read_bucket(struct s3_place *p, const char *text, size_t n, struct err *e)
{
    size_t directory = strlen("--x-s3");

    if (n >= 4 && strncmp(text, "arn:", 4) == 0)
        return err_set(e, ERR_USAGE,
                       "ARNs are not read; an access point has an alias that serves "
                       "as a bucket's name");
    snprintf(p->bucket, sizeof p->bucket, "%.*s", (int)(n < S3_BUCKET ? n : S3_BUCKET - 1), text);
    if (n < 3 || n >= S3_BUCKET || strspn(p->bucket, LETTERS CAPITALS DIGITS "-_.") != n)
        return err_set(e, ERR_USAGE, "'%.64s' is not a bucket's name", p->bucket);
    if (n > directory && strcmp(p->bucket + n - directory, "--x-s3") == 0)
        return err_set(e, ERR_USAGE, "directory buckets (S3 Express One Zone) are not read");
    return true;
}

static bool read_prefix(struct s3_place *p, const char *text, size_t n, struct err *e)
{
    if (n + 1 >= sizeof p->prefix)
        return err_set(e, ERR_USAGE, "the prefix is longer than a key may be");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || text[i] == '#')
            return err_set(e, ERR_USAGE,
                           text[i] == '#' ? "behind '#' stands sha256=<64 hex digits>"
                                          : "the prefix has a control character");
    memcpy(p->prefix, text, n);
    if (n && text[n - 1] != '/')
        p->prefix[n++] = '/';
    p->prefix[n] = '\0';
    return true;
}

bool s3_place_read(struct s3_place *p, const char *uri, const struct s3_settings *s, struct err *e)
{
    const char *bucket = uri + strlen("s3://");
    size_t n = strcspn(bucket, "/?");
    const char *prefix = bucket + n + (bucket[n] == '/');
    size_t n_prefix = strcspn(prefix, "?");
    const char *query = prefix + n_prefix + (prefix[n_prefix] == '?');
    struct options o = {0};

    *p = (struct s3_place){0};
    if (!read_bucket(p, bucket, n, e) || !read_prefix(p, prefix, n_prefix, e) ||
        !read_options(&o, query, e) || !choose_endpoint(p, &o, s, e) ||
        !choose_region(p, &o, s, e) ||
        !read_bool("requester_pays", o.requester_pays, &p->requester_pays, e))
        return err_wrap(e, "'%.200s'", uri);
    memcpy(p->version_id, o.version_id, sizeof p->version_id);
    return true;
}

/* -- host and path -- */

void s3_place_host(const struct s3_place *p, char out[S3_HOST])
{
    const char *bucket = p->path_style ? "" : p->bucket, *dot = p->path_style ? "" : ".";
    int n = *p->endpoint
                ? snprintf(out, S3_HOST, "%s%s%s", bucket, dot, p->endpoint)
                : snprintf(out, S3_HOST, "%s%ss3%s%s.%s.%s", bucket, dot, p->fips ? "-fips" : "",
                           p->dualstack ? ".dualstack" : "", p->region, aws_dns_suffix(p->region));

    if (n < 0 || n >= S3_HOST)
        out[0] = '\0'; /* longer than any host's name */
}

void s3_place_path(const struct s3_place *p, const char *name, struct buf *out)
{
    buf_text(out, p->endpoint_path);
    buf_char(out, '/');
    if (p->path_style) {
        url_encode(out, p->bucket, strlen(p->bucket), false);
        buf_char(out, '/');
    }
    url_encode(out, p->prefix, strlen(p->prefix), true);
    url_encode(out, name, strlen(name), true);
}
