/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows from any bytes. What must hold: bodies are accepted iff a plain parser accepts them; answers
 * do not depend on how rows are cut into frames; a line is answered as a body is; cJSON reads the
 * same values from the request and the reply. The first byte of the input chooses the options.
 */
#include "kits.h"

#include <cjson/cJSON.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* -- a plain parser -- */

struct plain {
    const unsigned char *p, *end;
};

static int peek(const struct plain *t)
{
    return t->p < t->end ? *t->p : -1;
}

static bool eat(struct plain *t, int c)
{
    bool here = peek(t) == c;

    t->p += here;
    return here;
}

static void space(struct plain *t)
{
    while (peek(t) == ' ' || peek(t) == '\t' || peek(t) == '\n' || peek(t) == '\r')
        t->p++;
}

static bool digits(struct plain *t)
{
    const unsigned char *from = t->p;

    while (peek(t) >= '0' && peek(t) <= '9')
        t->p++;
    return t->p > from;
}

static bool number(struct plain *t)
{
    eat(t, '-');
    if (!eat(t, '0') && !digits(t))
        return false;
    if (eat(t, '.') && !digits(t))
        return false;
    if (!eat(t, 'e') && !eat(t, 'E'))
        return true;
    if (!eat(t, '+'))
        eat(t, '-');
    return digits(t);
}

static int unit(struct plain *t)
{
    int code = 0;

    for (int i = 0; i < 4; i++, t->p++) {
        int c = peek(t);
        if (c >= '0' && c <= '9')
            code = code * 16 + c - '0';
        else if ((c | 32) >= 'a' && (c | 32) <= 'f' && c > 0)
            code = code * 16 + (c | 32) - 'a' + 10;
        else
            return -1;
    }
    return code;
}

static bool escape(struct plain *t)
{
    int c = peek(t);

    if (c != 'u') {
        t->p++;
        return c > 0 && strchr("\"\\/bfnrt", c);
    }
    t->p++;
    int code = unit(t);
    if (code < 0xd800 || code > 0xdfff)
        return code >= 0;
    if (code > 0xdbff || !eat(t, '\\') || !eat(t, 'u'))
        return false;
    code = unit(t);
    return code >= 0xdc00 && code <= 0xdfff;
}

/* A character beyond ASCII, by the value that its bytes add up to. */
static bool character(struct plain *t)
{
    int c = *t->p++, more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    static const long least[] = {0, 0x80, 0x800, 0x10000};
    long code = c & (0x3f >> more);

    if (c < 0xc0 || c > 0xf7)
        return false;
    for (int i = 0; i < more; i++, t->p++) {
        if (peek(t) < 0x80 || peek(t) > 0xbf)
            return false;
        code = code << 6 | (peek(t) & 0x3f);
    }
    return code >= least[more] && code < 0x110000 && (code < 0xd800 || code > 0xdfff);
}

static bool string(struct plain *t)
{
    while (!eat(t, '"')) {
        int c = peek(t);
        if (c < 32)
            return false;
        if (c >= 0x80) {
            if (!character(t))
                return false;
            continue;
        }
        t->p++;
        if (c == '\\' && !escape(t))
            return false;
    }
    return true;
}

static bool word(struct plain *t, const char *w)
{
    while (*w)
        if (!eat(t, *w++))
            return false;
    return true;
}

static bool value(struct plain *t, int depth);

static bool container(struct plain *t, int depth, int close)
{
    if (depth > 64)
        return false;
    space(t);
    if (eat(t, close))
        return true;
    do {
        if (close == '}') {
            space(t);
            if (!eat(t, '"') || !string(t))
                return false;
            space(t);
            if (!eat(t, ':'))
                return false;
        }
        if (!value(t, depth))
            return false;
    } while (eat(t, ','));
    return eat(t, close);
}

static bool value(struct plain *t, int depth)
{
    bool ok;

    space(t);
    if (eat(t, '{'))
        ok = container(t, depth + 1, '}');
    else if (eat(t, '['))
        ok = container(t, depth + 1, ']');
    else if (eat(t, '"'))
        ok = string(t);
    else if (peek(t) == 't')
        ok = word(t, "true");
    else if (peek(t) == 'f')
        ok = word(t, "false");
    else if (peek(t) == 'n')
        ok = word(t, "null");
    else
        ok = number(t);
    space(t);
    return ok;
}

