/* SPDX-License-Identifier: Apache-2.0 */
#include "ini.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct ini *f;
    const char *type, *name; /* of the section; name is NULL before the first */
    char *key;               /* to which deeper lines belong; NULL: none */
    char *value_end;         /* of the key's value */
    size_t indent;           /* of the key */
    unsigned line;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *skip_blanks(char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* Cuts blanks, and the CR of a CRLF, off the end of the text from p on. */
static char *cut_end(char *p, char *end)
{
    while (end > p && (is_blank(end[-1]) || end[-1] == '\r'))
        end--;
    *end = '\0';
    return end;
}

static void cut_comment(char *p)
{
    for (char *at = p; *at; at++)
        if (is_blank(*at) && (at[1] == '#' || at[1] == ';')) {
            cut_end(p, at);
            return;
        }
}

static void lower(char *p)
{
    for (; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
}

static bool fail(const struct reader *r, struct err *e, const char *what)
{
    return err_set(e, ERR_USAGE, "line %u: %s", r->line, what);
}

static bool add(struct reader *r, const char *key, const char *sub, const char *value,
                struct err *e)
{
    struct ini *f = r->f;

    if (f->n == f->cap) {
        unsigned cap = f->cap ? 2 * f->cap : 32;
        struct ini_entry *entries = realloc(f->entries, cap * sizeof *entries);
        if (!entries)
            return err_memory(e);
        f->entries = entries;
        f->cap = cap;
    }
    f->entries[f->n++] = (struct ini_entry){r->type, r->name, key, sub, value};
    return true;
}

/* The command line tool writes names with blanks as "a b". */
static char *unquote(char *name)
{
    size_t n = strlen(name);

    if (n < 3 || name[0] != '"' || name[n - 1] != '"')
        return name;
    name[n - 1] = '\0';
    return name + 1;
}

/* "[ type  name ]", with or without a comment behind it. */
static bool take_section(struct reader *r, char *p, struct err *e)
{
    char *close = strchr(p, ']');

    if (!close)
        return fail(r, e, "a section must end with ']'");
    char *rest = skip_blanks(close + 1);
    if (*rest && *rest != '#' && *rest != ';')
        return fail(r, e, "only a comment may follow a section's ']'");
    p = skip_blanks(p + 1);
    cut_end(p, close);
    if (!*p)
        return fail(r, e, "a section needs a name");
    char *blank = strpbrk(p, " \t");
    r->type = blank ? p : "";
    r->name = blank ? unquote(skip_blanks(blank)) : p;
    if (blank)
        *blank = '\0';
    return add(r, NULL, NULL, NULL, e);
}

/* Splits "name = value" in place. */
static bool split(const struct reader *r, char *p, char **value, struct err *e)
{
    cut_comment(p);
    char *equals = strchr(p, '=');
    if (!equals)
        return fail(r, e, "expected 'name = value'");
    if (cut_end(p, equals) == p)
        return fail(r, e, "there is no name in front of '='");
    lower(p);
    *value = skip_blanks(equals + 1);
    return true;
}

static bool take_key(struct reader *r, char *p, size_t indent, struct err *e)
{
    char *value;

    if (!r->name)
        return fail(r, e, "expected a section, as [default]");
    if (!split(r, p, &value, e))
        return false;
    r->key = p;
    r->indent = indent;
    r->value_end = value + strlen(value);
    return add(r, p, NULL, value, e);
}

/* A line that belongs to the key above. */
static bool take_deeper(struct reader *r, char *p, struct err *e)
{
    const char *own = r->f->entries[r->f->n - 1].sub ? "" : r->f->entries[r->f->n - 1].value;
    char *value;

    if (*own) {
        size_t n = strlen(p);
        *r->value_end = '\n';
        memmove(r->value_end + 1, p, n + 1);
        r->value_end += n + 1;
        return true;
    }
    return split(r, p, &value, e) && add(r, r->key, p, value, e);
}

static bool take_line(struct reader *r, char *line, char *end, struct err *e)
{
    end = cut_end(line, end);
    char *p = skip_blanks(line);
    if (p == end || *p == '#' || *p == ';')
        return true;
    size_t indent = (size_t)(p - line);
    if (r->key && indent > r->indent)
        return take_deeper(r, p, e);
    r->key = NULL;
    return *p == '[' ? take_section(r, p, e) : take_key(r, p, indent, e);
}

bool ini_read(struct ini *f, const char *text, size_t n, struct err *e)
{
    static const char mark[] = "\xef\xbb\xbf";
    struct reader r = {.f = f};

    *f = (struct ini){0};
    if (n >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        n -= 3;
    }
    f->text = malloc(n + 1);
    if (!f->text)
        return err_memory(e);
    f->size = n;
    if (n)
        memcpy(f->text, text, n);
    f->text[n] = '\0';
    for (char *p = f->text, *limit = p + n; p < limit;) {
        char *newline = memchr(p, '\n', (size_t)(limit - p));
        char *end = newline ? newline : limit;
        r.line++;
        if (memchr(p, '\0', (size_t)(end - p)))
            return fail(&r, e, "contains a NUL byte");
        if (!take_line(&r, p, end, e))
            return false;
        p = end + 1;
    }
    return true;
}

void ini_done(struct ini *f)
{
    if (f->text)
        explicit_bzero(f->text, f->size);
    free(f->text);
    free(f->entries);
    *f = (struct ini){0};
}

static bool is_in(const struct ini_entry *at, const char *type, const char *name)
{
    return strcmp(at->type, type) == 0 && strcmp(at->name, name) == 0;
}

bool ini_has_section(const struct ini *f, const char *type, const char *name)
{
    for (unsigned i = 0; i < f->n; i++)
        if (is_in(&f->entries[i], type, name))
            return true;
    return false;
}

const char *ini_get(const struct ini *f, const char *type, const char *name, const char *key,
                    const char *sub)
{
    for (unsigned i = f->n; i-- > 0;) {
        const struct ini_entry *at = &f->entries[i];
        if (!at->key || strcmp(at->key, key) != 0 || !is_in(at, type, name))
            continue;
        if (!at->sub == !sub && (!sub || strcmp(at->sub, sub) == 0))
            return *at->value ? at->value : NULL;
    }
    return NULL;
}
