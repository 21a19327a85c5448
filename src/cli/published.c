/* SPDX-License-Identifier: Apache-2.0 */
#include "published.h"

#include "scored/bounds.h"

#include <stdio.h>
#include <stdlib.h>

static bool read_manifest(struct published *p, struct source *s, struct err *e)
{
    const struct source_request r = {
        .name = s->manifest, .max = BOUND_MANIFEST, .sha256 = s->pin[0] ? s->pin : NULL};

    if (!source_fetch(s, &r, &p->manifest, e))
        return false;
    snprintf(p->envelope_name, sizeof p->envelope_name, "bundle-%.16s.dsse", p->manifest.sha256);
    return true;
}

static bool read_envelope(struct published *p, struct source *s, bool needed, struct err *e)
{
    const struct source_request r = {.name = p->envelope_name, .max = ENVELOPE_BYTES};

    if (source_fetch(s, &r, &p->envelope, e))
        return true;
    p->envelope.bytes = NULL;
    if (needed && e->code == ERR_NOT_FOUND)
        return err_set(e, ERR_NOT_FOUND, "not signed: there is no %s; make it by scored sign",
                       p->envelope_name);
    if (e->code != ERR_NOT_FOUND)
        p->no_envelope = *e;
    return !needed;
}

static bool verify(struct published *p, const struct trust *trust, struct err *e)
{
    return trust_verify(trust, (const char *)p->envelope.bytes, p->envelope.n,
                        (const char *)p->manifest.bytes, p->manifest.n, p->signer, e) ||
           err_wrap(e, "%s", p->envelope_name);
}

bool published_read(struct published *p, struct source *s, const struct trust *trust, struct err *e)
{
    *p = (struct published){0};
    if (read_manifest(p, s, e) && read_envelope(p, s, trust != NULL, e) &&
        (!trust || verify(p, trust, e)))
        p->bundle = bundle_new((const char *)p->manifest.bytes, p->manifest.n, e);
    return p->bundle || err_wrap(e, "%s", s->uri);
}

void published_done(struct published *p)
{
    free(p->manifest.bytes);
    free(p->envelope.bytes);
    bundle_free(p->bundle);
    *p = (struct published){0};
}

uint64_t published_size(const struct published *p)
{
    uint64_t sum = 0;

    for (unsigned role = 0; role < ROLE_COUNT; role++)
        sum += p->bundle->files[role].size;
    return sum;
}

bool published_file(struct source *s, const struct bundle_file *listed, struct source_file *f,
                    struct err *e)
{
    const struct source_request r = {
        .name = listed->name, .max = listed->size, .sha256 = listed->sha256};

    if (!source_fetch(s, &r, f, e))
        return err_wrap(e, "%s", s->uri);
    if (f->n == listed->size)
        return true;
    free(f->bytes);
    *f = (struct source_file){0};
    return err_set(e, ERR_BAD_BUNDLE, "%s: %s: the manifest says another size", s->uri,
                   listed->name);
}
