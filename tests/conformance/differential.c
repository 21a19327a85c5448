/* SPDX-License-Identifier: Apache-2.0 */
/*
 * differential DAEMON_PORT SEEDS FOLDER STREAMS FIRST [CLIENTS] NAME...
 *
 * Sends mutated streams of requests to the proxies that listen in FOLDER/NAME.sock and forward to
 * FOLDER/relay-NAME.sock, and holds what they make of them against what the daemon makes of that.
 * The name "direct" is no proxy: the relay itself. Prints a line a proxy; exits with 1 where they
 * differ.
 */
#include "mutate.h"
#include "relay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PROXIES = 8, MAX_CLIENTS = 512, PATIENCE_MS = 100, EVENTS = 256 };

/* Behind each stream: what ends a connection where nothing else did. */
static const char last[] = "GET /livez HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n";

struct proxy {
    struct tally tally;
    char path[100];
    int listener;
    struct source source;
};

struct client {
    int fd;
    struct proxy *proxy;
    char bytes[MUTANT_BYTES + sizeof last];
    size_t n, sent;
    uint64_t quiet_ms;
    struct source source;
};

static struct {
    int epoll;
    uint16_t port;
    struct seeds seeds;
    uint64_t next, end;
    struct proxy proxies[MAX_PROXIES];
    size_t n_proxies, n_clients;
    struct client clients[MAX_CLIENTS];
} run;

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    return a;
}

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void open_relay(struct proxy *p, const char *folder, const char *name)
{
    char path[100];
    bool direct = !strcmp(name, "direct");

    snprintf(path, sizeof path, "%s/relay-%s.sock", folder, name);
    snprintf(p->path, sizeof p->path, "%s/%s%s.sock", folder, direct ? "relay-" : "", name);
    p->tally = (struct tally){.name = name, .marked = !direct};
    struct sockaddr_un a = address(path);
    unlink(path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(p->listener, (struct sockaddr *)&a, sizeof a) || listen(p->listener, 1024))
        die(path);
    p->source = (struct source){SOURCE_LISTENER, 0, p};
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &p->source};
    epoll_ctl(run.epoll, EPOLL_CTL_ADD, p->listener, &e);
}

static void accept_all(struct proxy *p)
{
    for (int fd; (fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        pair_new(run.epoll, fd, run.port, &p->tally);
}

/* -- clients -- */

static void client_end(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void client_push(struct client *c)
{
    while (c->sent < c->n) {
        ssize_t n = send(c->fd, c->bytes + c->sent, c->n - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            break;
        c->sent += (size_t)n;
    }
    struct epoll_event e = {.events = EPOLLIN | (c->sent < c->n ? EPOLLOUT : 0),
                            .data.ptr = &c->source};
    epoll_ctl(run.epoll, EPOLL_CTL_MOD, c->fd, &e);
}

static void client_begin(struct client *c)
{
    struct proxy *p = &run.proxies[run.next % run.n_proxies];
    struct sockaddr_un a = address(p->path);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &c->source};

    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a))
        die(p->path);
    c->n = mutant(c->bytes, &run.seeds, run.next / run.n_proxies);
    memcpy(c->bytes + c->n, last, sizeof last - 1);
    c->n += sizeof last - 1;
    c->sent = 0;
    c->source = (struct source){SOURCE_CLIENT, 0, c};
    c->quiet_ms = now_ms();
    p->tally.streams++;
    run.next++;
    epoll_ctl(run.epoll, EPOLL_CTL_ADD, c->fd, &e);
    client_push(c);
}

static void client_event(struct client *c, uint32_t events)
{
    char dropped[16 * 1024];

    if (c->fd < 0)
        return;
    c->quiet_ms = now_ms();
    if (events & EPOLLOUT)
        client_push(c);
    ssize_t n = recv(c->fd, dropped, sizeof dropped, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        client_end(c);
}

/* -- the run -- */

static bool tend_clients(void)
{
    uint64_t now = now_ms();
    bool any = false;

    for (size_t i = 0; i < run.n_clients; i++) {
        struct client *c = &run.clients[i];
        if (c->fd >= 0 && now - c->quiet_ms > PATIENCE_MS)
            client_end(c);
        if (c->fd < 0 && run.next < run.end)
            client_begin(c);
        any |= c->fd >= 0;
    }
    return any;
}

static void handle(struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        struct source *s = events[i].data.ptr;
        if (s->kind == SOURCE_LISTENER)
            accept_all(s->owner);
        else if (s->kind == SOURCE_CLIENT)
            client_event(s->owner, events[i].events);
        else
            pair_event(s->owner, s->which, events[i].events);
    }
    pairs_free_dead();
}

static int report(uint64_t began)
{
    uint64_t ms = now_ms() - began, faults = 0, streams = 0;

    for (size_t i = 0; i < run.n_proxies; i++) {
        const struct tally *t = &run.proxies[i].tally;
        printf(
            "%-16s %8llu streams, %llu connections: requests %llu by the proxy's marks, %llu by "
            "our reading, %llu answered; %llu refused and closed, %llu answered and closed, %llu "
            "bodies compared; %llu faults\n",
            t->name, (unsigned long long)t->streams, (unsigned long long)t->connections,
            (unsigned long long)t->marks, (unsigned long long)t->requests,
            (unsigned long long)t->answers, (unsigned long long)t->refusals,
            (unsigned long long)t->last_ones, (unsigned long long)t->compared,
            (unsigned long long)t->faults);
        faults += t->faults;
        streams += t->streams;
    }
    printf("%llu streams in %llu.%llu s, %llu a second\n", (unsigned long long)streams,
           (unsigned long long)ms / 1000, (unsigned long long)ms / 100 % 10,
           (unsigned long long)(streams * 1000 / (ms ? ms : 1)));
    return faults ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];

    if (argc < 8) {
        fprintf(stderr,
                "usage: differential DAEMON_PORT SEEDS FOLDER STREAMS FIRST CLIENTS NAME...\n");
        return 2;
    }
    run.port = (uint16_t)strtoul(argv[1], NULL, 10);
    if (!seeds_read(&run.seeds, argv[2]))
        die(argv[2]);
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.n_clients = strtoul(argv[6], NULL, 10);
    for (int i = 7; i < argc && run.n_proxies < MAX_PROXIES; i++)
        open_relay(&run.proxies[run.n_proxies++], argv[3], argv[i]);
    run.next = strtoull(argv[5], NULL, 10) * run.n_proxies;
    run.end = run.next + strtoull(argv[4], NULL, 10);
    if (run.n_clients > MAX_CLIENTS)
        run.n_clients = MAX_CLIENTS;
    for (size_t i = 0; i < run.n_clients; i++)
        run.clients[i].fd = -1;
    uint64_t began = now_ms();
    while (tend_clients()) {
        int n = epoll_wait(run.epoll, events, EVENTS, 10);
        handle(events, n);
    }
    return report(began);
}
