/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page for people, on the public listener: page.html as it stands, which asks /models, the
 * schema, /metrics and /predict as any client does; so it shows nothing that is not public anyway.
 * Its browser runs what stands in it and nothing else, and asks nobody but us.
 */
#include "http_priv.h"

#include "scored/base64.h"
#include "scored/crypto.h"

static const char text_html[] = "text/html";

bool page_is_asked(const struct exchange *x, const char *method)
{
    bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");

    return reads && x->head.accept && media_accepts(x->head.accept, text_html, false);
}

/* Appends the hash of what stands between two tags, as a policy names it. */
static bool put_hash(struct buf *out, const char *open, const char *close)
{
    const char *from = strstr(page_html, open) + strlen(open);
    unsigned char digest[SHA256_SIZE];
    struct err e;

    if (!sha256_bytes(from, (size_t)(strstr(from, close) - from), digest, &e))
        return false;
    buf_lit(out, "'sha256-");
    buf_base64(out, digest, sizeof digest);
    buf_lit(out, "'");
    return true;
}

/* Weak: compressed or not, it is the same page. */
static bool put_tag(struct buf *out)
{
    char hex[SHA256_HEX + 1];
    struct err e;

    if (!sha256_hex(page_html, strlen(page_html), hex, &e))
        return false;
    buf_printf(out, "W/\"%.32s\"", hex);
    buf_put(out, "", 1);
    return true;
}

static bool put_policy(struct buf *out)
{
    buf_lit(out, "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
                 "form-action 'none'; frame-ancestors 'none'; style-src ");
    if (!put_hash(out, "<style>", "</style>"))
        return false;
    buf_lit(out, "; script-src ");
    return put_hash(out, "<script>", "</script>");
}

/* RFC 9110, 13.1.2: a list of tags, compared weakly, or "*". */
static bool is_known(const char *tags, const char *tag)
{
    return tags && (!strcmp(tags, "*") || strstr(tags, tag + 2));
}

void answer_page(struct exchange *x)
{
    buf_reset(&x->extra);
    bool made = put_tag(&x->extra);
    size_t policy = x->extra.len;
    if (!made || !put_policy(&x->extra) || x->extra.failed) {
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
        return;
    }
    x->content_type = "text/html; charset=utf-8";
    x->etag = x->extra.data;
    reply_header(x, "Content-Security-Policy");
    x->extra_value = x->extra.data + policy;
    x->status = is_known(x->head.if_none_match, x->etag) ? 304 : 200;
    buf_text(&x->reply, page_html); /* of 304 its length alone goes */
}
