/* SPDX-License-Identifier: Apache-2.0 */
/* Texts made from models. Each is made when it is first asked for, and again when a model has
 * changed. */
#include "http_priv.h"

#include <stdlib.h>

struct document {
    pthread_mutex_t lock; /* guards the rest */
    struct buf key, text; /* the digests of the models it was made from */
};

struct documents {
    struct document public, admin; /* OpenAPI, a listener each */
    struct document *schemas;      /* a slot each */
    unsigned n_slots;
};

struct documents *documents_new(const struct registry *r)
{
    struct documents *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->n_slots = r->n_slots;
    d->schemas = calloc(r->n_slots, sizeof *d->schemas);
    if (!d->schemas) {
        free(d);
        return NULL;
    }
    pthread_mutex_init(&d->public.lock, NULL);
    pthread_mutex_init(&d->admin.lock, NULL);
    for (unsigned i = 0; i < d->n_slots; i++)
        pthread_mutex_init(&d->schemas[i].lock, NULL);
    return d;
}

static void done(struct document *d)
{
    buf_done(&d->key);
    buf_done(&d->text);
    pthread_mutex_destroy(&d->lock);
}

void documents_free(struct documents *d)
{
    if (!d)
        return;
    done(&d->public);
    done(&d->admin);
    for (unsigned i = 0; i < d->n_slots; i++)
        done(&d->schemas[i]);
    free(d->schemas);
    free(d);
}

/* Under its lock: is the document still that of the models? If not, empties it and takes the key.
 */
static bool is_current(struct document *d, const struct buf *key)
{
    if (d->text.len && !d->text.failed && d->key.len == key->len &&
        !memcmp(d->key.data, key->data, key->len))
        return true;
    buf_reset(&d->key);
    buf_reset(&d->text);
    buf_put(&d->key, key->data, key->len);
    return false;
}

/* Under its lock. */
static void give(struct exchange *x, const struct document *d)
{
    x->status = 200;
    buf_put(&x->reply, d->text.data ? d->text.data : "", d->text.len);
    if (d->text.failed || d->key.failed || x->reply.failed)
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
}

void answer_schema(struct exchange *x)
{
    struct document *d = &x->app->documents->schemas[slot_index(x->app->registry, x->slot)];
    char *sha256 = x->model->bundle->sha256;
    struct buf key = {.data = sha256, .len = strlen(sha256)};

    x->content_type = "application/schema+json";
    pthread_mutex_lock(&d->lock);
    if (!is_current(d, &key))
        put_row_schema(&d->text, x->model, x->app->config->unknown_fields == UNKNOWN_REJECT, true);
    give(x, d);
    pthread_mutex_unlock(&d->lock);
}

void answer_openapi(struct exchange *x)
{
    struct registry *r = x->app->registry;
    struct documents *all = x->app->documents;
    struct document *d = x->side == SIDE_ADMIN ? &all->admin : &all->public;
    struct model **models = calloc(r->n_slots, sizeof(struct model *));
    struct buf key = {0};

    if (!models) {
        reply_problem(x, PROBLEM_OUT_OF_MEMORY, NULL, "try again");
        return;
    }
    for (unsigned i = 0; i < r->n_slots; i++) {
        models[i] = slot_acquire(registry_slot(r, i));
        buf_text(&key, models[i] ? models[i]->bundle->sha256 : "-");
    }
    pthread_mutex_lock(&d->lock);
    if (!is_current(d, &key))
        put_openapi(&d->text, x->app, models, x->side);
    give(x, d);
    pthread_mutex_unlock(&d->lock);
    for (unsigned i = 0; i < r->n_slots; i++)
        model_release(models[i]);
    free(models);
    buf_done(&key);
}
