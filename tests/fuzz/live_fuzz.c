/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes, in pieces, to a server that runs in this process, over a real socket: the judge of
 * heads, the routes and all that lies between. Held against the strict reading of
 * tests/conformance: there are no more answers than requests, what is refused is the last, and the
 * connection ends.
 */
#include "../conformance/mutate.h"
#include "../conformance/strict.h"

#include "scored/err.h"
#include "scored/log.h"
#include "scored/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 20, MAX_REPLY = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

static struct sockaddr_in address;

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s (%s)\n", what, strerror(errno));
        abort();
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const bundle = BUNDLE;
    static struct registry registry;
    static struct config config = {
#define SETTING(kind, field, flag, value, low, high, help) .field = (value),
#include "../../src/util/config.def"
#undef SETTING
    };
    struct registry_options options = {.poll_ms = 3600000, .keep = 0};
    struct err e = {0};

    (void)argc;
    (void)argv;
    config.listen = "127.0.0.1:0";
    config.admin_listen = "off";
    config.workers = 1;
    log_set(LOG_ERROR, LOG_LOGFMT);
    options.model = (struct model_options){
        .workers = 1, .scratch = config.scratch, .frame_rows = (unsigned)config.frame_rows};
    require(registry_open(&registry, &bundle, 1, &options, &e), e.msg);
    struct server *server = server_start(&registry, &config, &e);
    require(server != NULL, e.msg);
    address.sin_family = AF_INET;
    address.sin_port = htons(server_port(server));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return 0;
}

/* -- one stream -- */

struct seen {
    unsigned answers, refused, behind; /* behind: answers after one that ends the connection */
    bool over;
    struct stream requests;
    bool is_head[MUTANT_BYTES]; /* a request by HEAD */
};

static void reply_began(void *context, const struct message *m)
{
    struct seen *s = context;

    s->behind += s->over;
    s->over |= m->close;
    if (m->status >= 400 && m->close)
        s->refused++;
    else
        s->answers++;
}

static void request_began(void *context, const struct message *m)
{
    struct seen *s = context;

    s->is_head[s->requests.began - 1] = m->head;
}

static bool reply_to_head(void *context)
{
    const struct seen *s = context;

    return s->is_head[s->answers + s->refused];
}

/* The fuzzer's own clock interrupts us; a connection is made all the same. */
static bool is_connected(int fd)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};

    if (!connect(fd, (struct sockaddr *)&address, sizeof address))
        return true;
    return errno == EINTR && TEMP_FAILURE_RETRY(poll(&writable, 1, PATIENCE_S * 1000)) == 1;
}

static int open_connection(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct linger none = {.l_onoff = 1}; /* the kernel forgets it at once: ports do not run out */

    require(fd >= 0 && is_connected(fd), "it listens");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    return fd;
}

/* The first byte says into how many pieces the rest is cut. */
static void send_pieces(int fd, const uint8_t *data, size_t size)
{
    size_t pieces = 1 + data[0] % 4, each = (size - 1) / pieces + 1;

    for (size_t at = 1; at < size; at += each)
        if (send(fd, data + at, size - at < each ? size - at : each, MSG_NOSIGNAL) < 0)
            break; /* refused */
    shutdown(fd, SHUT_WR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char reply[MAX_REPLY];
    static struct seen s;
    static struct stream replies;
    size_t n = 0;
    ssize_t got;

    if (size < 2 || size > MUTANT_BYTES)
        return 0;
    s = (struct seen){.requests = {.began_one = request_began, .context = &s}};
    replies = (struct stream){
        .replies = true, .began_one = reply_began, .reply_to_head = reply_to_head, .context = &s};
    stream_read(&s.requests, (const char *)data + 1, size - 1);
    int fd = open_connection();
    send_pieces(fd, data, size);
    while ((got = TEMP_FAILURE_RETRY(recv(fd, reply + n, sizeof reply - n, 0))) > 0)
        n += (size_t)got;
    require(got == 0 || errno == ECONNRESET, "the connection ends");
    close(fd);
    require(stream_read(&replies, reply, n), "the answers are HTTP");
    require(s.answers <= s.requests.began, "no more answers than requests");
    require(s.refused <= 1 && !s.behind, "what is refused is the last");
    return 0;
}

/* -- mutations -- */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static const char get[] = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char post[] = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: "
                               "application/x-ndjson\r\nContent-Length: 3\r\n\r\n{}\n";
    static const char chunks[] =
        "POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        "\r\n2;a\r\n{}\r\n0\r\nX: y\r\n\r\n";
    const char *begin[] = {get, post, chunks};
    size_t sizes[] = {sizeof get - 1, sizeof post - 1, sizeof chunks - 1};
    struct seeds seeds = {.begin = begin, .size = sizes, .n = 3};
    uint64_t random = seed;

    if (max > MUTANT_BYTES)
        max = MUTANT_BYTES;
    if (size < 2 || random_next(&random) % 2)
        return LLVMFuzzerMutate(data, size, max);
    for (uint64_t times = 1 + random_next(&random) % 3; times; times--)
        size = 1 + mutate_once((char *)data + 1, size - 1, max - 1, &seeds, &random);
    return size;
}
