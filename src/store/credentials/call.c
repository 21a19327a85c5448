/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a service for credentials, and reading what it answers. */
#include "priv.h"

#include "scored/json.h"

#include <string.h>
#include <time.h>

static const struct json_limits limits = {.bytes = ANSWER_MAX, .depth = 8, .number = 40};

void chain_wipe(struct credential_chain *c)
{
    if (c->reply.body.data)
        explicit_bzero(c->reply.body.data, c->reply.body.cap);
    http_reply_reset(&c->reply);
}

/* -- refusals -- */

/* The member, under either of the spellings in use. */
static void json_member(const struct json *root, const char *key, const char *small, char *out,
                        size_t size)
{
    struct err ignored;
    const char *text;

    if ((json_get_string(root, key, &text, &ignored) ||
         json_get_string(root, small, &text, &ignored)) &&
        strlen(text) < size)
        memcpy(out, text, strlen(text) + 1);
}

/* What a reply that is not 200 says: {"code","message"}, or STS's XML. */
static bool refused(struct credential_chain *c, const struct http_call *call, struct err *e)
{
    const struct buf *body = &c->reply.body;
    char message[300] = "";
    const char *host = strstr(call->url, "://");
    struct err ignored;

    host = host ? host + 3 : call->url;
    struct json_doc *doc = json_parse(body->data, body->len, &limits, &ignored);
    if (doc) {
        struct json root = json_root(doc);
        json_member(&root, "Code", "code", c->error_code, sizeof c->error_code);
        json_member(&root, "Message", "message", message, sizeof message);
        json_free(doc);
    } else {
        xml_text(body->data, body->len, "Code", c->error_code, sizeof c->error_code);
        xml_text(body->data, body->len, "Message", message, sizeof message);
    }
    return err_set(e, ERR_UPSTREAM, "%.*s answered %u%s%s%s%s", (int)strcspn(host, "/?#"), host,
                   c->reply.status, *c->error_code ? ": " : "", c->error_code, *message ? ": " : "",
                   message);
}

/* -- attempts -- */

static bool may_help(const struct credential_chain *c)
{
    static const char *const codes[] = {"IDPCommunicationError", "InvalidIdentityToken",
                                        "Throttling", "ThrottlingException"};
    unsigned status = c->reply.status;

    if (c->reply.failure != HTTP_OK)
        return c->reply.failure != HTTP_UNTRUSTED && c->reply.failure != HTTP_FORBIDDEN &&
               c->reply.failure != HTTP_TOO_LARGE && c->reply.failure != HTTP_STOPPED;
    for (size_t i = 0; i < countof(codes); i++)
        if (strcmp(c->error_code, codes[i]) == 0)
            return true;
    return status == 429 || status >= 500;
}

static void pause_before(unsigned attempt)
{
    struct timespec t = {.tv_nsec = 100000000L << attempt};

    nanosleep(&t, NULL);
}

bool chain_call(struct credential_chain *c, const struct http_call *call, unsigned attempts,
                struct err *e)
{
    /* room at once: memory that grows leaves copies behind */
    if (!buf_reserve(&c->reply.body, call->max + 1))
        return err_memory(e);
    for (unsigned i = 1;; i++) {
        c->error_code[0] = '\0';
        bool came = transport_call(c->transport, call, &c->reply, e);
        if (came && c->reply.status == 200)
            return true;
        if (came)
            refused(c, call, e);
        if (i >= attempts || e->code == ERR_NO_MEMORY || !may_help(c))
            return false;
        pause_before(i < 3 ? i : 3);
    }
}

/* -- answers -- */

static bool copy_member(const struct json *root, const char *key, char *out, size_t size,
                        struct err *e)
{
    const char *text;

    return json_get_string(root, key, &text, e) && secret_copy(out, size, text, key, e);
}

static bool read_expiration(const struct json *root, uint64_t *ms, struct err *e)
{
    const char *text;

    if (!json_has(root, "Expiration"))
        return true;
    return json_get_string(root, "Expiration", &text, e) &&
           (time_read(text, ms) ||
            err_set(e, ERR_UPSTREAM, "Expiration: '%.40s' is no time", text));
}

static bool read_members(const struct json *root, struct credentials *out, struct err *e)
{
    const char *code;

    if (!json_is_object(root))
        return err_set(e, ERR_UPSTREAM, "must be an object");
    if (json_has(root, "Code") &&
        (!json_get_string(root, "Code", &code, e) || strcmp(code, "Success") != 0))
        return err_set(e, ERR_UPSTREAM, "Code is not Success");
    return copy_member(root, "AccessKeyId", out->key_id, sizeof out->key_id, e) &&
           copy_member(root, "SecretAccessKey", out->secret, sizeof out->secret, e) &&
           (!json_has(root, "Token") ||
            copy_member(root, "Token", out->token, sizeof out->token, e)) &&
           read_expiration(root, &out->expires_ms, e);
}

bool chain_json(struct credential_chain *c, struct credentials *out, struct err *e)
{
    struct json_doc *doc = json_parse(c->reply.body.data, c->reply.body.len, &limits, e);
    struct json root = doc ? json_root(doc) : (struct json){0};
    bool ok = doc && read_members(&root, out, e);

    json_wipe(doc);
    chain_wipe(c);
    return ok || err_wrap(e, "the answer cannot be used");
}
