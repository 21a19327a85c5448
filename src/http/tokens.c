/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens.h"

#include "scored/buf.h"
#include "scored/clock.h"
#include "scored/crypto.h"
#include "scored/hex.h"
#include "scored/log.h"
#include "scored/stamp.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct token {
    unsigned char digest[SHA256_SIZE];
    enum scope scope;
    char name[TOKEN_NAME];
};

struct list {
    struct token *items;
    unsigned n, room;
};

struct tokens {
    const char *path;
    pthread_rwlock_t lock; /* guards the list */
    struct list list;
    struct stamp seen; /* of the file at the last look */
    _Atomic uint64_t failures, read_ms;
};

static const char *const scopes[] = {
    [SCOPE_NONE] = "none", [SCOPE_PREDICT] = "predict", [SCOPE_ADMIN] = "admin"};

const char *scope_name(enum scope s)
{
    return scopes[s];
}

/* -- a line -- */

/* False: these are not the digits of a digest, and no more. */
static bool read_digest(const char *p, size_t n, unsigned char out[SHA256_SIZE])
{
    return n == SHA256_HEX && hex_read(p, SHA256_SIZE, out);
}

static enum scope read_scope(const char *p, size_t n)
{
    for (enum scope s = SCOPE_PREDICT; s <= SCOPE_ADMIN; s++)
        if (n == strlen(scopes[s]) && !memcmp(p, scopes[s], n))
            return s;
    return SCOPE_NONE;
}

static bool is_name(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)p[i]) && !strchr("._-", p[i]))
            return false;
    return n > 0 && n < TOKEN_NAME;
}

/* The next word of a line, and what is behind it. */
static size_t next_word(const char **p, const char **word)
{
    *word = *p + strspn(*p, " \t\r");
    size_t n = strcspn(*word, " \t\r");
    *p = *word + n;
    return n;
}

/* What is wrong with a line, or NULL. Never what stands there: it may be a token. */
static const char *read_line(const char *line, struct token *out)
{
    static const char prefix[] = "sha256:";
    const char *digest, *scope, *name, *more;
    size_t n_digest = next_word(&line, &digest), n_scope = next_word(&line, &scope),
           n_name = next_word(&line, &name);

    if (n_digest < sizeof prefix || memcmp(digest, prefix, sizeof prefix - 1) != 0 ||
        !read_digest(digest + sizeof prefix - 1, n_digest - (sizeof prefix - 1), out->digest))
        return "it does not begin with sha256: and 64 hex digits";
    out->scope = read_scope(scope, n_scope);
    if (out->scope == SCOPE_NONE)
        return "behind the digest stands neither predict nor admin";
    if (!is_name(name, n_name) || next_word(&line, &more))
        return "behind the scope stands no name of 1 to 64 letters, digits, \".\", \"_\" and \"-\"";
    memcpy(out->name, name, n_name);
    out->name[n_name] = '\0';
    return NULL;
}

/* -- a file -- */

static bool is_known(const struct list *l, const struct token *t)
{
    for (unsigned i = 0; i < l->n; i++)
        if (!memcmp(l->items[i].digest, t->digest, SHA256_SIZE))
            return true;
    return false;
}

static bool add(struct list *l, const struct token *t, struct err *e)
{
    if (l->n == l->room) {
        unsigned room = 2 * l->room + 8;
        struct token *more = realloc(l->items, room * sizeof *more);
        if (!more)
            return err_memory(e);
        l->items = more;
        l->room = room;
    }
    l->items[l->n++] = *t;
    return true;
}

static bool read_lines(struct list *l, char *text, struct err *e)
{
    unsigned number = 0;

    for (char *line = text, *next; line; line = next) {
        struct token t;
        char *end = strchr(line, '\n');
        number++;
        next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#')
            continue;
        const char *wrong = read_line(line, &t);
        if (!wrong && is_known(l, &t))
            wrong = "its digest stands on an earlier line too";
        if (wrong)
            return err_set(e, ERR_USAGE, "line %u: %s", number, wrong);
        if (!add(l, &t, e))
            return false;
    }
    return l->n || err_set(e, ERR_USAGE, "there is no token in it");
}

