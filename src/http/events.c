/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include "scored/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ask(int fd, struct epoll_event *to, int room, int ms)
{
    return epoll_pwait(fd, to, room, ms, NULL);
}

bool events_open(struct events *v, int all, const void *worker, const void *listener, struct err *e)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = v};

    v->all = all;
    v->n_kept = 0;
    v->worker = worker;
    v->listener = listener;
    v->connections = epoll_create1(EPOLL_CLOEXEC);
    return (v->connections >= 0 && !epoll_ctl(all, EPOLL_CTL_ADD, v->connections, &event)) ||
           err_errno(e, "cannot watch sockets");
}

void events_close(struct events *v)
{
    if (v->connections >= 0)
        close(v->connections);
}

int events_wait(struct events *v, int ms)
{
    int n = ask(v->all, v->kept, EVENTS_KEPT, ms), n_own = 0;
    bool of_connections = false;

    v->n_kept = 0;
    for (int i = 0; i < n; i++) {
        const void *p = v->kept[i].data.ptr;
        if (p == v)
            of_connections = true;
        else if (p == v->worker || p == v->listener)
            v->own[n_own++] = v->kept[i];
        else
            v->kept[v->n_kept++] = v->kept[i];
    }
    if (of_connections) {
        n = ask(v->connections, v->own + n_own, EVENTS_OWN - n_own, 0);
        n_own += n > 0 ? n : 0;
    }
    return n_own;
}

/* -- what the library asks -- */

static _Thread_local struct events *giving;

void events_give(struct events *v)
{
    giving = v;
}

/* Sockets are watched for changes, so what the library did not take would never come again. */
void events_given(struct events *v)
{
    giving = NULL;
    if (!v->n_kept)
        return;
    log_with(LOG_ERROR, "libmicrohttpd asks for events by another way than epoll_wait()",
             log_number("kept", v->n_kept));
    abort();
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs begin with "__" */
int epoll_wait(int fd, struct epoll_event *to, int room, int ms)
{
    struct events *v = giving && fd == giving->all ? giving : NULL;

    if (!v)
        return ask(fd, to, room, ms);
    int n = v->n_kept < room ? v->n_kept : room;
    v->n_kept -= n;
    memcpy(to, v->kept + v->n_kept, (size_t)n * sizeof *to);
    return n;
}
