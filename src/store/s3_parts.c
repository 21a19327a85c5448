/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large object: ranges of it come on several threads, straight to where they belong, while this
 * thread hashes what is there, in order. All ranges are of one state of the object, by If-Match.
 */
#include "s3_priv.h"

#include "scored/clock.h"

#include <stdlib.h>
#include <time.h>

enum {
    PIECE = 1 << 20, /* hashed at once */
    LOOK_MS = 100,   /* how often the stop flag is looked at while nothing comes */
};

struct download {
    struct s3_client *client;
    const struct source_request *request;
    struct source_file *file;
    uint64_t from_ns, told_ns;
    uint64_t hashed; /* bytes; of the hashing thread alone */

    /* Guards what follows; `moved` tells of each change. */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool known; /* the first reply told what follows up to `n_parts` */
    char etag[SOURCE_TAG];
    uint64_t total, deadline_ns;
    unsigned char *bytes;
    uint64_t *there; /* bytes of each part that have come */
    unsigned n_parts, next;
    uint64_t done; /* bytes of all parts */
    bool failed, changed;
    struct err e;
};

struct worker {
    struct download *d;
    struct transport *transport;
    struct s3_request request;
    unsigned part;
    pthread_t thread;
};

/* -- the threads that download; with the lock held in the first two -- */

/* The first reply's head says how large the object is, and which state of it this is. */
static bool learn(struct download *d, const struct s3_request *r)
{
    d->total = r->total;
    memcpy(d->etag, r->etag, sizeof d->etag);
    d->deadline_ns = s3_deadline(d->from_ns, d->total);
    d->n_parts = (unsigned)((d->total + S3_PART - 1) / S3_PART);
    d->bytes = file_memory(d->total, &d->e);
    d->there = calloc(d->n_parts, sizeof *d->there);
    if (!d->bytes || !d->there)
        return err_memory(&d->e);
    d->known = true;
    return true;
}

/* Takes the next part; false where none is left, or the download failed. */
static bool take_part(struct worker *w)
{
    struct download *d = w->d;

    while (!d->failed && !d->known && d->next > 0)
        pthread_cond_wait(&d->moved, &d->lock);
    if (d->failed || (d->known && d->next == d->n_parts))
        return false;
    w->part = d->next++;
    return true;
}

static bool take(void *context, const char *p, size_t n)
{
    struct worker *w = context;
    struct download *d = w->d;

    pthread_mutex_lock(&d->lock);
    bool ok = (d->known || learn(d, &w->request)) && !d->failed;
    unsigned char *bytes = d->bytes;
    pthread_mutex_unlock(&d->lock);
    if (!ok)
        return false;
    memcpy(bytes + w->request.from, p, n);
    pthread_mutex_lock(&d->lock);
    d->there[w->part] += n;
    d->done += n;
    pthread_cond_broadcast(&d->moved);
    pthread_mutex_unlock(&d->lock);
    return true;
}

static bool get_part(struct worker *w, struct err *e)
{
    struct download *d = w->d;

    pthread_mutex_lock(&d->lock);
    w->request = (struct s3_request){.name = d->request->name,
                                     .if_match = d->known ? d->etag : NULL,
                                     .ranged = true,
                                     .from = (uint64_t)w->part * S3_PART,
                                     .end = (uint64_t)w->part * S3_PART + S3_PART,
                                     .max = d->request->max,
                                     .total = d->total,
                                     .deadline_ns = d->deadline_ns,
                                     .sink = take,
                                     .context = w};
    if (d->known && w->request.end > d->total)
        w->request.end = d->total;
    pthread_mutex_unlock(&d->lock);
    return s3_call(d->client, w->transport, &w->request, e);
}

static void *work(void *p)
{
    struct worker *w = p;
    struct download *d = w->d;
    struct err e = {0};

    pthread_mutex_lock(&d->lock);
    while (take_part(w)) {
        pthread_mutex_unlock(&d->lock);
        bool ok = get_part(w, &e);
        pthread_mutex_lock(&d->lock);
        if (!ok && !d->failed) {
            d->failed = true;
            d->changed = w->request.changed;
            d->e = d->e.code ? d->e : e;
        }
        pthread_cond_broadcast(&d->moved);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* -- the thread that hashes -- */

static void wait_a_little(struct download *d)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&d->moved, &d->lock, &until);
}

