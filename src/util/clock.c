/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/clock.h"

#include <stdio.h>
#include <time.h>

uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t clock_thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

uint64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000U + (uint64_t)t.tv_nsec / 1000000U;
}

void clock_text(uint64_t ms, char out[CLOCK_TEXT])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm t;
    char date[CLOCK_TEXT];

    gmtime_r(&seconds, &t);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(out, CLOCK_TEXT, "%.19s.%03uZ", date, (unsigned)(ms % 1000));
}
