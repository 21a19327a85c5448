/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loaded in front of a program (LD_PRELOAD), it makes allocations of the whole process fail: of
 * ours, of libmicrohttpd, of the C library, on every thread, and of the kernel where it makes
 * threads and watches descriptors. OOM_CONTROL names a file of 40 bytes
 * that is mapped and shared with who drives it. It begins with main: what libraries do before is
 * theirs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct control {
    atomic_ullong at;     /* which allocation fails; 0: none */
    atomic_ullong sticky; /* and those behind it */
    atomic_ullong asked;  /* so far; set to 0 to begin anew */
    atomic_ullong failed;
    atomic_llong held; /* pieces, since main */
};

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

static struct control *control;

static int fails(void)
{
    if (!control)
        return 0;
    unsigned long long number = ++control->asked, at = control->at;
    int yes = at && (control->sticky ? number >= at : number == at);
    if (yes) {
        control->failed++;
        errno = ENOMEM;
    }
    return yes;
}

static void *count(void *p)
{
    if (control && p)
        control->held++;
    return p;
}

void *malloc(size_t n)
{
    return fails() ? NULL : count(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
    if (fails())
        return NULL;
    return p ? __libc_realloc(p, n) : count(__libc_realloc(p, n));
}

void *aligned_alloc(size_t align, size_t n)
{
    return fails() ? NULL : count(__libc_memalign(align, n));
}

void *memalign(size_t align, size_t n)
{
    return fails() ? NULL : count(__libc_memalign(align, n));
}

int posix_memalign(void **p, size_t align, size_t n)
{
    void *got = fails() ? NULL : count(__libc_memalign(align, n));

    if (got)
        *p = got;
    return got ? 0 : ENOMEM;
}

void free(void *p)
{
    if (control && p)
        control->held--;
    __libc_free(p);
}

/* -- the kernel's -- */

int epoll_create1(int flags)
{
    return fails() ? -1 : (int)syscall(SYS_epoll_create1, flags);
}

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    return op == EPOLL_CTL_ADD && fails() ? -1 : (int)syscall(SYS_epoll_ctl, epoll, op, fd, event);
}

int eventfd(unsigned count_from, int flags)
{
    return fails() ? -1 : (int)syscall(SYS_eventfd2, count_from, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *),
                   void *context)
{
    union {
        void *symbol;
        int (*call)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    } next = {.symbol = dlsym(RTLD_NEXT, "pthread_create")};

    return fails() ? EAGAIN : next.call(thread, how, run, context);
}

/* -- from main on -- */

static int (*real_main)(int argc, char **argv, char **environment);

static int counted_main(int argc, char **argv, char **environment)
{
    const char *path = getenv("OOM_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED
                       : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        _exit(99);
    control = map;
    return real_main(argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    union {
        void *symbol;
        int (*call)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                    void (*)(void), void *);
    } next = {.symbol = dlsym(RTLD_NEXT, "__libc_start_main")};

    real_main = main;
    return next.call(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}
