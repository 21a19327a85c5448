/* SPDX-License-Identifier: Apache-2.0 */
#include "xml.h"

#include "scored/err.h"

#include <string.h>

/* Decodes the entity at *p, behind its '&'. */
static bool entity(const char **p, const char *end, char *out)
{
    static const struct {
        const char *text;
        char c;
    } entities[] = {{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''}};

    for (size_t i = 0; i < countof(entities); i++) {
        size_t n = strlen(entities[i].text);
        if ((size_t)(end - *p) >= n && memcmp(*p, entities[i].text, n) == 0) {
            *p += n;
            *out = entities[i].c;
            return true;
        }
    }
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether p begins with the name, and it ends there. */
static bool is_name(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);

    return (size_t)(end - p) > n && memcmp(p, name, n) == 0 && (p[n] == '>' || is_blank(p[n]));
}

static bool take_text(const char *p, const char *end, const char *name, char *out, size_t size)
{
    size_t n = 0;

    while (p < end && *p != '<') {
        char c = *p++;
        if (n + 1 >= size || c == '\0' || (c == '&' && !entity(&p, end, &c)))
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return end - p > 2 && p[1] == '/' && is_name(p + 2, end, name);
}

bool xml_text(const char *p, size_t n, const char *name, char *out, size_t size)
{
    const char *end = p + n;

    while (n && (p = memchr(p, '<', (size_t)(end - p)))) {
        p++;
        const char *close = memchr(p, '>', (size_t)(end - p));
        if (!close || *p == '!')
            break;
        if (is_name(p, end, name) && take_text(close + 1, end, name, out, size))
            return true;
        if (is_name(p, end, name))
            break;
        p = close + 1;
    }
    explicit_bzero(out, size);
    return false;
}
