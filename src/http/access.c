/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask what: bearer tokens, and pages of other origins (CORS). Decided by the head alone,
 * before a byte of a body is kept. */
#include "http_priv.h"

/* -- tokens -- */

static const char realm[] = "Bearer realm=\"scored\"";

enum scope access_scope(const struct app *app, const struct route *r, enum side side)
{
    if (!app->tokens || (r && r->open_to_all))
        return SCOPE_NONE;
    return side == SIDE_ADMIN ? SCOPE_ADMIN : SCOPE_PREDICT;
}

/* Which part of it was wrong is nobody's business who has none. */
static void refuse_unknown(struct exchange *x)
{
    reply_problem(x, PROBLEM_UNAUTHORIZED, NULL,
                  "send one that is known here: Authorization: Bearer TOKEN");
    reply_header_text(x, "WWW-Authenticate", realm);
}

/* RFC 6750, 3.1. */
static void refuse_scope(struct exchange *x, enum scope needed)
{
    reply_problem(x, PROBLEM_WRONG_SCOPE, NULL, "this needs a token of the scope \"%s\"",
                  scope_name(needed));
    buf_reset(&x->extra);
    buf_printf(&x->extra, "%s, error=\"insufficient_scope\", scope=\"%s\"", realm,
               scope_name(needed));
    reply_header(x, "WWW-Authenticate");
}

bool access_check(struct exchange *x)
{
    enum scope needed = access_scope(x->app, x->route, x->side);

    if (needed == SCOPE_NONE)
        return true;
    enum scope has = tokens_find(x->app->tokens, x->head.authorization, x->token);
    if (has >= needed)
        return true;
    metrics_event(x->app->metrics, x->worker, EVENT_UNAUTHORIZED);
    if (has == SCOPE_NONE)
        refuse_unknown(x);
    else
        refuse_scope(x, needed);
    return false;
}

/* -- pages of other origins -- */

/* The next of a list that commas separate: its length. */
static size_t next_origin(const char **list, const char **origin)
{
    *origin = *list;
    size_t n = strcspn(*list, ",");
    *list += n + ((*list)[n] == ',');
    return n;
}

/* scheme://host[:port], as browsers write it: a slash at the end would never match. */
static bool is_origin(const char *p, size_t n)
{
    static const char within[] =
        "abcdefghijklmnopqrstuvwxyz0123456789.-:[]"; /* RFC 6454, 6.1, in lower case */
    size_t scheme = strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

    return scheme && n > scheme + 3 && !memcmp(p + scheme, "://", 3) &&
           strspn(p + scheme + 3, within) == n - scheme - 3;
}

bool cors_check(const char *list, struct err *e)
{
    const char *all = list, *origin;

    while (strcmp(all, "*") != 0 && *list) {
        size_t n = next_origin(&list, &origin);
        if (!is_origin(origin, n))
            return err_set(e, ERR_USAGE,
                           "--cors-origins (SCORED_CORS_ORIGINS) takes * or a list of origins such "
                           "as https://shop.example, in lower case and without a path, not "
                           "\"%.*s\"",
                           (int)n, origin);
    }
    return true;
}

static bool is_listed(const char *list, const char *origin)
{
    const char *one;

    for (size_t all = strlen(origin), n; *list;) {
        n = next_origin(&list, &one);
        if (n == all && !memcmp(one, origin, n))
            return true;
    }
    return false;
}

/* Predictions and documents on the public listener: neither probes nor the page. */
static bool is_for_pages(const struct exchange *x)
{
    return x->side == SIDE_PUBLIC && x->route && x->route->operation &&
           !(x->route->side & SIDE_PROBE);
}

void cors_open(struct exchange *x)
{
    const char *list = x->app->config->cors_origins, *origin = x->head.origin;

    if (!*list || !is_for_pages(x))
        return;
    bool all = !strcmp(list, "*");
    x->varies_by_origin = !all;
    if (all)
        x->cors_origin = list;
    else if (origin && is_listed(list, origin))
        x->cors_origin = origin;
}

bool cors_is_asked(struct exchange *x, const char *method)
{
    x->preflight =
        x->cors_origin && x->head.origin && x->head.asks_method && !strcmp(method, "OPTIONS");
    return x->preflight;
}
