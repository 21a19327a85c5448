/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Type and Accept: RFC 9110, 8.3 and 12.5.1. */
#include "http_priv.h"

#include <stdlib.h>
#include <strings.h>

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t");
}

/* The parameter `name` of a media type whose parameters begin at p, up to a comma; its value and
 * length, or NULL. */
static const char *parameter(const char *p, const char *name, size_t *len)
{
    size_t n = strlen(name);

    while (*p && *p != ',') {
        if (*p++ != ';')
            continue;
        p = skip_space(p);
        if (!strncasecmp(p, name, n) && p[n] == '=') {
            p += n + 1;
            *len = strcspn(p, ";, \t");
            return p;
        }
    }
    return NULL;
}

bool media_is(const char *value, const char *type)
{
    const char *p = skip_space(value);
    size_t n = strlen(type), len;

    if (strncasecmp(p, type, n) != 0)
        return false;
    p = skip_space(p + n);
    if (*p && *p != ';')
        return false;
    const char *charset = parameter(p, "charset", &len);
    if (charset && len >= 2 && charset[0] == '"' && charset[len - 1] == '"') {
        charset++;
        len -= 2;
    }
    return !charset || (len == 5 && !strncasecmp(charset, "utf-8", 5));
}

/* How closely a range of length n meets a type: 3 the same, 2 the same main type, 1 anything, 0 not
 * at all. */
static unsigned closeness(const char *range, size_t n, const char *type)
{
    size_t main_type = strcspn(type, "/") + 1;

    if (n == strlen(type) && !strncasecmp(range, type, n))
        return 3;
    if (n == main_type + 1 && range[n - 1] == '*' && !strncasecmp(range, type, main_type))
        return 2;
    return n == 3 && !memcmp(range, "*/*", 3);
}

static unsigned quality(const char *p)
{
    size_t len;
    const char *q = parameter(p, "q", &len);

    if (!q)
        return 1000;
    double value = strtod(q, NULL);
    return value <= 0 ? 0 : value >= 1 ? 1000 : (unsigned)(value * 1000);
}

unsigned media_accepts(const char *accept, const char *type, bool wild)
{
    unsigned best = 0, given = 0;

    if (!accept)
        return wild ? 1000 : 0;
    for (const char *p = skip_space(accept); *p; p = skip_space(p)) {
        size_t n = strcspn(p, ";, \t");
        unsigned close = closeness(p, n, type);
        if (close > best && (wild || close == 3)) {
            best = close;
            given = quality(p + n);
        }
        p += strcspn(p, ",");
        p += *p == ',';
    }
    return given;
}

bool media_listed(const char *list, const char *value)
{
    for (const char *p = list; *p; p += *p == ',') {
        char type[64];
        size_t n = strcspn(p, ",");
        if (n < sizeof type) {
            memcpy(type, p, n);
            type[n] = '\0';
            if (media_is(value, type))
                return true;
        }
        p += n;
    }
    return false;
}
