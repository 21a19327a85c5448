/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes when a processor stood still: standstill CPU... > FILE, until SIGTERM. On each processor a
 * thread above all others wakes every two milliseconds; where it wakes late, nothing ran there that
 * it could have been waiting for, but the kernel itself or, around a virtual machine, another one.
 * A line a standstill of over a millisecond: processor, begin and end by CLOCK_MONOTONIC in ns.
 *
 * Meanwhile no processor sleeps, as far as the kernel lets itself be asked (/dev/cpu_dma_latency):
 * a virtual machine that sleeps whenever it has nothing to do is woken late by a busy host, many
 * times a second, and what is measured then is the host.
 */
#include "scored/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { CPUS = 8, KEPT = 1 << 16, PERIOD_NS = 2000000, LATE_NS = 1000000 };

struct witness {
    pthread_t thread;
    int cpu;
    unsigned n;
    uint64_t spans[KEPT][2];
};

static struct witness witnesses[CPUS];
static atomic_bool stopping;

static void *watch(void *argument)
{
    struct witness *w = argument;
    uint64_t due = clock_ns();

    while (!atomic_load(&stopping)) {
        due += PERIOD_NS;
        const struct timespec at = {(time_t)(due / 1000000000U), (long)(due % 1000000000U)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        uint64_t woke = clock_ns();
        if (woke - due <= LATE_NS)
            continue;
        if (w->n < KEPT) {
            w->spans[w->n][0] = due;
            w->spans[w->n++][1] = woke;
        }
        due = woke;
    }
    return NULL;
}

static int start(struct witness *w)
{
    const struct sched_param above = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
    pthread_attr_t a;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((size_t)w->cpu, &one);
    pthread_attr_init(&a);
    pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&a, SCHED_FIFO);
    pthread_attr_setschedparam(&a, &above);
    pthread_attr_setaffinity_np(&a, sizeof one, &one);
    return pthread_create(&w->thread, &a, watch, w);
}

/* Asks the kernel for processors that wake at once: the wish lasts until the process ends. */
static void keep_awake(void)
{
    const int32_t most_us = 0;
    int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, &most_us, sizeof most_us) != sizeof most_us)
        perror("standstill: processors may sleep: /dev/cpu_dma_latency");
}

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)argc - 1 : 0;
    sigset_t signals;
    int got;

    if (!n || n > CPUS) {
        fprintf(stderr, "usage: standstill CPU... (at most %d)\n", CPUS);
        return 2;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    mlockall(MCL_CURRENT | MCL_FUTURE);
    keep_awake();
    for (unsigned i = 0; i < n; i++) {
        witnesses[i].cpu = atoi(argv[1 + i]);
        if (start(&witnesses[i])) {
            fprintf(stderr, "standstill: takes the right to run at real-time priority\n");
            return 1;
        }
    }
    sigwait(&signals, &got);
    atomic_store(&stopping, true);
    for (unsigned i = 0; i < n; i++) {
        const struct witness *w = &witnesses[i];
        pthread_join(w->thread, NULL);
        for (unsigned k = 0; k < w->n; k++)
            printf("%d %llu %llu\n", w->cpu, (unsigned long long)w->spans[k][0],
                   (unsigned long long)w->spans[k][1]);
    }
    return 0;
}
