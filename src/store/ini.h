/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dialect of INI that AWS's shared files are written in. `[type name]` or `[name]` begins a
 * section; `key = value` stands in one; what is indented deeper than a key belongs to it: nested
 * `sub = value` where the key's own value is empty, else more lines of the value. `#` and `;` begin
 * a comment at the start of a line or behind a blank. Sections and keys may repeat: the last wins.
 */
#ifndef SCORED_STORE_INI_H
#define SCORED_STORE_INI_H

#include "scored/err.h"

struct ini_entry {
    const char *type, *name; /* of the section; type is "" for `[name]` */
    const char *key;         /* lower case; NULL: the section's head */
    const char *sub;         /* of a nested value, lower case; else NULL */
    const char *value;       /* NULL for heads */
};

struct ini {
    char *text; /* what the entries point into */
    size_t size;
    struct ini_entry *entries;
    unsigned n, cap;
};

/* Reads n bytes, which are copied. An error names the line, never what stands in it. On failure
 * too `f` is to be given to ini_done. */
bool ini_read(struct ini *f, const char *text, size_t n, struct err *e);
void ini_done(struct ini *f); /* wipes: values may be secrets */

bool ini_has_section(const struct ini *f, const char *type, const char *name);

/* `sub` NULL: the key's own value. NULL where there is none, or where it is empty. */
const char *ini_get(const struct ini *f, const char *type, const char *name, const char *key,
                    const char *sub);

#endif