/* Bytes that can be hashed now, in order; 0 where it is over. With the lock held. */
static size_t wait_for_bytes(struct download *d)
{
    for (;;) {
        if (d->failed || (d->known && d->hashed == d->total))
            return 0;
        uint64_t at = d->hashed % S3_PART, there = d->known ? d->there[d->hashed / S3_PART] : 0;
        if (there > at)
            return there - at < PIECE ? (size_t)(there - at) : PIECE;
        if (s3_stopped(d->client)) {
            d->failed = true;
            err_set(&d->e, ERR_UPSTREAM, "stopped");
        } else {
            wait_a_little(d);
        }
    }
}

static bool hash_all(struct download *d, struct sha256 *digest)
{
    size_t n;

    do {
        pthread_mutex_lock(&d->lock);
        n = wait_for_bytes(d);
        uint64_t done = d->done;
        pthread_mutex_unlock(&d->lock);
        if (n && !sha256_add(digest, d->bytes + d->hashed, n))
            return err_memory(&d->e);
        d->hashed += n;
        if (n)
            s3_tell(d->client, d->request->name, done, d->total, &d->told_ns);
    } while (n);
    return !d->failed;
}

/* -- both -- */

static bool start_worker(struct download *d, struct worker *w, unsigned i)
{
    struct s3_client *c = d->client;
    struct err e = {0};

    if (!c->workers[i])
        c->workers[i] = transport_new(&c->worker_options, &e);
    *w = (struct worker){.d = d, .transport = c->workers[i]};
    return w->transport && pthread_create(&w->thread, NULL, work, w) == 0;
}

/* Runs as many workers as there may be parts, and hashes beside them. */
static bool run(struct download *d, struct sha256 *digest)
{
    struct worker workers[S3_WORKERS];
    unsigned n = 0;
    uint64_t most = d->request->max / S3_PART + 1;

    while (n < S3_WORKERS && n < most && start_worker(d, &workers[n], n))
        n++;
    bool ok = n > 0 ? hash_all(d, digest) : err_memory(&d->e);
    d->client->halt = !ok;
    pthread_mutex_lock(&d->lock);
    d->failed |= !ok;
    pthread_cond_broadcast(&d->moved);
    pthread_mutex_unlock(&d->lock);
    while (n--)
        pthread_join(workers[n].thread, NULL);
    d->client->halt = false;
    return ok;
}

static bool init(struct download *d, struct err *e)
{
    pthread_condattr_t attributes;
    bool ok = pthread_condattr_init(&attributes) == 0;

    ok = ok && pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(&d->moved, &attributes) == 0;
    if (!ok || pthread_mutex_init(&d->lock, NULL) != 0)
        return err_memory(e);
    pthread_condattr_destroy(&attributes);
    return true;
}

/* Downloads one state of the object. */
static bool get_once(struct download *d, struct source_file *f, struct err *e)
{
    struct sha256 *digest = sha256_new(e);

    if (!digest || !init(d, e)) {
        sha256_free(digest);
        return false;
    }
    bool ok = run(d, digest) && sha256_end(digest, f->sha256, &d->e);
    if (ok) {
        f->bytes = d->bytes;
        f->n = d->total;
        memcpy(f->tag, d->etag, sizeof f->tag);
    } else {
        *e = d->e;
        free(d->bytes);
    }
    free(d->there);
    sha256_free(digest);
    pthread_cond_destroy(&d->moved);
    pthread_mutex_destroy(&d->lock);
    return ok;
}

bool s3_get_parts(struct s3_client *c, const struct source_request *r, struct source_file *f,
                  struct err *e)
{
    uint64_t from_ns = clock_ns();

    for (unsigned i = 0; i < S3_RESTARTS; i++) {
        struct download d = {.client = c,
                             .request = r,
                             .from_ns = from_ns,
                             .deadline_ns = s3_deadline(from_ns, r->max)};
        *e = (struct err){0};
        if (get_once(&d, f, e))
            return true;
        if (!d.changed)
            return false;
    }
    return err_wrap(e, "%d times", S3_RESTARTS);
}
