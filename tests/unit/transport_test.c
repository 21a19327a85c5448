/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "../../src/store/address.h"
#include "../../src/store/transport.h"
#include "scored/clock.h"
#include "script_server.h"

struct fixture {
    struct script_server server;
    struct transport *t;
    atomic_bool stop;
    struct http_reply reply;
    struct err e;
    char url[64], head[SCRIPT_HEAD];
};

static bool answer(struct script_server *s, int fd, const char *head, unsigned n)
{
    struct fixture *f = s->context;

    (void)n;
    memcpy(f->head, head, strlen(head) + 1);
    if (strstr(head, " /early "))
        script_send(fd, "HTTP/1.1 103 Early\r\nx-early: 1\r\n\r\n");
    if (strstr(head, " /redirect "))
        return script_send(fd,
                           "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n");
    if (strstr(head, " /short "))
        return script_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") && false;
    if (strstr(head, " /half "))
        return script_send(fd, "HTTP/1.1 200 OK\r\nETag: 1\r\nx-ha") && false;
    if (strstr(head, " /hang "))
        return recv(fd, &(char){0}, 1, 0) == 1;
    if (strstr(head, " /large "))
        return script_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    if (strstr(head, " /error ")) {
        script_send(fd, "HTTP/1.1 503 Slow\r\nContent-Length: 200000\r\n\r\n");
        for (unsigned i = 0; i < 2000; i++)
            script_send(fd, "%0100u", i);
        return true;
    }
    if (strstr(head, " /lines ")) {
        script_send(fd, "HTTP/1.1 200 OK\r\n");
        for (unsigned i = 0; i < 101; i++)
            script_send(fd, "x-%u: 1\r\n", i);
        return script_send(fd, "Content-Length: 0\r\n\r\n");
    }
    if (strstr(head, " /ancient "))
        return script_send(fd, "hello\n") && false;
    return script_send(
        fd, "HTTP/1.1 200 OK\r\nETag:  \"a b\" \r\nx-empty:\r\nContent-Length: 3\r\n\r\n%s",
        strncmp(head, "HEAD", 4) == 0 ? "" : "abc");
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->server = (struct script_server){.answer = answer, .context = f};
    script_start(&f->server);
    f->t = transport_new(&(struct transport_options){.stop = &f->stop}, &f->e);
    assert_non_null(f->t);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    transport_free(f->t);
    http_reply_done(&f->reply);
    script_stop(&f->server);
    free(f);
    return 0;
}

static bool call(struct fixture *f, const char *path, struct http_call c)
{
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u%s", f->server.port, path);
    c.url = f->url;
    c.method = c.method ? c.method : "GET";
    c.max = c.max ? c.max : 1024;
    c.direct = true;
    f->e = (struct err){0};
    return transport_call(f->t, &c, &f->reply, &f->e);
}

