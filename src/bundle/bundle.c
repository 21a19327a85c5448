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

const struct block *bundle_block(struct bundle *b, uint32_t stage, const char *name)
{
    char full[BOUND_NAME];
    int n = snprintf(full, sizeof full, "s%03u.%s", (unsigned)stage, name);

    if (n < 0 || n >= (int)sizeof full)
        return NULL;
    int64_t i = dict_find(&b->block_names, full, (size_t)n);
    if (i == DICT_NONE)
        return NULL;
    b->blocks[i].used = true;
    return &b->blocks[i];
}

/* The stage's list of block names is what its ops used: each listed one exists and is used, and
 * none is used beside (every used one begins with the stage's prefix, so counting suffices). */
static bool check_stage(const struct bundle *b, uint32_t stage, struct err *e)
{
    const struct json *list = &b->stages[stage].blocks;
    struct json_iter it = {0};
    char prefix[16];
    uint32_t used = 0;
    size_t n = (size_t)snprintf(prefix, sizeof prefix, "s%03u.", (unsigned)stage);

    while (json_next(list, &it)) {
        const char *name = NULL;
        struct err ignored;
        if (!json_as_string(&it.value, &name, &ignored))
            return false;
        int64_t i = dict_find(&b->block_names, name, strlen(name));
        if (i == DICT_NONE)
            return json_fail(list, e, "stage '%.64s': block '%.64s' is not in the blocks file",
                             b->stages[stage].uid, name);
        if (strncmp(name, prefix, n) != 0 || !b->blocks[i].used)
            return json_fail(list, e, "stage '%.64s': block '%.64s' is not one of this stage's",
                             b->stages[stage].uid, name);
    }
    for (uint32_t i = 0; i < b->n_blocks; i++)
        used += strncmp(b->blocks[i].name, prefix, n) == 0;
    return used == it.n || json_fail(list, e, "stage '%.64s': the list names %u of its %u blocks",
                                     b->stages[stage].uid, (unsigned)it.n, (unsigned)used);
}

bool bundle_all_used(const struct bundle *b, struct err *e)
{
    for (uint32_t i = 0; i < b->n_blocks; i++)
        if (!b->blocks[i].used)
            return err_set(e, ERR_BAD_BUNDLE, "block '%.100s' belongs to no stage",
                           b->blocks[i].name);
    for (uint32_t i = 0; i < b->n_stages; i++)
        if (!check_stage(b, i, e))
            return false;
    return true;
}
