/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a shared AWS file: refused with the line, or read into texts inside the file. */
#include "../../src/store/ini.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

/* Every text ends inside the copy of the file. */
static void inside(const struct ini *f, const char *text)
{
    require(text >= f->text && text + strlen(text) <= f->text + f->size, "a text of the file");
}

static void check_entry(const struct ini *f, const struct ini_entry *at)
{
    require(ini_has_section(f, at->type, at->name), "an entry's section is there");
    inside(f, at->name);
    if (!at->key) {
        require(!at->sub && !at->value, "a section's head has no value");
        return;
    }
    inside(f, at->key);
    inside(f, at->value);
    const char *last = ini_get(f, at->type, at->name, at->key, at->sub);
    require(!last || *last, "an empty value is none");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ini f;
    struct err e = {0};

    if (ini_read(&f, (const char *)data, size, &e))
        for (unsigned i = 0; i < f.n && i < 200; i++)
            check_entry(&f, &f.entries[i]);
    else
        require(strncmp(e.msg, "line ", 5) == 0 && e.code == ERR_USAGE, "a refusal names its line");
    ini_done(&f);
    return 0;
}
