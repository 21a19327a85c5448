/* SPDX-License-Identifier: Apache-2.0 */
#include "sigv4.h"

#include "scored/hex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

const char sigv4_empty_sha256[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

void sigv4_date(uint64_t ms, char out[SIGV4_DATE])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm t;

    gmtime_r(&seconds, &t);
    if (strftime(out, SIGV4_DATE, "%Y%m%dT%H%M%SZ", &t) == 0)
        out[0] = '\0';
}

/* -- encoding -- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void url_encode(struct buf *out, const char *p, size_t n, bool slash)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (is_unreserved(p[i]) || (slash && c == '/'))
            buf_char(out, p[i]);
        else
            buf_put(out, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Encodes text that may be encoded already: what it stands for, encoded once. */
static void encode_once(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        int high = c == '%' && n - i > 2 ? hex_digit(p[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(p[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        url_encode(out, &c, 1, false);
    }
}

/* -- the path -- */

/* Appends the path without empty and dot segments; a slash at the end stays. */
static void put_normalised(struct buf *out, const char *path)
{
    size_t from = out->len;
    const char *at = path;

    while (*at) {
        size_t n = strcspn(at, "/");
        if (n == 2 && at[0] == '.' && at[1] == '.') {
            while (out->len > from && out->data[--out->len] != '/')
                ;
        } else if (n > 1 || (n == 1 && at[0] != '.')) {
            buf_char(out, '/');
            buf_put(out, at, n);
        }
        at += n + (at[n] == '/');
    }
    if (out->len == from || (at > path && at[-1] == '/'))
        buf_char(out, '/');
}

static void put_path(struct buf *out, const char *path, enum sigv4_path rule)
{
    struct buf normal = {0};

    if (!*path)
        path = "/";
    if (rule == SIGV4_AS_SENT) {
        buf_text(out, path);
        return;
    }
    if (rule == SIGV4_NORMALISED)
        put_normalised(&normal, path);
    else
        buf_text(&normal, path);
    out->failed |= normal.failed;
    if (!normal.failed)
        url_encode(out, normal.data, normal.len, true);
    buf_done(&normal);
}

/* -- the query -- */

/* Where a parameter's name and value stand in the scratch, each with its NUL. */
struct parameter {
    const char *name, *value;
};

static int by_name_and_value(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    return order ? order : strcmp(x->value, y->value);
}

/* Writes "name\0value\0" for each parameter; how many there are. */
static unsigned spread_query(struct buf *scratch, const char *query)
{
    unsigned n = 0;

    while (*query) {
        size_t len = strcspn(query, "&"), name = strcspn(query, "=&");
        if (len) {
            encode_once(scratch, query, name);
            buf_char(scratch, '\0');
            if (name < len)
                encode_once(scratch, query + name + 1, len - name - 1);
            buf_char(scratch, '\0');
            n++;
        }
        query += len + (query[len] == '&');
    }
    return n;
}

static bool put_query(struct buf *out, const char *query, struct err *e)
{
    struct parameter items[SIGV4_MAX_ITEMS];
    struct buf scratch = {0};
    unsigned n = spread_query(&scratch, query ? query : "");
    bool ok = !scratch.failed || err_memory(e);

    if (ok && n > SIGV4_MAX_ITEMS)
        ok = err_set(e, ERR_USAGE, "a query has at most %d parameters", SIGV4_MAX_ITEMS);
    const char *at = scratch.data;
    for (unsigned i = 0; ok && i < n; i++) {
        items[i].name = at;
        items[i].value = at + strlen(at) + 1;
        at = items[i].value + strlen(items[i].value) + 1;
    }
    if (ok && n)
        qsort(items, n, sizeof *items, by_name_and_value);
    for (unsigned i = 0; ok && i < n; i++)
        buf_printf(out, "%s%s=%s", i ? "&" : "", items[i].name, items[i].value);
    buf_done(&scratch);
    return ok;
}

/* -- the headers -- */

/* What hops and proxies change. */
static bool is_signed(const char *name)
{
    static const char *const never[] = {"authorization",
                                        "connection",
                                        "expect",
                                        "keep-alive",
                                        "proxy-authenticate",
                                        "proxy-authorization",
                                        "te",
                                        "trailer",
                                        "transfer-encoding",
                                        "upgrade",
                                        "user-agent",
                                        "x-amzn-trace-id",
                                        "traceparent",
                                        "tracestate",
                                        "baggage"};

    for (size_t i = 0; i < countof(never); i++)
        if (strcasecmp(name, never[i]) == 0)
            return false;
    return true;
}

static int by_header_name(const void *a, const void *b)
{
    const struct http_header *x = *(const struct http_header *const *)a;
    const struct http_header *y = *(const struct http_header *const *)b;
    int order = strcasecmp(x->name, y->name);

    return order ? order : (x > y) - (x < y); /* of one name in the order they are sent in */
}

/* The headers that are signed, in order. */
static bool sort_headers(const struct sigv4_request *r,
                         const struct http_header *sorted[SIGV4_MAX_ITEMS], unsigned *n,
                         struct err *e)
{
    *n = 0;
    for (unsigned i = 0; i < r->n_headers; i++) {
        if (!is_signed(r->headers[i].name))
            continue;
        if (*n == SIGV4_MAX_ITEMS)
            return err_set(e, ERR_USAGE, "a request has at most %d headers", SIGV4_MAX_ITEMS);
        sorted[(*n)++] = &r->headers[i];
    }
    if (*n)
        qsort(sorted, *n, sizeof(void *), by_header_name);
    return true;
}

static void put_lower(struct buf *out, const char *name)
{
    for (; *name; name++) {
        if (*name >= 'A' && *name <= 'Z')
            buf_char(out, (char)(*name | 0x20));
        else
            buf_char(out, *name);
    }
}

/* Without blanks around, and with one for every run of blanks inside. */
static void put_trimmed(struct buf *out, const char *value)
{
    size_t from = out->len;
    bool blank = false;

    for (; *value; value++) {
        bool space = *value == ' ' || (*value >= '\t' && *value <= '\r');
        if (!space && blank && out->len > from)
            buf_char(out, ' ');
        if (!space)
            buf_char(out, *value);
        blank = space;
    }
}

static bool is_again(const struct http_header *const *sorted, unsigned i)
{
    return i > 0 && strcasecmp(sorted[i]->name, sorted[i - 1]->name) == 0;
}

static void put_headers(struct buf *out, const struct http_header *const *sorted, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (is_again(sorted, i)) {
            buf_char(out, ',');
        } else {
            buf_text(out, i ? "\n" : "");
            put_lower(out, sorted[i]->name);
            buf_char(out, ':');
        }
        put_trimmed(out, sorted[i]->value);
    }
    buf_text(out, n ? "\n" : "");
}

bool sigv4_signed_headers(const struct sigv4_request *r, struct buf *out, struct err *e)
{
    const struct http_header *sorted[SIGV4_MAX_ITEMS];
    unsigned n;

    if (!sort_headers(r, sorted, &n, e))
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (is_again(sorted, i))
            continue;
        buf_text(out, i ? ";" : "");
        put_lower(out, sorted[i]->name);
    }
    return !out->failed || err_memory(e);
}

bool sigv4_canonical(const struct sigv4_request *r, struct buf *out, struct err *e)
{
    const struct http_header *sorted[SIGV4_MAX_ITEMS];
    unsigned n;

    if (!sort_headers(r, sorted, &n, e))
        return false;
    buf_printf(out, "%s\n", r->method);
    put_path(out, r->path, r->rule);
    buf_char(out, '\n');
    if (!put_query(out, r->query, e))
        return false;
    buf_char(out, '\n');
    put_headers(out, sorted, n);
    buf_char(out, '\n');
    if (!sigv4_signed_headers(r, out, e))
        return false;
    buf_printf(out, "\n%s", r->payload_sha256);
    return !out->failed || err_memory(e);
}

/* -- the signature -- */

static void put_scope(struct buf *out, const struct sigv4_signer *s)
{
    buf_printf(out, "%.8s/%s/%s/aws4_request", s->date, s->region, s->service);
}

void sigv4_string_to_sign(const struct sigv4_signer *s, const char *canonical_sha256,
                          struct buf *out)
{
    buf_printf(out, "AWS4-HMAC-SHA256\n%s\n", s->date);
    put_scope(out, s);
    buf_printf(out, "\n%s", canonical_sha256);
}

static bool is_key_of(const struct sigv4_key *k, const struct sigv4_signer *s)
{
    return strncmp(k->date, s->date, 8) == 0 && strcmp(k->region, s->region) == 0 &&
           strcmp(k->service, s->service) == 0 && strcmp(k->secret, s->secret) == 0;
}

void sigv4_forget(struct sigv4_key *k)
{
    explicit_bzero(k, sizeof *k);
}

/* HMAC by HMAC from the secret to the key of this day, region and service. */
static bool make_key(const struct sigv4_signer *s, struct sigv4_key *k, struct err *e)
{
    char first[sizeof k->secret + 4];
    unsigned char *key = k->key;

    sigv4_forget(k);
    int n = snprintf(first, sizeof first, "AWS4%s", s->secret);
    if (n < 0 || n >= (int)sizeof first || strlen(s->region) >= sizeof k->region ||
        strlen(s->service) >= sizeof k->service)
        return err_set(e, ERR_USAGE, "the secret key or the region is too long");
    bool ok = hmac_sha256(first, (size_t)n, s->date, 8, key, e) &&
              hmac_sha256(key, SHA256_SIZE, s->region, strlen(s->region), key, e) &&
              hmac_sha256(key, SHA256_SIZE, s->service, strlen(s->service), key, e) &&
              hmac_sha256(key, SHA256_SIZE, "aws4_request", 12, key, e);
    explicit_bzero(first, sizeof first);
    if (!ok)
        return false;
    memcpy(k->date, s->date, 8);
    memcpy(k->region, s->region, strlen(s->region) + 1);
    memcpy(k->service, s->service, strlen(s->service) + 1);
    memcpy(k->secret, s->secret, strlen(s->secret) + 1);
    return true;
}

bool sigv4_signature(const struct sigv4_signer *s, const char *text, size_t n,
                     char out[SHA256_HEX + 1], struct err *e)
{
    unsigned char mac[SHA256_SIZE];

    if (!is_key_of(s->cache, s) && !make_key(s, s->cache, e))
        return false;
    if (!hmac_sha256(s->cache->key, SHA256_SIZE, text, n, mac, e))
        return false;
    hex_text(mac, sizeof mac, out);
    return true;
}

bool sigv4_authorization(const struct sigv4_request *r, const struct sigv4_signer *s,
                         struct buf *out, char canonical_sha256[SHA256_HEX + 1], struct err *e)
{
    struct buf text = {0};
    char signature[SHA256_HEX + 1];
    bool ok = sigv4_canonical(r, &text, e) && sha256_hex(text.data, text.len, canonical_sha256, e);

    if (ok) {
        buf_reset(&text);
        sigv4_string_to_sign(s, canonical_sha256, &text);
        ok = (!text.failed || err_memory(e)) &&
             sigv4_signature(s, text.data, text.len, signature, e);
    }
    buf_done(&text);
    if (!ok)
        return false;
    buf_printf(out, "AWS4-HMAC-SHA256 Credential=%s/", s->key_id);
    put_scope(out, s);
    buf_lit(out, ", SignedHeaders=");
    if (!sigv4_signed_headers(r, out, e))
        return false;
    buf_printf(out, ", Signature=%s", signature);
    return !out->failed || err_memory(e);
}
