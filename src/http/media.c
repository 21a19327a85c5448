/* SPDX-License-Identifier: Apache-2.0 */
/* Content-Type, Accept and Accept-Encoding: RFC 9110, 8.3, 12.5.1 and 12.5.3. */
#include "http_priv.h"

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

/* A weight of RFC 9110, 12.4.2, in thousandths; what is none weighs nothing. */
static unsigned weight(const char *p, size_t n)
{
    unsigned value = 0, place = 1000;

    if (!n || (p[0] != '0' && p[0] != '1') || (n > 1 && p[1] != '.') || n > 5)
        return 0;
    for (size_t i = 0; i < n; i += i ? 1 : 2) {
        if (p[i] < '0' || p[i] > '9')
            return 0;
        value += (unsigned)(p[i] - '0') * place;
        place /= 10;
    }
    return value <= 1000 ? value : 0;
}

static unsigned quality(const char *p)
{
    size_t len;
    const char *q = parameter(p, "q", &len);

    return q ? weight(q, len) : 1000;
}

/* The next element of a list, or NULL; *p goes behind it. */
static const char *next(const char **p, size_t *len)
{
    const char *element = skip_space(*p);

    *len = strcspn(element, ";, \t");
    *p = element + strcspn(element, ",");
    *p += **p == ',';
    return *element ? element : NULL;
}

unsigned media_accepts(const char *accept, const char *type, bool wild)
{
    unsigned best = 0, given = 0;
    const char *range;

    if (!accept)
        return wild ? 1000 : 0;
    for (size_t n; (range = next(&accept, &n));) {
        unsigned close = closeness(range, n, type);
        if (close > best && (wild || close == 3)) {
            best = close;
            given = quality(range + n);
        }
    }
    return given;
}

unsigned media_weighs(const char *accept, const char *coding, unsigned unlisted)
{
    const char *listed;

    for (size_t n; (listed = next(&accept, &n));) {
        if (n > 2 && !strncasecmp(listed, "x-", 2)) { /* RFC 9110, 8.4.1: the same */
            listed += 2;
            n -= 2;
        }
        if (n == strlen(coding) && !strncasecmp(listed, coding, n))
            return quality(listed + n);
        if (n == 1 && *listed == '*')
            unlisted = quality(listed + n);
    }
    return unlisted;
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
