/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks are little-endian");

const char *bundle_role_name(enum bundle_role role)
{
    static const char *const names[] = {
#define X(id, name) name,
        BUNDLE_ROLES(X)
#undef X
    };
    return names[role];
}

struct bundle *bundle_new(const char *manifest, size_t n, struct err *e)
{
    const struct json_limits limits = {BOUND_MANIFEST, BOUND_DEPTH, BOUND_NUMBER};
    struct bundle *b = calloc(1, sizeof *b);

    if (!b) {
        err_memory(e);
        return NULL;
    }
    b->doc = json_parse(manifest, n, &limits, e);
    if (!b->doc || !sha256_hex(manifest, n, b->sha256, e) || !manifest_read(b, e)) {
        err_wrap(e, "manifest");
        bundle_free(b);
        return NULL;
    }
    return b;
}

void bundle_free(struct bundle *b)
{
    if (!b)
        return;
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        free(b->bytes[role]);
    json_free(b->doc);
    arena_done(&b->arena);
    free(b);
}

static bool attach(struct bundle *b, enum bundle_role role, size_t n, const char *sha256,
                   struct err *e)
{
    const struct bundle_file *f = &b->files[role];

    if (n != f->size)
        return err_set(e, ERR_BAD_BUNDLE, "%zu bytes, the manifest says %llu", n,
                       (unsigned long long)f->size);
    if (strcmp(sha256, f->sha256) != 0)
        return err_set(e, ERR_BAD_BUNDLE, "the digest is %.16s..., the manifest says %.16s...",
                       sha256, f->sha256);
    return role != ROLE_BLOCKS || blocks_read(b, b->bytes[role], n, e);
}

bool bundle_attach(struct bundle *b, enum bundle_role role, unsigned char *bytes, size_t n,
                   const char *sha256, struct err *e)
{
    free(b->bytes[role]);
    b->bytes[role] = bytes;
    return attach(b, role, n, sha256, e) || err_wrap(e, "%s", b->files[role].name);
}

const struct block *bundle_block(struct bundle *b, const struct bundle_stage *s, const char *name)
{
    char full[BOUND_NAME];
    int n = snprintf(full, sizeof full, "%s.%s", s->prefix, name);

    if (n < 0 || n >= (int)sizeof full)
        return NULL;
    int64_t i = dict_find(&b->block_names, full, (size_t)n);
    if (i == DICT_NONE)
        return NULL;
    b->blocks[i].used = true;
    return &b->blocks[i];
}

/* Whether a block is the stage's own: not one of a model that it holds. */
static bool is_own(const struct bundle_stage *s, const char *name)
{
    static const char models[] = "models.";
    size_t n = strlen(s->prefix);

    return strncmp(name, s->prefix, n) == 0 && name[n] == '.' &&
           (!s->n_models || strncmp(name + n + 1, models, sizeof models - 1) != 0);
}

static bool check_listed(const struct bundle *b, const struct bundle_stage *s, uint32_t *listed,
                         struct err *e)
{
    struct json_iter it = {0};

    while (json_next(&s->blocks, &it)) {
        const char *name = NULL;
        struct err ignored;
        if (!json_as_string(&it.value, &name, &ignored))
            return false;
        int64_t i = dict_find(&b->block_names, name, strlen(name));
        if (i == DICT_NONE)
            return json_fail(&s->blocks, e,
                             "stage '%.64s': block '%.64s' is not in the blocks file", s->uid,
                             name);
        if (!is_own(s, name) || !b->blocks[i].used)
            return json_fail(&s->blocks, e,
                             "stage '%.64s': block '%.64s' is not one of this stage's", s->uid,
                             name);
    }
    *listed += it.n;
    return true;
}

static bool check_count(const struct bundle *b, const struct bundle_stage *s, uint32_t *all,
                        struct err *e)
{
    uint32_t own = 0, listed = json_size(&s->blocks);

    (void)all;
    for (uint32_t i = 0; i < b->n_blocks; i++)
        own += is_own(s, b->blocks[i].name);
    return own == listed ||
           json_fail(&s->blocks, e, "stage '%.64s': the list names %u of its %u blocks", s->uid,
                     (unsigned)listed, (unsigned)own);
}

typedef bool check_fn(const struct bundle *b, const struct bundle_stage *s, uint32_t *listed,
                      struct err *e);

static bool each_stage(const struct bundle *b, check_fn *check, uint32_t *listed, struct err *e)
{
    for (uint32_t i = 0; i < b->n_stages; i++) {
        const struct bundle_stage *s = &b->stages[i];
        if (!check(b, s, listed, e))
            return false;
        for (uint32_t k = 0; k < s->n_models; k++)
            if (!check(b, &s->models[k], listed, e))
                return err_wrap(e, "stage '%.64s': models[%u]", s->uid, (unsigned)k);
    }
    return true;
}

/* Each stage's list is what its op used: what is listed exists, is used, and is the stage's own. So
 * is nothing beside, where the lists name as many blocks as there are. */
bool bundle_all_used(const struct bundle *b, struct err *e)
{
    for (uint32_t i = 0; i < b->n_blocks; i++)
        if (!b->blocks[i].used)
            return err_set(e, ERR_BAD_BUNDLE, "block '%.100s' belongs to no stage",
                           b->blocks[i].name);
    uint32_t listed = 0;
    return each_stage(b, check_listed, &listed, e) &&
           (listed == b->n_blocks || each_stage(b, check_count, &listed, e));
}
