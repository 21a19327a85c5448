/* SPDX-License-Identifier: Apache-2.0 */
#include "replies.h"

#include "scored/dict.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS_AT = sizeof "HTTP/1.1" };

/* A header's value, from `name`, which begins with the end of the line before. */
static struct text header(const char *p, size_t head, const char *name)
{
    const char *at = memmem(p, head, name, strlen(name));

    if (!at)
        return (struct text){"", 0};
    at += strlen(name);
    const char *stop = memmem(at, head - (size_t)(at - p), "\r\n", 2);
    return (struct text){at, (uint32_t)(stop - at)};
}

size_t reply_length(const char *p, size_t n, size_t *head)
{
    static const char end[] = "\r\n\r\n";
    const char *stop = memmem(p, n, end, sizeof end - 1);

    if (!stop)
        return 0;
    *head = (size_t)(stop - p) + sizeof end - 1;
    struct text length = header(p, *head, "\r\nContent-Length: ");
    return *head + (length.len ? strtoul(length.p, NULL, 10) : 0);
}

/* The reply's status, a space, its version, a newline, its body. */
static void make_key(struct buf *key, const char *p, size_t n, size_t head)
{
    struct text version = header(p, head, "\r\nX-Model-Version: ");

    buf_reset(key);
    if (head > STATUS_AT + 3)
        buf_put(key, p + STATUS_AT, 3);
    buf_char(key, ' ');
    buf_put(key, version.p, version.len);
    buf_char(key, '\n');
    buf_put(key, p + head, n - head);
}

static int32_t add(struct replies *r, int32_t *slot)
{
    struct reply *reply = &r->list[r->n];

    if (r->n == REPLIES_MAX || !(reply->text = malloc(r->key.len)))
        return NO_REPLY;
    memcpy(reply->text, r->key.data, r->key.len);
    reply->len = r->key.len;
    reply->head = (size_t)((char *)memchr(reply->text, '\n', reply->len) - reply->text);
    reply->count = 1;
    *slot = (int32_t)++r->n;
    return *slot - 1;
}

int32_t replies_note(struct replies *r, const char *p, size_t n, size_t head)
{
    make_key(&r->key, p, n, head);
    if (r->key.failed)
        return NO_REPLY;
    for (uint64_t at = hash_bytes(r->key.data, r->key.len, 0);; at++) {
        int32_t *slot = &r->table[at % REPLIES_TABLE];
        if (!*slot)
            return add(r, slot);
        struct reply *reply = &r->list[*slot - 1];
        if (reply->len == r->key.len && memcmp(reply->text, r->key.data, r->key.len) == 0) {
            reply->count++;
            return *slot - 1;
        }
    }
}

void replies_print(const struct replies *r, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < r->n; i++) {
        const struct reply *reply = &r->list[i];
        const char *version = memchr(reply->text, ' ', reply->head);
        buf_printf(out, "%s{\"status\":%ld,\"version\":", i ? "," : "",
                   strtol(reply->text, NULL, 10));
        version++;
        buf_json_string(out, version, (size_t)(reply->text + reply->head - version));
        buf_printf(out, ",\"count\":%llu,\"body\":", (unsigned long long)reply->count);
        buf_json_string(out, reply->text + reply->head + 1, reply->len - reply->head - 1);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

void replies_done(struct replies *r)
{
    for (uint32_t i = 0; i < r->n; i++)
        free(r->list[i].text);
    buf_done(&r->key);
}
