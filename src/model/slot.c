/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/model.h"

#include <stdio.h>
#include <stdlib.h>

struct model *slot_acquire(struct slot *s)
{
    pthread_mutex_lock(&s->lock);
    struct model *m = s->current;
    if (m)
        atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&s->lock);
    return m;
}

void slot_publish(struct slot *s, struct model *next)
{
    pthread_mutex_lock(&s->lock);
    struct model *old = s->current;
    s->current = next;
    pthread_mutex_unlock(&s->lock);
    model_release(old); /* outside the lock: freeing a model may take long */
}

static size_t label_length(const char *s)
{
    return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
}

/* "NAME=URI" where what stands before the first '=' is a name and a URI follows; else all is the
 * URI. */
static const char *split_spec(const char *spec, char name[SLOT_NAME])
{
    static const char *const starts[] = {"/", "./", "file:", "s3:"};
    size_t n = label_length(spec);

    name[0] = '\0';
    if (n < 1 || n >= SLOT_NAME || spec[n] != '=')
        return spec;
    for (size_t i = 0; i < countof(starts); i++) {
        if (strncmp(spec + n + 1, starts[i], strlen(starts[i])) != 0)
            continue;
        memcpy(name, spec, n);
        name[n] = '\0';
        return spec + n + 1;
    }
    return spec;
}

static bool open_slot(struct slot *s, const char *spec, bool must_name,
                      const struct model_options *options, struct err *e)
{
    const char *uri = split_spec(spec, s->name);

    if (must_name && !s->name[0])
        return err_set(e, ERR_USAGE, "--model '%.200s': with several models each is NAME=URI",
                       spec);
    s->source = source_open(uri, NULL, e);
    if (!s->source)
        return false;
    s->current = model_load(s->source, options, e);
    if (!s->current)
        return false;
    if (!s->name[0])
        snprintf(s->name, sizeof s->name, "%s", s->current->bundle->name);
    return true;
}

static bool check_names(const struct registry *r, struct err *e)
{
    for (unsigned i = 0; i < r->n_slots; i++)
        for (unsigned k = 0; k < i; k++)
            if (strcmp(r->slots[i].name, r->slots[k].name) == 0)
                return err_set(e, ERR_USAGE, "--model: the name '%s' stands twice",
                               r->slots[i].name);
    return true;
}

bool registry_open(struct registry *r, const char *const *specs, unsigned n,
                   const struct model_options *options, struct err *e)
{
    *r = (struct registry){.slots = calloc(n ? n : 1, sizeof *r->slots)};
    if (!r->slots)
        return err_memory(e);
    for (unsigned i = 0; i < n; i++) {
        struct slot *s = &r->slots[r->n_slots++];
        pthread_mutex_init(&s->lock, NULL);
        if (!open_slot(s, specs[i], n > 1, options, e) || !check_names(r, e)) {
            registry_close(r);
            return false;
        }
    }
    return true;
}

void registry_close(struct registry *r)
{
    for (unsigned i = 0; i < r->n_slots; i++) {
        model_release(r->slots[i].current);
        source_free(r->slots[i].source);
        pthread_mutex_destroy(&r->slots[i].lock);
    }
    free(r->slots);
    *r = (struct registry){0};
}

struct slot *registry_find(struct registry *r, const char *name, size_t n)
{
    for (unsigned i = 0; i < r->n_slots; i++)
        if (strlen(r->slots[i].name) == n && memcmp(r->slots[i].name, name, n) == 0)
            return &r->slots[i];
    return NULL;
}

struct slot *registry_default(struct registry *r)
{
    return r->n_slots == 1 ? &r->slots[0] : registry_find(r, "default", strlen("default"));
}

bool registry_ready(struct registry *r)
{
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(&r->slots[i]);
        if (!m)
            return false;
        model_release(m);
    }
    return true;
}
