/* SPDX-License-Identifier: Apache-2.0 */
/* What a reply says in its head. */
#include "transport.h"

#include <strings.h>
#include <time.h>

void http_reply_reset(struct http_reply *r)
{
    buf_reset(&r->body);
    buf_reset(&r->headers);
    buf_put(&r->body, "", 0);
    r->status = 0;
    r->failure = HTTP_BROKEN;
}

void http_reply_done(struct http_reply *r)
{
    buf_done(&r->body);
    buf_done(&r->headers);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The value of "name: value" where the name is this; NULL else. */
static const char *value_of(const char *line, size_t len, const char *name)
{
    size_t n = strlen(name);

    if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
        return NULL;
    return line + n + 1;
}

bool http_reply_header(const struct http_reply *r, const char *name, char *out, size_t size)
{
    const char *at = r->headers.data, *all_end = at ? at + r->headers.len : NULL;

    while (at < all_end) {
        const char *end = memchr(at, '\n', (size_t)(all_end - at));
        const char *value = end ? value_of(at, (size_t)(end - at), name) : NULL;
        at = end ? end + 1 : all_end;
        if (!value)
            continue;
        while (value < end && is_blank(*value))
            value++;
        while (end > value && is_blank(end[-1]))
            end--;
        size_t n = (size_t)(end - value);
        if (n >= size)
            return false;
        memcpy(out, value, n);
        out[n] = '\0';
        return true;
    }
    return false;
}

bool http_date(const char *text, uint64_t *ms)
{
    struct tm t = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &t);

    if (!end || *end)
        return false;
    int64_t seconds = timegm(&t);
    if (seconds <= 0)
        return false;
    *ms = (uint64_t)seconds * 1000;
    return true;
}

bool http_reply_date(const struct http_reply *r, uint64_t *ms)
{
    char text[64];

    return http_reply_header(r, "date", text, sizeof text) && http_date(text, ms);
}

bool http_is_clean(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}
