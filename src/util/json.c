/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/json.h"

#include "json_check.h"
#include "scored/buf.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json_doc {
    cJSON *root;
};

static const cJSON *node(const struct json *v)
{
    return v->node;
}

/* -- numbers keep their text: what cJSON prints of a double may be its neighbour -- */

/* The next number of a well-formed text; moves p behind it. False at the end. */
static bool next_number(const char **p, const char *end, const char **number, size_t *n)
{
    for (; *p < end && **p != '-' && !(**p >= '0' && **p <= '9'); (*p)++) {
        if (**p != '"')
            continue;
        for ((*p)++; **p != '"'; (*p)++)
            *p += **p == '\\';
    }
    *number = *p;
    while (*p < end && **p && strchr("+-.0123456789Ee", **p))
        (*p)++;
    *n = (size_t)(*p - *number);
    return *n > 0;
}

/* cJSON prints an integer of up to fifteen characters as it came. */
static bool prints_itself(const char *number, size_t n)
{
    return n <= 15 && !memchr(number, '.', n) && !memchr(number, 'e', n) && !memchr(number, 'E', n);
}

static bool keep_text(cJSON *number, const char *text, size_t n)
{
    char *copy = cJSON_malloc(n + 1); /* freed by cJSON */

    if (!copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    number->valuestring = copy;
    return true;
}

/* Nodes in the order of the text, from p on; as deep as json_check let it be. */
static bool keep_texts(cJSON *list, const char **p, const char *end)
{
    for (; list; list = list->next) {
        const char *text;
        size_t n;
        if (cJSON_IsNumber(list) && next_number(p, end, &text, &n) && !prints_itself(text, n) &&
            !keep_text(list, text, n))
            return false;
        if (!keep_texts(list->child, p, end))
            return false;
    }
    return true;
}

static void as_they_came(cJSON *list)
{
    for (; list; list = list->next) {
        if (cJSON_IsNumber(list) && list->valuestring)
            list->type = cJSON_Raw;
        as_they_came(list->child);
    }
}

char *json_print(const struct json *v)
{
    cJSON *copy = cJSON_Duplicate(node(v), true);

    as_they_came(copy);
    char *text = copy ? cJSON_PrintUnformatted(copy) : NULL;
    cJSON_Delete(copy);
    return text;
}

/* -- documents -- */

struct json_doc *json_parse(const char *text, size_t n, const struct json_limits *limits,
                            struct err *e)
{
    if (!json_check(text, n, limits, e))
        return NULL;
    const char *p = text;
    struct json_doc *doc = malloc(sizeof *doc);
    cJSON *root = doc ? cJSON_ParseWithLength(text, n) : NULL;
    if (!root || !keep_texts(root, &p, text + n)) {
        cJSON_Delete(root);
        free(doc);
        err_memory(e); /* the bytes are well-formed */
        return NULL;
    }
    doc->root = root;
    return doc;
}

void json_free(struct json_doc *doc)
{
    if (doc)
        cJSON_Delete(doc->root);
    free(doc);
}

/* As deep as the limits of json_parse let documents be. */
static void overwrite(const cJSON *list)
{
    for (; list; list = list->next) {
        if (list->valuestring)
            explicit_bzero(list->valuestring, strlen(list->valuestring));
        overwrite(list->child);
    }
}

void json_wipe(struct json_doc *doc)
{
    if (doc)
        overwrite(doc->root);
    json_free(doc);
}

struct json json_root(const struct json_doc *doc)
{
    return (struct json){.node = doc->root};
}

/* -- errors -- */

static void put_path(struct buf *b, const struct json *v)
{
    if (!v->up)
        return;
    put_path(b, v->up);
    if (!v->key)
        buf_printf(b, "[%u]", (unsigned)v->index);
    else
        buf_printf(b, "%s%s", b->len ? "." : "", v->key);
}

bool(json_fail)(const struct json *v, struct err *e, const char *fmt, ...)
{
    struct buf b = {0};
    char what[256];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(what, sizeof what, fmt, args) < 0)
        what[0] = '\0';
    va_end(args);
    put_path(&b, v);
    err_set(e, ERR_BAD_BUNDLE, "%s", what);
    if (b.len)
        err_wrap(e, "%.200s", b.data);
    buf_done(&b);
    return false;
}

/* -- values -- */

static bool is(const struct json *v, int type)
{
    return v->node && (node(v)->type & 0xff) == type;
}

bool json_is_null(const struct json *v)
{
    return is(v, cJSON_NULL);
}

bool json_is_string(const struct json *v)
{
    return is(v, cJSON_String);
}

bool json_is_number(const struct json *v)
{
    return is(v, cJSON_Number);
}

bool json_is_object(const struct json *v)
{
    return is(v, cJSON_Object);
}

bool json_is_array(const struct json *v)
{
    return is(v, cJSON_Array);
}

bool json_is_bool(const struct json *v)
{
    return is(v, cJSON_True) || is(v, cJSON_False);
}