/* All of a file, with a NUL behind it. */
static bool read_file(const char *path, struct buf *out, struct err *e)
{
    struct stat s;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return err_errno(e, "it cannot be opened");
    bool ok = !fstat(fd, &s) && S_ISREG(s.st_mode) && s.st_size < TOKENS_BYTES;
    for (char *to = NULL; ok; out->len += (size_t)n) {
        to = buf_reserve(out, TOKENS_BYTES - out->len);
        n = to ? read(fd, to, TOKENS_BYTES - out->len) : -1;
        if (n <= 0)
            break;
    }
    close(fd);
    if (!ok || n || out->failed || memchr(out->data, '\0', out->len))
        return err_set(e, ERR_USAGE, "it is not a file of text of less than %d bytes",
                       TOKENS_BYTES);
    out->data[out->len] = '\0';
    return true;
}

static bool read_list(const char *path, struct list *out, struct err *e)
{
    struct buf text = {0};
    struct list l = {0};

    bool ok = read_file(path, &text, e) && read_lines(&l, text.data, e);
    buf_done(&text);
    if (ok)
        *out = l;
    else
        free(l.items);
    return ok || err_wrap(e, "--tokens (SCORED_TOKENS): %s", path);
}

/* -- in use -- */

struct tokens *tokens_open(const char *path, struct err *e)
{
    struct tokens *t = calloc(1, sizeof *t);

    if (!t) {
        err_memory(e);
        return NULL;
    }
    t->path = path;
    pthread_rwlock_init(&t->lock, NULL);
    atomic_store(&t->read_ms, clock_ms());
    stamp_take(&t->seen, path); /* before it is read: what changes meanwhile is read again */
    if (read_list(path, &t->list, e))
        return t;
    tokens_close(t);
    return NULL;
}

void tokens_close(struct tokens *t)
{
    if (!t)
        return;
    pthread_rwlock_destroy(&t->lock);
    free(t->list.items);
    free(t);
}

static void fail(struct tokens *t, const struct err *e)
{
    atomic_fetch_add(&t->failures, 1);
    log_with(LOG_ERROR, e->msg, log_number("tokens", t->list.n), log_text("kept", "those before"));
}

static void take(struct tokens *t, struct list *l)
{
    struct list old = t->list;

    pthread_rwlock_wrlock(&t->lock);
    t->list = *l;
    pthread_rwlock_unlock(&t->lock);
    free(old.items);
    atomic_store(&t->read_ms, clock_ms());
    log_with(LOG_INFO, "tokens were read again", log_number("tokens", l->n));
}

void tokens_look(struct tokens *t)
{
    struct err e = {0};
    struct list l;

    if (!t || !stamp_moved(&t->seen, t->path))
        return;
    if (read_list(t->path, &l, &e))
        take(t, &l);
    else
        fail(t, &e);
}

/* The token in an Authorization header; NULL where it is of another scheme. */
static const char *token_of(const char *authorization, size_t *n)
{
    static const char scheme[] = "Bearer ";

    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *p = authorization + sizeof scheme - 1;
    p += strspn(p, " ");
    *n = strcspn(p, " \t");
    return p;
}

enum scope tokens_find(struct tokens *t, const char *authorization, char name[TOKEN_NAME])
{
    static const struct token nobody;
    struct token found = nobody;
    unsigned char digest[SHA256_SIZE];
    struct err e;
    size_t n = 0;
    const char *token = token_of(authorization, &n);

    if (token && sha256_bytes(token, n, digest, &e)) {
        pthread_rwlock_rdlock(&t->lock);
        for (unsigned i = 0; i < t->list.n; i++)
            if (bytes_equal(digest, t->list.items[i].digest, SHA256_SIZE))
                found = t->list.items[i]; /* and on: the time does not tell which it was */
        pthread_rwlock_unlock(&t->lock);
    }
    memcpy(name, found.name, TOKEN_NAME);
    return found.scope;
}

unsigned tokens_count(struct tokens *t)
{
    if (!t)
        return 0;
    pthread_rwlock_rdlock(&t->lock);
    unsigned n = t->list.n;
    pthread_rwlock_unlock(&t->lock);
    return n;
}

uint64_t tokens_failures(struct tokens *t)
{
    return t ? atomic_load(&t->failures) : 0;
}

uint64_t tokens_read_ms(struct tokens *t)
{
    return t ? atomic_load(&t->read_ms) : 0;
}