static void a_reply_comes_whole(void **state)
{
    struct fixture *f = *state;
    char value[8];
    const struct http_header h[] = {{"x-one", "1"}, {"x-none", ""}};

    assert_true(call(f, "/a//../b%20c?x=%2F", (struct http_call){.headers = h, .n_headers = 2}));
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(f->reply.body.data, "abc");
    assert_true(http_reply_header(&f->reply, "etag", value, sizeof value));
    assert_string_equal(value, "\"a b\"");
    assert_true(http_reply_header(&f->reply, "X-Empty", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(http_reply_header(&f->reply, "x-emp", value, sizeof value));
    assert_false(http_reply_header(&f->reply, "content-length", value, 1));
    /* sent as it is, and nothing that was not asked for */
    assert_true(strncmp(f->head, "GET /a//../b%20c?x=%2F HTTP/1.1\r\n", 33) == 0);
    assert_non_null(strstr(f->head, "x-one: 1\r\n"));
    assert_non_null(strstr(f->head, "x-none:\r\n"));
    assert_null(strcasestr(f->head, "accept"));
    assert_null(strcasestr(f->head, "expect"));
    assert_true(call(f, "/early", (struct http_call){0}));
    assert_false(http_reply_header(&f->reply, "x-early", value, sizeof value));
    assert_int_equal(f->server.n, 1); /* one connection */
}

static void methods_have_their_bodies(void **state)
{
    struct fixture *f = *state;

    assert_true(call(f, "/", (struct http_call){.method = "HEAD"}));
    assert_string_equal(f->reply.body.data, "");
    assert_true(call(f, "/", (struct http_call){.method = "PUT"}));
    assert_non_null(strstr(f->head, "Content-Length: 0\r\n"));
    assert_true(call(f, "/", (struct http_call){.method = "POST", .body = "a=1", .body_size = 3}));
    assert_non_null(strstr(f->head, "Content-Length: 3\r\n"));
    assert_null(strcasestr(f->head, "content-type"));
}

static void redirects_are_answers(void **state)
{
    struct fixture *f = *state;

    assert_true(call(f, "/redirect", (struct http_call){0}));
    assert_int_equal(f->reply.status, 302);
    assert_int_equal(f->server.requests, 1);
}

static void bounds_hold(void **state)
{
    struct fixture *f = *state;

    assert_false(call(f, "/large", (struct http_call){.max = 4}));
    assert_int_equal(f->reply.failure, HTTP_TOO_LARGE);
    assert_true(call(f, "/large", (struct http_call){.max = 5}));
    assert_false(call(f, "/lines", (struct http_call){0}));
    assert_int_equal(f->reply.failure, HTTP_TOO_LARGE);
    assert_true(call(f, "/error", (struct http_call){0}));
    assert_int_equal(f->reply.status, 503);
    assert_int_equal(f->reply.body.len, 64 << 10);
}

static bool count(void *context, const char *p, size_t n)
{
    (void)p;
    *(size_t *)context += n;
    return *(size_t *)context != 5;
}

static void a_sink_takes_the_body(void **state)
{
    struct fixture *f = *state;
    size_t n = 0;

    assert_true(call(f, "/", (struct http_call){.sink = count, .context = &n}));
    assert_int_equal(n, 3);
    assert_int_equal(f->reply.body.len, 0);
    assert_true(call(f, "/error", (struct http_call){.sink = count, .context = &n}));
    assert_int_equal(n, 3);
    n = 0;
    assert_false(call(f, "/large", (struct http_call){.sink = count, .context = &n}));
    assert_int_equal(f->reply.failure, HTTP_STOPPED);
}

static void failures_are_named(void **state)
{
    struct fixture *f = *state;
    const struct http_header bad = {"x-one", "1\r\nx-two: 2"};

    assert_false(call(f, "/short", (struct http_call){0}));
    assert_int_equal(f->reply.failure, HTTP_BROKEN);
    assert_int_equal(f->e.code, ERR_UPSTREAM);
    assert_false(call(f, "/half", (struct http_call){0}));
    assert_int_equal(f->reply.failure, HTTP_BROKEN);
    assert_false(call(f, "/ancient", (struct http_call){0}));
    assert_int_equal(f->reply.failure, HTTP_BROKEN);
    assert_false(call(f, "/hang", (struct http_call){.total_ms = 100}));
    assert_int_equal(f->reply.failure, HTTP_TIMEOUT);
    assert_false(call(f, "/", (struct http_call){.headers = &bad, .n_headers = 1}));
    assert_int_equal(f->e.code, ERR_USAGE);
    struct http_call c = {.method = "GET", .url = "http://nowhere.invalid/secret", .direct = true};
    assert_false(transport_call(f->t, &c, &f->reply, &f->e));
    assert_int_equal(f->reply.failure, HTTP_RESOLVE);
    assert_null(strstr(f->e.msg, "secret"));
    c.url = "http://127.0.0.1:1/";
    assert_false(transport_call(f->t, &c, &f->reply, &f->e));
    assert_int_equal(f->reply.failure, HTTP_CONNECT);
    c.url = "file:///etc/passwd";
    assert_false(transport_call(f->t, &c, &f->reply, &f->e));
    c.url = "http://user:word@127.0.0.1:1/";
    assert_false(transport_call(f->t, &c, &f->reply, &f->e));
    assert_null(strstr(f->e.msg, "word"));
}

static void *stop_soon(void *p)
{
    usleep(100000);
    atomic_store((atomic_bool *)p, true);
    return NULL;
}

static void the_stop_flag_ends_a_call(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    uint64_t from = clock_ns();

    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &f->stop), 0);
    assert_false(call(f, "/hang", (struct http_call){0}));
    pthread_join(thread, NULL);
    assert_int_equal(f->reply.failure, HTTP_STOPPED);
    assert_true(clock_ns() - from < 1000000000U);
}

static bool allowed(const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &a.sin_addr) == 1)
        return address_is_metadata((struct sockaddr *)&a);
    assert_int_equal(inet_pton(AF_INET6, text, &a6.sin6_addr), 1);
    return address_is_metadata((struct sockaddr *)&a6);
}

static void only_metadata_addresses_are_asked(void **state)
{
    struct fixture *f = *state;
    static const char *const good[] = {"127.0.0.1",       "127.9.9.9",    "169.254.170.2",
                                       "169.254.170.23",  "::1",          "fd00:ec2::23",
                                       "169.254.169.254", "fd00:ec2::254"};
    static const char *const bad[] = {
        "10.0.0.1", "169.254.170.3", "128.0.0.1", "0.0.0.0", "fd00:ec2::253", "::", "8.8.8.8"};

    for (size_t i = 0; i < countof(good); i++)
        assert_true(allowed(good[i]));
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(allowed(bad[i]));
    assert_true(call(f, "/", (struct http_call){.metadata_only = true}));
    struct http_call c = {.method = "GET", .url = "http://192.0.2.1/", .metadata_only = true};
    assert_false(transport_call(f->t, &c, &f->reply, &f->e));
    assert_int_equal(f->reply.failure, HTTP_FORBIDDEN);
}

static void a_missing_ca_file_is_named(void **state)
{
    struct err e = {0};

    (void)state;
    assert_null(transport_new(&(struct transport_options){.ca_bundle = "/nowhere/ca.pem"}, &e));
    assert_non_null(strstr(e.msg, "/nowhere/ca.pem"));
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(a_reply_comes_whole),
        with_server(methods_have_their_bodies),
        with_server(redirects_are_answers),
        with_server(bounds_hold),
        with_server(a_sink_takes_the_body),
        with_server(failures_are_named),
        with_server(the_stop_flag_ends_a_call),
        with_server(only_metadata_addresses_are_asked),
        cmocka_unit_test(a_missing_ca_file_is_named),
    };

    return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
