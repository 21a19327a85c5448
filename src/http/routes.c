/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of what there is; both listeners look it up here. */

#include "http_priv.h"
#include "unpack.h"

#include <strings.h>

#define JSON_TYPES "application/json"

const struct route routes[ROUTE_NONE] = {
#define ROUTE(id, method_, path_, side_, open_, body_, answer_, consumes_, produces_, operation_, \
              describes_, open_to_all_, summary_)                                                 \
    [ROUTE_##id] = {.method = (method_),                                                          \
                    .path = (path_),                                                              \
                    .side = (side_),                                                              \
                    .open = (open_),                                                              \
                    .body = (body_),                                                              \
                    .answer = (answer_),                                                          \
                    .consumes = (consumes_),                                                      \
                    .produces = (produces_),                                                      \
                    .operation = (operation_),                                                    \
                    .describes = (describes_),                                                    \
                    .open_to_all = (open_to_all_),                                                \
                    .summary = (summary_)},
#include "routes.def"
#undef ROUTE
};

enum route_id route_id(const struct route *r)
{
    return r ? (enum route_id)(r - routes) : ROUTE_NONE;
}

const char *route_path(const struct route *r)
{
    return r ? r->path : "none";
}

/* Matches byte for byte; "{...}" is one segment that is not empty, and the next of `parts`. */
static bool path_matches(const char *pattern, struct text path, struct text parts[PATH_PARTS])
{
    const char *p = path.p, *end = path.p + path.len;
    struct text *part = parts;

    while (*pattern) {
        if (*pattern == '{') {
            pattern = strchr(pattern, '}') + 1;
            *part = (struct text){p, 0};
            while (p < end && *p != '/')
                p++;
            part->len = (uint32_t)(p - part->p);
            if (!part++->len)
                return false;
        } else if (p == end || *p++ != *pattern++) {
            return false;
        }
    }
    return p == end;
}

const struct route *routes_find(enum side side, struct text path, struct text parts[PATH_PARTS])
{
    for (size_t i = 0; i < countof(routes); i++) {
        parts[0] = parts[1] = (struct text){"", 0};
        if ((routes[i].side & side) && path_matches(routes[i].path, path, parts))
            return &routes[i];
    }
    return NULL;
}

/* Does the other listener have the path? */
static bool is_elsewhere(const struct exchange *x)
{
    struct text parts[PATH_PARTS];

    for (size_t i = 0; i < countof(routes); i++)
        if (!(routes[i].side & x->side) && routes[i].operation &&
            path_matches(routes[i].path, x->path, parts))
            return true;
    return false;
}

static void not_found(struct exchange *x)
{
    struct buf extra = {0};

    buf_lit(&extra, ",\"paths\":[");
    const char *comma = "";
    for (size_t i = 0; i < countof(routes); i++) {
        if (!(routes[i].side & x->side) || !routes[i].operation)
            continue;
        buf_printf(&extra, "%s\"%s %s\"", comma, routes[i].method, routes[i].path);
        comma = ",";
    }
    buf_char(&extra, ']');
    reply_problem(x, PROBLEM_NOT_FOUND, extra.failed ? NULL : extra.data,
                  is_elsewhere(x) ? "the %s listener answers this; `paths` lists what this one does"
                                  : "no route has this path; `paths` lists those that there are",
                  x->side == SIDE_PUBLIC ? "admin" : "public");
    buf_done(&extra);
}

static const char *allowed(const struct route *r)
{
    return !r                          ? "GET, HEAD, POST, OPTIONS"
           : !strcmp(r->method, "GET") ? "GET, HEAD, OPTIONS"
                                       : "POST, OPTIONS";
}

static bool name_models(struct exchange *x, struct text name)
{
    struct registry *r = x->app->registry;
    struct buf extra = {0};

    x->slot = name.len ? registry_find(r, name.p, name.len) : registry_default(r);
    if (x->slot)
        return true;
    buf_lit(&extra, ",\"models\":");
    put_model_names(&extra, r);
    reply_problem(x, PROBLEM_NO_MODEL, extra.failed ? NULL : extra.data,
                  name.len ? "`models` lists those served here"
                           : "more than one model is served and none is named \"default\": post to "
                             "/models/{name}/predict");
    buf_done(&extra);
    return false;
}

static void wrong_type(struct exchange *x)
{
    const char *types = x->route->consumes;

    reply_problem(x, PROBLEM_UNSUPPORTED_TYPE, NULL,
                  "the body came with Content-Type: %.60s; send one of %s (curl: -H "
                  "'Content-Type: application/json')",
                  x->head.content_type, types);
    reply_header_text(x, "Accept-Post", types);
}

/* What curl -d says where nothing else is asked of it. Operators' calls are strict about it: any
 * page of a browser can send a form. */
static bool is_form(const struct exchange *x)
{
    return x->route->body == predict_body &&
           media_is(x->head.content_type, "application/x-www-form-urlencoded");
}

/* No form begins with a brace or a bracket; what does was meant to be JSON. */
static bool is_json_after_all(struct exchange *x, const char *p, size_t n)
{
    size_t i = 0;

    while (i < n && strchr(" \t\r\n", p[i]) && p[i])
        i++;
    if (i == n)
        return true;
    x->form = false;
    return p[i] == '{' || p[i] == '[';
}