static bool plain_accepts(const char *text, size_t n)
{
    struct plain t = {(const unsigned char *)text, (const unsigned char *)text + n};

    return value(&t, 0) && t.p == t.end;
}

/* -- what must hold -- */

static bool holds(const char *text, size_t n, const char *what)
{
    size_t m = strlen(what);

    for (size_t i = 0; i + m <= n; i++)
        if (memcmp(text + i, what, m) == 0)
            return true;
    return false;
}

static bool same_value(const cJSON *in, const cJSON *out)
{
    if (cJSON_IsNumber(in))
        return !cJSON_IsNumber(out) || in->valuedouble == out->valuedouble;
    return !cJSON_IsString(in) || !cJSON_IsString(out) ||
           strcmp(in->valuestring, out->valuestring) == 0;
}

/* cJSON cannot tell a NUL in a string from its end, nor read a number of more than 63 characters.
 */
static void check_by_cjson(const char *text, size_t n, const struct buf *reply)
{
    static const char *const names[] = {"d", "s", "i", "l", "b"};
    unsigned digits_in_row = 0;

    for (size_t i = 0; i < n; i++) {
        digits_in_row = text[i] && strchr("0123456789+-.eE", text[i]) ? digits_in_row + 1 : 0;
        if (digits_in_row > 60)
            return;
    }
    if (holds(text, n, "\\u0000"))
        return;
    cJSON *in = cJSON_ParseWithLength(text, n),
          *out = cJSON_ParseWithLength(reply->data, reply->len);
    require(in && out, "cJSON accepts what is accepted, and replies");
    for (size_t i = 0; cJSON_IsObject(in) && i < countof(names); i++) {
        const cJSON *asked = cJSON_GetObjectItemCaseSensitive(in, names[i]);
        const cJSON *got = cJSON_GetObjectItemCaseSensitive(out, names[i]);
        require(!asked || !got || same_value(asked, got), "the reply has the request's values");
    }
    cJSON_Delete(in);
    cJSON_Delete(out);
}

static void check_body(const char *text, size_t n, struct buf *first)
{
    struct body_problem why, other;
    unsigned status = kit_body(&kits[0], text, n, first, &why);

    require((status == 200 || status == 422) == (why.problem == PROBLEM_NONE),
            "status and problem");
    for (unsigned i = 1; i < KITS; i++) {
        struct buf again = {0};
        unsigned same = kit_body(&kits[i], text, n, &again, &other);
        if (status != 413 && same != 413)
            require(same == status && again.len == first->len && other.offset == why.offset &&
                        (!again.len || memcmp(again.data, first->data, again.len) == 0),
                    "frames of other sizes answer the same body alike");
        buf_done(&again);
    }
    if (status == 413 || why.problem == PROBLEM_DUPLICATE_FIELD)
        return;
    require((status != 400) == plain_accepts(text, n), "the plain parser agrees");
    if (status == 200 || status == 422)
        check_by_cjson(text, n, first);
    require(why.offset <= n, "the offset lies in the text");
}

static void check_lines(const char *text, size_t n, const struct buf *body)
{
    struct buf first = {0};

    kit_lines(&kits[0], text, n, 1, &first);
    for (unsigned i = 0; i < KITS; i++) {
        struct buf again = {0};
        kit_lines(&kits[i], text, n, cuts[KITS - 1 - i], &again);
        require(again.len == first.len && memcmp(again.data, first.data, first.len) == 0,
                "lines in frames of other sizes are answered alike");
        buf_done(&again);
    }
    size_t newlines = 0, answers = 0;
    for (size_t i = 0; i < n; i++)
        newlines += text[i] == '\n';
    for (size_t i = 0; i < first.len; i++)
        answers += first.data[i] == '\n';
    require(answers == newlines + 1, "a line for each line");
    /* a row that is well is answered alike as a body and as a line */
    if (!newlines && body->len && body->data[0] == '{' &&
        !holds(body->data, body->len, "\"status\""))
        require(first.len == body->len + 1 && memcmp(first.data, body->data, body->len) == 0,
                "a body is answered as a line");
    buf_done(&first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf reply = {0};

    if (!kits[0].memory)
        open_kits();
    if (!size)
        return 0;
    const char *text = (const char *)data + 1;
    for (unsigned i = 0; i < KITS; i++)
        choose(&kits[i].question, data[0]);
    check_body(text, size - 1, &reply);
    check_lines(text, size - 1, &reply);
    buf_done(&reply);
    return 0;
}
