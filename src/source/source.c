/* SPDX-License-Identifier: Apache-2.0 */
/* What all kinds of sources do: the pin behind '#', digests, and what is kept. */
#include "scored/source.h"
#include "scored/hex.h"

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
    if (!hex_is(hex, 64))
        return err_set(e, ERR_USAGE, "'%.200s': #sha256= wants 64 lower-case hex digits", uri);
    memcpy(s->pin, hex, sizeof s->pin);
    snprintf(s->manifest, sizeof s->manifest, "bundle-%.16s.json", hex);
    *mark = '\0';
    return true;
}

struct source *source_new(const char *uri, struct err *e)
{
    struct source *s = calloc(1, sizeof *s);

    if (s)
        s->uri = strdup(uri);
    if (!s || !s->uri)
        err_memory(e);
    else if (read_pin(s, s->uri, e))
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
    if (s->cache)
        s->calls->free(s->cache);
    free(s->uri);
    free(s);
}

bool source_fetch(struct source *s, const struct source_request *r, struct source_file *f,
                  struct err *e)
{
    if (s->cache && r->sha256 && s->calls->get(s->cache, r->sha256, r->max, f))
        return true;
    *f = (struct source_file){0};
    if (s->cache_only)
        return err_set(e, ERR_NOT_FOUND, "%s is not in the cache", r->name);
    if (!s->fetch(s->context, r, f, e))
        return false;
    if (f->unchanged)
        return true;
    if (r->sha256 && strcmp(r->sha256, f->sha256) != 0) {
        err_set(e, ERR_BAD_BUNDLE,
                "%s: the digest is %.16s... (of %zu bytes), not %.16s... as it should be", r->name,
                f->sha256, f->n, r->sha256);
        free(f->bytes);
        f->bytes = NULL;
        return false;
    }
    if (s->cache && r->sha256)
        s->calls->put(s->cache, r->sha256, f->bytes, f->n, &s->cache_error);
    return true;
}

/* -- what outlives the process -- */

enum { MEMO_BYTES = 64 * 1024 };

static bool memo_name(const struct source *s, char out[32])
{
    char digest[SHA256_HEX + 1];
    struct err ignored = {0};

    if (!s->cache || !sha256_hex(s->uri, strlen(s->uri), digest, &ignored))
        return false;
    snprintf(out, 32, "slot-%.16s.json", digest);
    return true;
}

void source_keep(struct source *s, const struct source_file *f)
{
    if (s->cache)
        s->calls->put(s->cache, f->sha256, f->bytes, f->n, &s->cache_error);
}

void source_memo_write(struct source *s, const char *text, size_t n)
{
    char name[32];

    if (memo_name(s, name))
        s->calls->note_put(s->cache, name, text, n, &s->cache_error);
}

bool source_memo_read(struct source *s, struct source_file *f)
{
    char name[32];

    return memo_name(s, name) && s->calls->note_get(s->cache, name, MEMO_BYTES, f);
}
