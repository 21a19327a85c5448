/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server on loopback that answers by a script: the n-th request gets the n-th answer, and
 * what was asked can be looked at. A connection serves one request.
 */
#ifndef SCORED_TESTS_STEP_SERVER_H
#define SCORED_TESTS_STEP_SERVER_H

#include "cmocka_all.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRIPT_STEPS = 32, SCRIPT_REQUEST = 32 << 10 };

struct script_step {
    unsigned status; /* 0: it never answers */
    const char *body;
};

static struct script_server {
    int fd;
    unsigned short port;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    struct script_step steps[SCRIPT_STEPS];
    char requests[SCRIPT_STEPS][SCRIPT_REQUEST];
    unsigned n_steps, n_requests;
} script = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Whether the head, and the body that it announces, are there. */
static bool script_whole(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "content-length:");

    if (!end)
        return false;
    return !length || length > end || strlen(end + 4) >= strtoul(length + 15, NULL, 10);
}

static void script_read(int fd, char *text)
{
    size_t n = 0;

    while (n < SCRIPT_REQUEST - 1 && !script_whole(text)) {
        ssize_t got = recv(fd, text + n, SCRIPT_REQUEST - 1 - n, 0);
        if (got <= 0)
            return;
        n += (size_t)got;
        text[n] = '\0';
    }
}

static void script_answer(int fd)
{
    static char text[SCRIPT_REQUEST];
    char head[200], rest[16];

    memset(text, 0, sizeof text);
    script_read(fd, text);
    pthread_mutex_lock(&script.lock);
    struct script_step step = {500, "the script is over"};
    if (script.n_requests < SCRIPT_STEPS)
        memcpy(script.requests[script.n_requests], text, sizeof text);
    if (script.n_requests < script.n_steps)
        step = script.steps[script.n_requests];
    script.n_requests++;
    pthread_mutex_unlock(&script.lock);
    if (!step.status) {
        while (recv(fd, rest, sizeof rest, 0) > 0)
            ;
        return;
    }
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %u X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                     step.status, strlen(step.body));
    if (send(fd, head, (size_t)n, MSG_NOSIGNAL) == n)
        (void)!send(fd, step.body, strlen(step.body), MSG_NOSIGNAL);
}

static void *script_run(void *unused)
{
    int fd;

    (void)unused;
    while ((fd = accept(script.fd, NULL, NULL)) >= 0) {
        script_answer(fd);
        close(fd);
    }
    return NULL;
}

static bool script_start(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof a;

    script.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (script.fd < 0 || bind(script.fd, (struct sockaddr *)&a, size) < 0 ||
        listen(script.fd, 8) < 0 || getsockname(script.fd, (struct sockaddr *)&a, &size) < 0)
        return false;
    script.port = ntohs(a.sin_port);
    return pthread_create(&script.thread, NULL, script_run, NULL) == 0;
}

static void script_stop(void)
{
    shutdown(script.fd, SHUT_RDWR);
    pthread_join(script.thread, NULL);
    close(script.fd);
}

/* Forgets the script and what was asked. */
static void script_clear(void)
{
    pthread_mutex_lock(&script.lock);
    script.n_steps = script.n_requests = 0;
    pthread_mutex_unlock(&script.lock);
}

/* Adds an answer. `body` must stay. */
static void script_add(unsigned status, const char *body)
{
    pthread_mutex_lock(&script.lock);
    assert_true(script.n_steps < SCRIPT_STEPS);
    script.steps[script.n_steps++] = (struct script_step){status, body};
    pthread_mutex_unlock(&script.lock);
}

static unsigned script_count(void)
{
    pthread_mutex_lock(&script.lock);
    unsigned n = script.n_requests;
    pthread_mutex_unlock(&script.lock);
    return n;
}

/* The text of a request that has come. */
static inline const char *script_request(unsigned i)
{
    assert_true(i < script_count());
    return script.requests[i];
}

#endif
