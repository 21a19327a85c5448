/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/dict.h"

#include <string.h>

#define EMPTY UINT32_MAX

struct dict_entry {
    uint32_t fingerprint, index; /* index EMPTY: a free place */
};

struct bits_dict_entry {
    uint64_t key;
    uint32_t value; /* EMPTY: a free place */
};

static uint64_t places_for(uint64_t n)
{
    uint64_t places = 4;

    while (places < 2 * n)
        places *= 2;
    return places;
}

uint64_t dict_size(uint64_t n)
{
    return places_for(n) * sizeof(struct dict_entry);
}

uint64_t bits_dict_size(uint64_t n)
{
    return places_for(n) * sizeof(struct bits_dict_entry);
}

/* -- bytes -- */

/* The entry of the key, or the free place where it would go. */
static struct dict_entry *place(const struct dict *d, const char *p, size_t n)
{
    uint64_t h = hash_bytes(p, n, d->seed);
    uint32_t fingerprint = (uint32_t)(h >> 32);

    for (uint32_t i = (uint32_t)h & d->mask;; i = (i + 1) & d->mask) {
        struct dict_entry *entry = &d->entries[i];
        if (entry->index == EMPTY)
            return entry;
        const struct text *key = &d->keys[entry->index];
        if (entry->fingerprint == fingerprint && key->len == n && memcmp(key->p, p, n) == 0)
            return entry;
    }
}

bool dict_build(struct dict *d, const struct text *keys, uint32_t n, struct arena *a)
{
    uint64_t places = places_for(n);

    *d = (struct dict){.keys = keys, .mask = (uint32_t)(places - 1)};
    d->entries = arena_new(a, struct dict_entry, places);
    if (!d->entries)
        return false;
    for (uint64_t i = 0; i < places; i++)
        d->entries[i].index = EMPTY;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t h = hash_bytes(keys[i].p, keys[i].len, d->seed);
        *place(d, keys[i].p, keys[i].len) =
            (struct dict_entry){.fingerprint = (uint32_t)(h >> 32), .index = i};
    }
    return true;
}

int64_t dict_find(const struct dict *d, const char *p, size_t n)
{
    const struct dict_entry *entry = place(d, p, n);

    return entry->index == EMPTY ? DICT_NONE : (int64_t)entry->index;
}

/* -- bit patterns -- */

static struct bits_dict_entry *bits_place(const struct bits_dict *d, uint64_t key)
{
    for (uint32_t i = (uint32_t)hash_bits(key) & d->mask;; i = (i + 1) & d->mask) {
        struct bits_dict_entry *entry = &d->entries[i];
        if (entry->value == EMPTY || entry->key == key)
            return entry;
    }
}

bool bits_dict_build(struct bits_dict *d, const uint64_t *keys, const uint32_t *values, uint32_t n,
                     struct arena *a)
{
    uint64_t places = places_for(n);

    *d = (struct bits_dict){.mask = (uint32_t)(places - 1)};
    d->entries = arena_new(a, struct bits_dict_entry, places);
    if (!d->entries)
        return false;
    for (uint64_t i = 0; i < places; i++)
        d->entries[i].value = EMPTY;
    for (uint32_t i = 0; i < n; i++)
        *bits_place(d, keys[i]) = (struct bits_dict_entry){.key = keys[i], .value = values[i]};
    return true;
}

int64_t bits_dict_find(const struct bits_dict *d, uint64_t key)
{
    const struct bits_dict_entry *entry = bits_place(d, key);

    return entry->value == EMPTY ? DICT_NONE : (int64_t)entry->value;
}
