/* SPDX-License-Identifier: Apache-2.0 */
/* One wait for the library's sockets and the worker's own, told apart, and none of them lost. */
#include "cmocka_all.h"

#include "../../src/http/events.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SOCKETS = 2 * EVENTS_KEPT };

static const char worker, listener;

struct place {
    struct events events;
    int all, socket[SOCKETS], wake, accept, left;
};

/* A descriptor that is readable once, as sockets of the library's are. */
static int watched(int by, uint32_t how, const void *p)
{
    int fd = eventfd(1, EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | how, .data.ptr = (void *)(uintptr_t)p};

    assert_true(fd >= 0);
    assert_int_equal(epoll_ctl(by, EPOLL_CTL_ADD, fd, &event), 0);
    return fd;
}

static void open_place(struct place *p)
{
    struct err e = {0};

    p->all = epoll_create1(EPOLL_CLOEXEC);
    assert_true(events_open(&p->events, p->all, &worker, &listener, &e));
}

static void close_place(struct place *p)
{
    events_close(&p->events);
    close(p->all);
}

/* As the library asks: until there are fewer than it has room for. */
static int take(struct place *p, int room, bool seen[SOCKETS])
{
    struct epoll_event got[EVENTS_KEPT];
    int n, all = 0;

    events_give(&p->events);
    do {
        n = epoll_wait(p->all, got, room, 0);
        for (int i = 0; i < n; i++) {
            ptrdiff_t at = (int *)got[i].data.ptr - p->socket;
            assert_in_range(at, 0, SOCKETS - 1);
            assert_false(seen[at]);
            seen[at] = true;
        }
        all += n;
    } while (n == room);
    events_given(&p->events);
    return all;
}

static void each_gets_its_own(void **state)
{
    struct place p;
    bool seen[SOCKETS] = {false};

    (void)state;
    open_place(&p);
    p.wake = watched(p.all, 0, &worker);
    p.socket[0] = watched(p.all, EPOLLET, &p.socket[0]);
    p.left = watched(p.events.connections, EPOLLET, &p.left);
    p.accept = watched(p.all, 0, &listener);
    p.socket[1] = watched(p.all, EPOLLET, &p.socket[1]);
    assert_int_equal(events_wait(&p.events, 0), 3);
    assert_ptr_equal(p.events.own[0].data.ptr, &worker);
    assert_ptr_equal(p.events.own[1].data.ptr, &listener);
    assert_ptr_equal(p.events.own[2].data.ptr, &p.left);
    assert_int_equal(take(&p, EVENTS_KEPT, seen), 2);
    /* what is watched for changes is told once, what is watched for as long as it holds */
    assert_int_equal(events_wait(&p.events, 0), 2);
    assert_int_equal(take(&p, EVENTS_KEPT, seen), 0);
    for (size_t i = 0; i < 2; i++)
        close(p.socket[i]);
    close(p.wake);
    close(p.accept);
    close(p.left);
    close_place(&p);
}

static void more_than_fit_come_with_the_next_wait(void **state)
{
    struct place p;
    bool seen[SOCKETS] = {false};
    int first, second;

    (void)state;
    open_place(&p);
    for (size_t i = 0; i < SOCKETS; i++)
        p.socket[i] = watched(p.all, EPOLLET, &p.socket[i]);
    assert_int_equal(events_wait(&p.events, 0), 0);
    first = take(&p, 50, seen);
    assert_int_equal(first, EVENTS_KEPT);
    assert_int_equal(events_wait(&p.events, 0), 0);
    second = take(&p, EVENTS_KEPT, seen);
    assert_int_equal(first + second, SOCKETS);
    for (size_t i = 0; i < SOCKETS; i++)
        close(p.socket[i]);
    close_place(&p);
}

/* Not the library's descriptor, or not in a run of the library. */
static void others_ask_the_system(void **state)
{
    struct place p;
    struct epoll_event got[2];
    int other = epoll_create1(EPOLL_CLOEXEC);

    (void)state;
    open_place(&p);
    p.wake = watched(other, 0, &other);
    events_give(&p.events);
    assert_int_equal(epoll_wait(p.all, got, 2, 0), 0);
    assert_int_equal(epoll_wait(other, got, 2, 0), 1);
    events_given(&p.events);
    assert_ptr_equal(got[0].data.ptr, &other);
    assert_int_equal(epoll_wait(other, got, 2, 0), 1);
    close(p.wake);
    close(other);
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_own),
        cmocka_unit_test(more_than_fit_come_with_the_next_wait),
        cmocka_unit_test(others_ask_the_system),
    };

    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
