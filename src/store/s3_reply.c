/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_priv.h"

#include "xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* -- numbers -- */

/* Reads digits, at least one, and moves *p behind them. */
static bool take_number(const char **p, uint64_t *out)
{
    const char *from = *p;

    *out = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++)
        if (__builtin_mul_overflow(*out, 10U, out) ||
            __builtin_add_overflow(*out, (unsigned)(**p - '0'), out))
            return false;
    return *p > from;
}

static bool take_text(const char **p, const char *text)
{
    size_t n = strlen(text);

    if (strncasecmp(*p, text, n) != 0)
        return false;
    *p += n;
    return true;
}

bool s3_content_range(const char *text, uint64_t *from, uint64_t *last, uint64_t *total)
{
    return take_text(&text, "bytes ") && take_number(&text, from) && take_text(&text, "-") &&
           take_number(&text, last) && take_text(&text, "/") && take_number(&text, total) &&
           !*text && *from <= *last && *last < *total;
}

/* -- failures -- */

/* Makes a text of somebody else's fit for a message. */
static void put_visible(char *out, size_t size, const char *text)
{
    size_t n = 0;

    for (; *text && n + 1 < size; text++) {
        bool visible = *text >= ' ' && *text <= '~';
        out[n] = '?';
        if (visible)
            out[n] = *text;
        n++;
    }
    out[n] = '\0';
}

static void read_xml(const struct buf *body, const char *name, char *out, size_t size)
{
    char text[2048];

    out[0] = '\0';
    if (xml_text(body->data, body->len, name, text, sizeof text))
        put_visible(out, size, text);
}

void s3_read_failure(const struct http_reply *reply, struct s3_failure *f)
{
    char text[256];

    f->status = reply->status;
    if (reply->body.len) {
        read_xml(&reply->body, "Code", f->code, sizeof f->code);
        read_xml(&reply->body, "Message", f->message, sizeof f->message);
        read_xml(&reply->body, "Region", f->region, sizeof f->region);
    }
    if (http_reply_header(reply, "x-amz-bucket-region", text, sizeof text))
        put_visible(f->region, sizeof f->region, text);
    if (!s3_is_region(f->region))
        f->region[0] = '\0';
    if (http_reply_header(reply, "x-amz-request-id", text, sizeof text))
        put_visible(f->request_id, sizeof f->request_id, text);
}

/* -- the head of a success -- */

static bool unlike_s3(const struct http_reply *reply, struct err *e, const char *what)
{
    char type[80], shown[80] = "";

    if (http_reply_header(reply, "content-type", type, sizeof type))
        put_visible(shown, sizeof shown, type);
    return err_set(
        e, ERR_UPSTREAM,
        "a reply of %u that S3 does not give: %s%s%s; is a proxy or a portal in between?",
        reply->status, what, *shown ? "; content type " : "", shown);
}

static bool check_encoding(const struct http_reply *reply, struct err *e)
{
    char text[64], shown[64];

    if (!http_reply_header(reply, "content-encoding", text, sizeof text) || !*text ||
        strcasecmp(text, "identity") == 0 || strcasecmp(text, "aws-chunked") == 0)
        return true;
    put_visible(shown, sizeof shown, text);
    return err_set(e, ERR_UPSTREAM,
                   "the object comes with content encoding '%s'; it must be "
                   "stored, and sent, as it is",
                   shown);
}

static bool check_range(const struct http_reply *reply, struct s3_request *r, struct err *e)
{
    char text[96];
    uint64_t from, last, total;

    if (reply->status != 206)
        return unlike_s3(reply, e, "the whole object where a range was asked for");
    if (!http_reply_header(reply, "content-range", text, sizeof text))
        return unlike_s3(reply, e, "no Content-Range");
    if (!s3_content_range(text, &from, &last, &total) || from != r->from || last >= r->end ||
        (last + 1 != r->end && last + 1 != total) || (r->total && total != r->total))
        return unlike_s3(reply, e, "another Content-Range than asked for");
    r->total = total;
    r->end = last + 1;
    return true;
}

static bool check_length(const struct http_reply *reply, struct s3_request *r, struct err *e)
{
    char text[32];
    const char *p = text;

    if (reply->status != 200)
        return unlike_s3(reply, e, "a range where the whole object was asked for");
    if (http_reply_header(reply, "content-length", text, sizeof text))
        return (take_number(&p, &r->total) && !*p) || unlike_s3(reply, e, "a bad Content-Length");
    return http_reply_header(reply, "transfer-encoding", text, sizeof text) ||
           unlike_s3(reply, e, "no Content-Length");
}

bool s3_check_head(const struct http_reply *reply, struct s3_request *r, struct err *e)
{
    if (!http_reply_header(reply, "etag", r->etag, sizeof r->etag) || !*r->etag ||
        !http_is_clean(r->etag))
        return unlike_s3(reply, e, "no ETag");
    if (!check_encoding(reply, e))
        return false;
    r->changed = r->if_match && strcmp(r->etag, r->if_match) != 0;
    if (r->changed)
        return err_set(e, ERR_UPSTREAM, "it was overwritten while it was read");
    if (!(r->ranged ? check_range(reply, r, e) : check_length(reply, r, e)))
        return false;
    if (r->total > r->max)
        return err_set(e, ERR_BAD_BUNDLE, "%llu bytes, at most %llu are allowed",
                       (unsigned long long)r->total, (unsigned long long)r->max);
    return true;
}
