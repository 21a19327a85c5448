/* SPDX-License-Identifier: Apache-2.0 */
/* One object in a bucket of a scripted server, and a source that reads it. */
#ifndef SCORED_S3_KIT_H
#define SCORED_S3_KIT_H

#include "cmocka_all.h"

#include "../../src/store/s3_priv.h"
#include "scored/clock.h"
#include "script_server.h"

enum { KIT_SEEN = 64 };

struct seen {
    char head[2048];
    uint64_t from, end; /* of its range; 0, 0: none */
};

struct kit {
    struct script_server server;
    struct source *source;
    struct err e;
    struct source_file file;
    atomic_bool stop;
    uint64_t told_done, told_total;
    unsigned told, told_back; /* calls, and those that said less than the one before */

    pthread_mutex_t lock;
    unsigned char *object;
    size_t n;
    char etag[32];
    unsigned n_seen;
    struct seen seen[KIT_SEEN];

    /* Answers the n-th request itself: true. */
    bool (*fault)(struct kit *k, int fd, const struct seen *s, unsigned n);
    const char *raw; /* what kit_raw answers */
    const char *raws[4];
    unsigned count;
    bool keep; /* whether the connection stays open behind a fault */
};

static inline void kit_fill(struct kit *k, size_t n, unsigned seed, const char *etag)
{
    uint64_t x = 88172645463325252U + seed;

    pthread_mutex_lock(&k->lock);
    k->object = realloc(k->object, n + 8);
    assert(k->object);
    for (size_t i = 0; i < n; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(k->object + i, &x, 8);
    }
    k->n = n;
    snprintf(k->etag, sizeof k->etag, "%s", etag);
    pthread_mutex_unlock(&k->lock);
}

/* What S3 would answer. With the lock held. */
static inline bool kit_answer(const struct kit *k, int fd, const struct seen *s)
{
    char text[512];

    if (strcmp(script_header(s->head, "if-none-match", text), k->etag) == 0)
        return script_send(fd, "HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n", k->etag);
    if (*script_header(s->head, "if-match", text) && strcmp(text, k->etag) != 0)
        return script_send(fd, "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
    if (!s->end)
        return script_send(fd, "HTTP/1.1 200 OK\r\nETag: %s\r\nContent-Length: %zu\r\n\r\n",
                           k->etag, k->n) &&
               script_put(fd, k->object, k->n);
    size_t end = s->end < k->n ? s->end : k->n;
    return script_send(fd,
                       "HTTP/1.1 206 Partial Content\r\nETag: %s\r\nContent-Length: %zu\r\n"
                       "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                       k->etag, end - s->from, (size_t)s->from, end - 1, k->n) &&
           script_put(fd, k->object + s->from, end - s->from);
}

static inline bool kit_serve(struct script_server *server, int fd, const char *head, unsigned n)
{
    struct kit *k = server->context;
    struct seen s = {0};
    char range[512];

    assert(strlen(head) < sizeof s.head);
    memcpy(s.head, head, strlen(head) + 1);
    if (strncmp(script_header(head, "range", range), "bytes=", 6) == 0) {
        char *dash;
        s.from = strtoull(range + 6, &dash, 10);
        s.end = strtoull(dash + 1, NULL, 10) + 1;
    }
    pthread_mutex_lock(&k->lock);
    assert(k->n_seen < KIT_SEEN);
    k->seen[k->n_seen++] = s;
    pthread_mutex_unlock(&k->lock);
    if (k->fault && k->fault(k, fd, &s, n))
        return k->keep;
    pthread_mutex_lock(&k->lock);
    bool ok = kit_answer(k, fd, &s);
    pthread_mutex_unlock(&k->lock);
    return ok;
}

/* -- faults -- */

static inline bool kit_raw(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    (void)s;
    (void)n;
    script_put(fd, k->raw, strlen(k->raw));
    return true;
}

/* raws[n] for the n-th request, where there is one. */
static inline bool kit_first(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    (void)s;
    if (n >= countof(k->raws) || !k->raws[n])
        return false;
    script_put(fd, k->raws[n], strlen(k->raws[n]));
    return true;
}

static inline void kit_progress(void *context, const char *name, uint64_t done, uint64_t total)
{
    struct kit *k = context;

    assert(strcmp(name, "file") == 0 && done <= total);
    k->told_back += done < k->told_done;
    k->told_done = done;
    k->told_total = total;
    k->told++;
}

/* -- the source -- */

static inline int kit_setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    char url[64];

    assert_non_null(k);
    pthread_mutex_init(&k->lock, NULL);
    kit_fill(k, 1000, 0, "\"one\"");
    k->server = (struct script_server){.answer = kit_serve, .context = k};
    script_start(&k->server);
    snprintf(url, sizeof url, "http://127.0.0.1:%u", k->server.port);
    setenv("AWS_ENDPOINT_URL_S3", url, 1);
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-told", 1);
    setenv("AWS_CONFIG_FILE", "/dev/null", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
    setenv("NO_PROXY", "127.0.0.1", 1);
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_REGION");
    unsetenv("AWS_MAX_ATTEMPTS");
    unsetenv("AWS_PROFILE");
    unsetenv("SCORED_S3_SSE_C_KEY_FILE");
    const struct source_options o = {.progress = kit_progress, .context = k, .stop = &k->stop};
    k->source = source_open("s3://bkt/a b/", &o, &k->e);
    assert_non_null(k->source);
    *state = k;
    return 0;
}

static inline int kit_teardown(void **state)
{
    struct kit *k = *state;

    source_free(k->source);
    script_stop(&k->server);
    pthread_mutex_destroy(&k->lock);
    free(k->file.bytes);
    free(k->object);
    free(k);
    return 0;
}

static inline bool kit_fetch(struct kit *k, uint64_t max, const char *tag)
{
    const struct source_request r = {.name = "file", .max = max, .tag = tag};

    free(k->file.bytes);
    k->file = (struct source_file){0};
    k->e = (struct err){0};
    k->n_seen = 0;
    k->server.requests = 0;
    k->told_done = 0;
    k->told = k->told_back = 0;
    return source_fetch(k->source, &r, &k->file, &k->e);
}

/* What came is the object. */
static inline void kit_same(const struct kit *k)
{
    char digest[SHA256_HEX + 1];
    struct err e = {0};

    assert_int_equal(k->file.n, k->n);
    assert_memory_equal(k->file.bytes, k->object, k->n);
    assert_true(sha256_hex(k->object, k->n, digest, &e));
    assert_string_equal(k->file.sha256, digest);
    assert_string_equal(k->file.tag, k->etag);
}

#define with_kit(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

#endif
