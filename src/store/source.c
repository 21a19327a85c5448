/* SPDX-License-Identifier: Apache-2.0 */
/* URIs: which kind of source, and the pin behind '#'. */
#include "store_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pin_mark[] = "#sha256=";

/* Splits "...#sha256=<64 hex>" off; sets the manifest's name. */
static bool read_pin(struct source *s, char *uri, struct err *e)
{
    char *mark = strstr(uri, pin_mark);

    memcpy(s->manifest, "bundle.json", sizeof "bundle.json");
    if (!mark)
        return true;
    const char *hex = mark + sizeof pin_mark - 1;
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64)
        return err_set(e, ERR_USAGE, "'%.200s': #sha256= wants 64 lower-case hex digits", uri);
    memcpy(s->pin, hex, sizeof s->pin);
    snprintf(s->manifest, sizeof s->manifest, "bundle-%.16s.json", hex);
    *mark = '\0';
    return true;
}

struct source *source_open(const char *uri, struct err *e)
{
    struct source *s = calloc(1, sizeof *s);

    if (s)
        s->uri = strdup(uri);
    if (!s || !s->uri) {
        err_memory(e);
        source_free(s);
        return NULL;
    }
    bool ok = read_pin(s, s->uri, e);
    const char *scheme = strstr(s->uri, "://");
    if (ok && strncmp(s->uri, "file://", 7) == 0)
        ok = file_source(s, s->uri + 7, e);
    else if (ok && scheme)
        ok = err_set(e, ERR_USAGE, "'%.200s': this build reads paths and file:// URIs", s->uri);
    else if (ok)
        ok = file_source(s, s->uri, e);
    if (ok)
        return s;
    source_free(s);
    return NULL;
}

void source_free(struct source *s)
{
    if (!s)
        return;
    if (s->free)
        s->free(s->context);
    free(s->uri);
    free(s);
}