void route_body(struct exchange *x, const char *p, size_t n)
{
    if (x->form && !is_json_after_all(x, p, n))
        wrong_type(x);
    else
        x->route->body(x, p, n);
}

/* Rows may come compressed, what operators ask may not. */
static bool check_coding(struct exchange *x)
{
    const char *coding = x->head.content_encoding;
    bool unpacks = x->route->body == predict_body;

    if (!coding || !strcasecmp(coding, "identity") || (unpacks && unpacking_of(coding)))
        return true;
    const char *names = unpacks ? unpacking_names : "identity";
    reply_problem(x, PROBLEM_UNSUPPORTED_TYPE, NULL,
                  "the body came with Content-Encoding: %.60s; what is taken is: %s", coding,
                  names);
    reply_header_text(x, "Accept-Encoding", names);
    return false;
}

/* A route that takes a body says of which types; others take none. */
static bool check_body(struct exchange *x)
{
    const struct head *h = &x->head;
    const struct route *r = x->route;

    if (!r->consumes)
        return true;
    if (!check_coding(x))
        return false;
    bool form = h->content_type && is_form(x), packed = unpacking_of(h->content_encoding);
    x->form = form && !packed; /* no browser compresses one */
    if (!h->content_type || form || media_listed(r->consumes, h->content_type))
        return true;
    wrong_type(x);
    return false;
}

static bool check_accept(struct exchange *x)
{
    char type[64];

    for (const char *p = x->route->produces; *p; p += *p == ',') {
        size_t n = strcspn(p, ",");
        memcpy(type, p, n);
        type[n] = '\0';
        if (media_accepts(x->head.accept, type, true))
            return true;
        p += n;
    }
    for (unsigned i = 0; x->route->consumes && i < DIALECT_COUNT; i++)
        if (media_accepts(x->head.accept, dialects[i]->answers, true))
            return true;
    reply_problem(x, PROBLEM_NOT_ACCEPTABLE, NULL, "the answer is %s", x->route->produces);
    return false;
}

static bool check_method(struct exchange *x, const char *method)
{
    const struct route *r = x->route;

    x->is_head = !strcmp(method, "HEAD");
    if (!strcmp(method, r->method) || (x->is_head && !strcmp(r->method, "GET")))
        return true;
    reply_problem(x, PROBLEM_METHOD_NOT_ALLOWED, NULL, "the methods are %s", allowed(r));
    reply_header_text(x, "Allow", allowed(r));
    return false;
}

/* Nobody but the operator changes what is served. */
static bool check_operator(struct exchange *x)
{
    if (x->route->side != SIDE_ADMIN || is_operator(x))
        return true;
    reply_problem(x, PROBLEM_FORBIDDEN, NULL, "%s",
                  x->head.origin
                      ? "a page of a browser may not ask this: there is an Origin header"
                      : "the Host header is neither an address, nor localhost, nor one of "
                        "--admin-hosts");
    return false;
}

/* A method of the registry of HTTP that a path does not take is 405, any other 501: RFC 9110, 5789,
 * and QUERY. */
static bool know_method(struct exchange *x, const char *method)
{
    static const char *const known[] = {"GET",    "HEAD",    "POST",  "OPTIONS", "PUT",
                                        "DELETE", "CONNECT", "TRACE", "PATCH",   "QUERY"};

    for (size_t i = 0; i < countof(known); i++)
        if (!strcmp(method, known[i]))
            return true;
    reply_problem(x, PROBLEM_NOT_IMPLEMENTED, NULL, "there is no such method");
    return false;
}

static bool answer_options(struct exchange *x)
{
    x->status = 204;
    x->content_type = NULL;
    reply_header_text(x, "Allow", allowed(x->route));
    return false;
}

/* The page is there for browsers only. */
static const struct route *route_of(const struct exchange *x, const char *method,
                                    struct text parts[PATH_PARTS])
{
    const struct route *r = routes_find(x->side, x->path, parts);

    return r && r->answer == answer_page && !page_is_asked(x, method) ? NULL : r;
}

bool route_open(struct exchange *x, const char *method)
{
    struct text parts[PATH_PARTS];
    bool options = !strcmp(method, "OPTIONS");

    x->route = route_of(x, method, parts);
    cors_open(x);
    if (cors_is_asked(x, method))
        return answer_options(x);
    if (!access_check(x) || !know_method(x, method))
        return false;
    if (options && x->path.len == 1 && x->path.p[0] == '*')
        return answer_options(x);
    if (memchr(x->path.p, '%', x->path.len)) {
        reply_problem(x, PROBLEM_BAD_REQUEST, NULL, "no path here needs percent-encoding");
        return false;
    }
    if (!x->route) {
        not_found(x);
        return false;
    }
    if (options)
        return answer_options(x);
    if (!check_method(x, method) || !check_operator(x) || !check_body(x) || !check_accept(x))
        return false;
    bool needs_model = x->route->consumes || parts[0].len;
    x->version = parts[1];
    if (needs_model && !name_models(x, parts[0]))
        return false;
    return !x->route->open || x->route->open(x);
}
