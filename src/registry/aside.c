/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load that can wait: it gives way to whoever scores. What holds a lock that others take, or the
 * heap's, is not done here: a thread at idle priority may be put to sleep for long.
 */
#include "slot_priv.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

struct aside {
    struct candidate *candidate;
    struct err *e;
    struct model *model;
};

static void become_idle(void)
{
    const struct sched_param none = {0};
    const int class_idle = 3 << 13, this_thread = 1; /* of ioprio_set(2) */

    sched_setscheduler(0, SCHED_IDLE, &none);
    syscall(SYS_ioprio_set, this_thread, 0, class_idle);
}

static void *load(void *argument)
{
    struct aside *a = argument;

    become_idle();
    a->model = candidate_load(a->candidate, a->e);
    return NULL;
}

struct model *candidate_load_aside(struct candidate *c, struct err *e)
{
    struct aside a = {.candidate = c, .e = e};
    pthread_t thread;

    if (pthread_create(&thread, NULL, load, &a))
        return candidate_load(c, e);
    pthread_join(thread, NULL);
    return a.model;
}
