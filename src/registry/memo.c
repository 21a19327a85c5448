/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a slot remembers in the cache: the version served last, so that a restart out of reach of
 * the source has one, and the versions refused. It names digests only: what they stand for is
 * verified again when it is read.
 *
 *     {"manifest":"<64 hex>","envelope":"<64
 * hex>","refused":[{"sha256":..,"scored":..,"phase":..}]}
 */
#include "slot_priv.h"

#include "scored/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool get_digest(const struct json *v, const char *key, char out[SHA256_HEX + 1])
{
    const char *text;
    struct err ignored;

    out[0] = '\0';
    if (!json_get_string(v, key, &text, &ignored) || !hex_is(text, SHA256_HEX))
        return false;
    memcpy(out, text, SHA256_HEX + 1);
    return true;
}

static bool get_phase(const struct json *v, enum load_phase *phase)
{
    const char *name;
    struct err ignored;

    if (!json_get_string(v, "phase", &name, &ignored))
        return false;
    for (unsigned p = 0; p < PHASE_COUNT; p++)
        if (strcmp(name, load_phase_name((enum load_phase)p)) == 0) {
            *phase = (enum load_phase)p;
            return true;
        }
    return false;
}

static void get_refused(const struct json *root, struct reload_status *s)
{
    struct json list;
    struct json_iter it = {0};
    struct err ignored;

    if (!json_get_array(root, "refused", &list, &ignored))
        return;
    while (json_next(&list, &it) && s->n_refused < SLOT_REFUSED) {
        struct refusal *f = &s->refused[s->n_refused];
        const char *scored;
        if (!get_digest(&it.value, "sha256", f->sha256) || !get_phase(&it.value, &f->phase) ||
            !json_get_string(&it.value, "scored", &scored, &ignored))
            continue;
        snprintf(f->scored, sizeof f->scored, "%s", scored);
        s->n_refused++;
    }
}

void memo_read(struct slot *s)
{
    const struct json_limits limits = {1 << 16, 4, 20};
    struct source_file f;
    struct err ignored = {0};

    if (!source_memo_read(s->source, &f))
        return;
    struct json_doc *doc = json_parse((const char *)f.bytes, f.n, &limits, &ignored);
    free(f.bytes);
    if (!doc)
        return;
    struct json root = json_root(doc);
    if (json_is_object(&root)) {
        get_digest(&root, "manifest", s->served.manifest);
        get_digest(&root, "envelope", s->served.envelope);
        get_refused(&root, &s->status);
    }
    json_free(doc);
}

void memo_serve(struct slot *s, const struct model *m)
{
    memcpy(s->served.manifest, m->bundle->sha256, sizeof s->served.manifest);
    memcpy(s->served.envelope, m->envelope, sizeof s->served.envelope);
}

void memo_write(struct slot *s)
{
    struct buf out = {0};

    buf_printf(&out, "{\"manifest\":\"%s\",\"envelope\":\"%s\",\"refused\":[", s->served.manifest,
               s->served.envelope);
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->status.n_refused; i++) {
        const struct refusal *f = &s->status.refused[i];
        buf_printf(&out, "%s\n{\"sha256\":\"%s\",\"scored\":\"%s\",\"phase\":\"%s\"}", i ? "," : "",
                   f->sha256, f->scored, load_phase_name(f->phase));
    }
    pthread_mutex_unlock(&s->lock);
    buf_lit(&out, "]}\n");
    if (!out.failed)
        source_memo_write(s->source, out.data, out.len);
    buf_done(&out);
}

void memo_update(struct slot *s)
{
    struct model *m = slot_acquire(s);

    if (m)
        memo_serve(s, m);
    model_release(m);
    memo_write(s);
}
