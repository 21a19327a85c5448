/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server on libmicrohttpd costs that scores nothing: it reads the whole body and answers a
 * constant with scored's headers.
 *
 *     noop_server THREADS LENGTH plain|same     LENGTH: bytes of the reply's body
 *
 * plain: as the library is without any setting. same: with scored's flags and pool, and it reads
 * the request's headers as scored does. Prints its port, stops at the end of stdin.
 */
#include "headers.h"
#include "library.h"
#include "listen.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REPLY = 65536, CONNECTIONS = 8192, TIMEOUT = 10 };

static char reply[MAX_REPLY];
static size_t reply_len;

static void connection_event(void *context, struct MHD_Connection *c, void **socket_context,
                             enum MHD_ConnectionNotificationCode code)
{
    struct exchange *x = *socket_context;

    (void)context;
    (void)c;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = calloc(1, sizeof *x);
        return;
    }
    buf_done(&x->target);
    buf_done(&x->body);
    free(x);
}

static void *begin(void *context, const char *target, struct MHD_Connection *c)
{
    struct exchange *x =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;

    (void)context;
    x->phase = PHASE_HEAD;
    buf_reset(&x->target);
    buf_reset(&x->body);
    buf_text(&x->target, target);
    return x;
}

static enum MHD_Result send_reply(struct MHD_Connection *c)
{
    static const char *const headers[][2] = {
        {"Content-Type", "application/json"},  {"X-Request-Id", "0123456789abcdef01234567"},
        {"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"},
        {"X-Model-Name", "days_to_sell"},      {"X-Model-Version", "20261121T050930Z-cd99a653"},
    };
    struct MHD_Response *r =
        MHD_create_response_from_buffer(reply_len, reply, MHD_RESPMEM_PERSISTENT);

    for (size_t i = 0; i < countof(headers); i++)
        MHD_add_response_header(r, headers[i][0], headers[i][1]);
    enum MHD_Result result = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *n_upload, void **request)
{
    struct exchange *x = *request;

    (void)context;
    (void)url;
    (void)method;
    (void)version;
    if (x->phase == PHASE_HEAD) {
        x->phase = PHASE_BODY;
        return headers_read(x, c) ? MHD_YES : MHD_NO;
    }
    if (*n_upload) {
        buf_put(&x->body, upload, *n_upload);
        *n_upload = 0;
        return MHD_YES;
    }
    return send_reply(c);
}

/* Nothing is kept of the request but that its body has begun. */
static enum MHD_Result answer_plainly(void *context, struct MHD_Connection *c, const char *url,
                                      const char *method, const char *version, const char *upload,
                                      size_t *n_upload, void **request)
{
    static char begun;

    (void)context;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    if (*request && !*n_upload)
        return send_reply(c);
    *request = &begun;
    *n_upload = 0;
    return MHD_YES;
}

static size_t leave_escapes(void *context, struct MHD_Connection *c, char *text)
{
    (void)context;
    (void)c;
    return strlen(text);
}

static void completed(void *context, struct MHD_Connection *c, void **request,
                      enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)c;
    (void)request;
    (void)code;
}

static struct MHD_Daemon *start_plain(int fd, const struct MHD_OptionItem *pool)
{
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer_plainly, NULL,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

static struct MHD_Daemon *start_same(int fd, const struct MHD_OptionItem *pool)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, answer, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_CONNECTION, connection_event, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_URI_LOG_CALLBACK, begin, NULL,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

int main(int argc, char **argv)
{
    struct err e = {0};
    uint16_t port;
    char c;

    if (argc != 4)
        return 2;
    unsigned threads = (unsigned)strtoul(argv[1], NULL, 10);
    reply_len = strtoul(argv[2], NULL, 10) % MAX_REPLY;
    memset(reply, '1', reply_len);
    int fd = listen_open("127.0.0.1:0", &port, &e);
    struct MHD_OptionItem pool[] = {
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    bool plain = strcmp(argv[3], "plain") == 0;
    struct MHD_Daemon *d = plain ? start_plain(fd, pool) : start_same(fd, pool);
    if (!d)
        return 1;
    printf("%u\n", port);
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) > 0)
        ;
    MHD_stop_daemon(d);
    return 0;
}