static struct json member(const struct json *v, const char *key)
{
    return (struct json){
        .node = cJSON_GetObjectItemCaseSensitive(node(v), key), .up = v, .key = key};
}

bool json_has(const struct json *v, const char *key)
{
    return member(v, key).node != NULL;
}

bool json_only(const struct json *v, const char *const *names, struct err *e)
{
    struct json_iter it = {0};

    while (json_next(v, &it)) {
        const char *const *name = names;
        while (*name && strcmp(*name, it.value.key) != 0)
            name++;
        if (!*name && strncmp(it.value.key, "x-", 2) != 0)
            return json_fail(v, e, "unknown key '%.64s'", it.value.key);
    }
    return true;
}

bool json_get(const struct json *v, const char *key, struct json *out, struct err *e)
{
    struct json m = member(v, key);

    if (!m.node)
        return json_fail(v, e, "missing key '%s'", key);
    *out = m;
    return true;
}

bool json_get_object(const struct json *v, const char *key, struct json *out, struct err *e)
{
    struct json m;

    if (!json_get(v, key, &m, e))
        return false;
    if (!json_is_object(&m))
        return json_fail(&m, e, "must be an object");
    *out = m;
    return true;
}

bool json_get_array(const struct json *v, const char *key, struct json *out, struct err *e)
{
    struct json m;

    if (!json_get(v, key, &m, e))
        return false;
    if (!json_is_array(&m))
        return json_fail(&m, e, "must be an array");
    *out = m;
    return true;
}

bool json_as_string(const struct json *v, const char **out, struct err *e)
{
    if (!json_is_string(v))
        return json_fail(v, e, "must be a string");
    *out = node(v)->valuestring;
    return true;
}

bool json_get_string(const struct json *v, const char *key, const char **out, struct err *e)
{
    struct json m;

    return json_get(v, key, &m, e) && json_as_string(&m, out, e);
}

bool json_get_bool(const struct json *v, const char *key, bool *out, struct err *e)
{
    struct json m;

    if (!json_get(v, key, &m, e))
        return false;
    if (!json_is_bool(&m))
        return json_fail(&m, e, "must be true or false");
    *out = is(&m, cJSON_True);
    return true;
}

/* Integers up to 2^53 only: cJSON keeps doubles, in which larger ones are not exact. */
static bool as_u64(const struct json *v, uint64_t max, uint64_t *out, struct err *e)
{
    const double exact = 9007199254740992.0;

    if (!json_is_number(v))
        return json_fail(v, e, "must be an integer");
    double d = node(v)->valuedouble;
    if (!(d >= 0) || d > exact || d != floor(d))
        return json_fail(v, e, "must be an integer of at least 0");
    if ((uint64_t)d > max)
        return json_fail(v, e, "must be at most %llu", (unsigned long long)max);
    *out = (uint64_t)d;
    return true;
}

bool json_get_u64(const struct json *v, const char *key, uint64_t max, uint64_t *out, struct err *e)
{
    struct json m;

    return json_get(v, key, &m, e) && as_u64(&m, max, out, e);
}

bool json_as_u32(const struct json *v, uint32_t max, uint32_t *out, struct err *e)
{
    uint64_t n;

    if (!as_u64(v, max, &n, e))
        return false;
    *out = (uint32_t)n;
    return true;
}

bool json_get_u32(const struct json *v, const char *key, uint32_t max, uint32_t *out, struct err *e)
{
    struct json m;

    return json_get(v, key, &m, e) && json_as_u32(&m, max, out, e);
}

bool json_as_double(const struct json *v, double *out, struct err *e)
{
    static const struct {
        const char *text;
        double value;
    } named[] = {
        {"NaN", (double)NAN},
        {"Infinity", (double)INFINITY},
        {"-Infinity", -(double)INFINITY},
    };

    if (json_is_number(v) && isfinite(node(v)->valuedouble)) {
        *out = node(v)->valuedouble;
        return true;
    }
    for (size_t i = 0; json_is_string(v) && i < countof(named); i++) {
        if (strcmp(node(v)->valuestring, named[i].text) == 0) {
            *out = named[i].value;
            return true;
        }
    }
    return json_fail(v, e, "must be a number or one of \"NaN\", \"Infinity\", \"-Infinity\"");
}

bool json_get_double(const struct json *v, const char *key, double *out, struct err *e)
{
    struct json m;

    return json_get(v, key, &m, e) && json_as_double(&m, out, e);
}

/* -- iteration -- */

bool json_next(const struct json *v, struct json_iter *it)
{
    const cJSON *next = it->n ? node(&it->value)->next : v->node ? node(v)->child : NULL;

    if (!next)
        return false;
    it->value = (struct json){.node = next, .up = v, .key = next->string, .index = it->n};
    it->n++;
    return true;
}

uint32_t json_size(const struct json *v)
{
    return v->node ? (uint32_t)cJSON_GetArraySize(node(v)) : 0;
}

/* cJSON writes the text anew at each call, into memory that all threads share. */
static const char *library;

static void ask_library(void)
{
    library = cJSON_Version();
}

const char *json_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, ask_library);
    return library;
}
