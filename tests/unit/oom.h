/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocations that fail. The linker sends our libraries' through the functions below
 * (CMakeLists.txt:
 * --wrap); OpenSSL, cJSON and libcurl take them as their allocators. They count what is held, and
 * fail the n-th allocation, or that and all later ones.
 */
#ifndef OOM_H
#define OOM_H

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **p, size_t align, size_t n);
void __real_free(void *p);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

static struct {
    atomic_long held;    /* pieces */
    atomic_ulong asked;  /* allocations since oom_arm */
    atomic_ulong at;     /* which fails; 0: none */
    atomic_bool sticky;  /* and those behind it */
    atomic_ulong failed; /* since oom_arm */
} oom;

/* Of a thread of the test's own: none of its allocations fails or counts. */
static _Thread_local bool oom_exempt;

static inline void oom_arm(unsigned long at, bool sticky)
{
    oom.asked = oom.failed = 0;
    oom.sticky = sticky;
    oom.at = at;
}

/* How many failed. */
static inline unsigned long oom_disarm(void)
{
    oom.at = 0;
    return oom.failed;
}

static bool oom_fails(void)
{
    if (oom_exempt)
        return false;
    unsigned long number = ++oom.asked, at = oom.at;
    bool fails = at && (oom.sticky ? number >= at : number == at);
    oom.failed += fails;
    return fails;
}

static void oom_add(long n)
{
    if (!oom_exempt)
        oom.held += n;
}

static void *oom_count(void *p)
{
    oom_add(p != NULL);
    return p;
}

void *__wrap_malloc(size_t n)
{
    return oom_fails() ? NULL : oom_count(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return oom_fails() ? NULL : oom_count(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
    if (oom_fails())
        return NULL;
    return p ? __real_realloc(p, n) : oom_count(__real_realloc(p, n));
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return oom_fails() ? NULL : oom_count(__real_aligned_alloc(align, n));
}

int __wrap_posix_memalign(void **p, size_t align, size_t n)
{
    if (oom_fails())
        return 12; /* ENOMEM */
    int result = __real_posix_memalign(p, align, n);
    oom_add(result == 0);
    return result;
}

char *__wrap_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = __wrap_malloc(n);

    return copy ? memcpy(copy, s, n) : NULL;
}

void __wrap_free(void *p)
{
    oom_add(-(long)(p != NULL));
    __real_free(p);
}

/* -- the libraries -- */

static void *oom_crypto_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(n);
}

static void *oom_crypto_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(p, n);
}

static void oom_crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    __wrap_free(p);
}

/* First of all: each takes allocators only as long as it has none in use. */
static inline bool oom_init(void)
{
    cJSON_Hooks hooks = {.malloc_fn = __wrap_malloc, .free_fn = __wrap_free};

    cJSON_InitHooks(&hooks);
    return CRYPTO_set_mem_functions(oom_crypto_malloc, oom_crypto_realloc, oom_crypto_free) == 1 &&
           curl_global_init_mem(CURL_GLOBAL_DEFAULT, __wrap_malloc, __wrap_free, __wrap_realloc,
                                __wrap_strdup, __wrap_calloc) == CURLE_OK;
}

/* What is held, but for OpenSSL's notes about this thread's errors. */
static inline long oom_held(void)
{
    OPENSSL_thread_stop();
    return oom.held;
}

#endif
