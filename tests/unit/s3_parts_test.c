/* SPDX-License-Identifier: Apache-2.0 */
/* Large objects: in parts, broken off, overwritten. */
#include "s3_kit.h"

enum { LARGE = 5 * S3_PART - 12345 };

static int setup(void **state)
{
    kit_setup(state);
    kit_fill(*state, LARGE, 7, "\"large\"");
    return 0;
}

#define with_large(test) cmocka_unit_test_setup_teardown(test, setup, kit_teardown)

/* Every byte was asked for, and none twice but where `again` says. */
static void assert_covered(const struct kit *k, unsigned requests)
{
    uint64_t at = 0;

    assert_int_equal(k->n_seen, requests);
    while (at < k->n) {
        uint64_t end = 0;
        for (unsigned i = 0; i < k->n_seen; i++)
            if (k->seen[i].from == at && k->seen[i].end > end)
                end = k->seen[i].end;
        assert_true(end > at && end - at <= S3_PART);
        at = end;
    }
}

static void parts_are_of_one_state(void **state)
{
    struct kit *k = *state;
    char text[512];

    assert_true(kit_fetch(k, LARGE, NULL));
    kit_same(k);
    assert_covered(k, 5);
    assert_string_equal(script_header(k->seen[0].head, "range", text), "bytes=0-8388607");
    assert_string_equal(script_header(k->seen[0].head, "if-match", text), "");
    for (unsigned i = 1; i < 5; i++)
        assert_string_equal(script_header(k->seen[i].head, "if-match", text), "\"large\"");
    assert_int_equal(k->told_done, LARGE);
    assert_int_equal(k->told_total, LARGE);
    assert_int_equal(k->told_back, 0);
    assert_true(k->server.n <= S3_WORKERS);
    /* again, by the same connections; more may be allowed than there is */
    unsigned connections = k->server.n;
    assert_true(kit_fetch(k, 1U << 30, NULL));
    kit_same(k);
    assert_int_equal(k->server.n, connections);
    /* one part, and exactly two */
    kit_fill(k, 5, 1, "\"tiny\"");
    assert_true(kit_fetch(k, S3_LARGE, NULL));
    kit_same(k);
    kit_fill(k, S3_LARGE, 2, "\"two\"");
    assert_true(kit_fetch(k, S3_LARGE, NULL));
    kit_same(k);
    assert_covered(k, 2);
}

/* Breaks replies about the first part off, six times, each behind more bytes. */
static bool break_off(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    (void)n;
    if (s->from >= S3_PART || k->count == 6)
        return false;
    n = k->count++;
    script_send(fd,
                "HTTP/1.1 206 P\r\nETag: %s\r\nContent-Length: %zu\r\n"
                "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                k->etag, (size_t)((s->end < k->n ? s->end : k->n) - s->from), (size_t)s->from,
                (size_t)(s->end < k->n ? s->end : k->n) - 1, k->n);
    script_put(fd, k->object + s->from, 300000 * (size_t)(n + 1) + 11);
    return true;
}

static void a_break_is_resumed_at_its_byte(void **state)
{
    struct kit *k = *state;
    uint64_t asked = 0;

    k->fault = break_off;
    assert_true(kit_fetch(k, LARGE, NULL));
    kit_same(k);
    assert_covered(k, 11);
    for (unsigned i = 0; i < k->n_seen; i++)
        asked += (k->seen[i].end < k->n ? k->seen[i].end : k->n) - k->seen[i].from;
    for (unsigned i = 1; i <= 6; i++) /* what each of the six still had to ask for */
        asked -= S3_PART - (300000 * i * (i + 1) / 2 + 11 * i);
    assert_int_equal(asked, LARGE);
}

/* The object becomes another one before the count-th request is answered. */
static bool overwrite(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    (void)fd;
    (void)s;
    if (n == k->count)
        kit_fill(k, LARGE - 1000, 99, "\"new\"");
    return false;
}

static void an_object_that_is_overwritten_starts_over(void **state)
{
    struct kit *k = *state;

    k->fault = overwrite;
    for (k->count = 1; k->count < 5; k->count++) {
        kit_fill(k, LARGE, 7, "\"large\"");
        assert_true(kit_fetch(k, LARGE, NULL));
        kit_same(k);
        assert_string_equal(k->file.tag, "\"new\"");
    }
}

/* A server that does not know If-Match: only the ETag of its replies changes. */
static bool other_tags(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    size_t end = s->end < k->n ? s->end : k->n;

    script_send(fd,
                "HTTP/1.1 206 P\r\nETag: \"%u\"\r\nContent-Length: %zu\r\n"
                "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                n, end - s->from, (size_t)s->from, end - 1, k->n);
    script_put(fd, k->object + s->from, end - s->from);
    return true;
}

static void an_object_that_is_never_the_same_is_given_up(void **state)
{
    struct kit *k = *state;

    k->fault = other_tags;
    assert_false(kit_fetch(k, LARGE, NULL));
    assert_int_equal(k->e.code, ERR_UPSTREAM);
    assert_non_null(strstr(k->e.msg, "3 times: it was overwritten"));
}

#define PART_REPLY(range)                                                             \
    "HTTP/1.1 206 P\r\nETag: \"large\"\r\nContent-Length: 1\r\nConnection: close\r\n" \
    "Content-Range: " range "\r\n\r\nx"

/* Answers what is asked of the second part. */
static bool wrong_part(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    (void)n;
    if (s->from != (k->count ? S3_PART : 0))
        return false;
    script_put(fd, k->raw, strlen(k->raw));
    return true;
}

static void wrong_parts_are_refused(void **state)
{
    struct kit *k = *state;
    static const struct {
        unsigned later; /* 1: the second part's reply, 0: the first's */
        const char *raw, *said;
        enum err_code code;
    } rows[] = {
        {0, "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 41930695\r\n\r\nx",
         "the whole object where a range", ERR_UPSTREAM},
        {0, "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 1\r\n\r\nx",
         "the whole object where a range", ERR_UPSTREAM},
        {0, PART_REPLY("bytes 0-0/2"), "another Content-Range", ERR_UPSTREAM},
        {0, PART_REPLY("bytes 0-0/*"), "another Content-Range", ERR_UPSTREAM},
        {0, PART_REPLY("bytes 0-8388608/9000000"), "another Content-Range", ERR_UPSTREAM},
        {0, PART_REPLY("bytes 0-8388607/18446744073709551615"), "at most 41930695", ERR_BAD_BUNDLE},
        {0, "HTTP/1.1 206 P\r\nETag: \"x\"\r\nContent-Length: 1\r\n\r\nx", "no Content-Range",
         ERR_UPSTREAM},
        {0, "HTTP/1.1 206 P\r\nContent-Range: bytes 0-0/1\r\nContent-Length: 1\r\n\r\nx", "no ETag",
         ERR_UPSTREAM},
        {0, "HTTP/1.1 404 N\r\nContent-Length: 37\r\n\r\n<Error><Code>NoSuchKey</Code></Error> ",
         "no such object", ERR_NOT_FOUND},
        {1, PART_REPLY("bytes 0-8388607/41930695"), "another Content-Range", ERR_UPSTREAM},
        {1, PART_REPLY("bytes 8388609-16777215/41930695"), "another Content-Range", ERR_UPSTREAM},
        {1, PART_REPLY("bytes 8388608-16777215/41930696"), "another Content-Range", ERR_UPSTREAM},
        {1, PART_REPLY("bytes 8388608-8388608/41930695"), "another Content-Range", ERR_UPSTREAM},
        {1, "HTTP/1.1 403 F\r\nContent-Length: 40\r\n\r\n<Error><Code>AccessDenied</Code></Error>",
         "AccessDenied", ERR_UPSTREAM},
    };

    k->fault = wrong_part;
    for (size_t i = 0; i < countof(rows); i++) {
        k->raw = rows[i].raw;
        k->count = rows[i].later;
        bool ok = kit_fetch(k, LARGE, NULL);
        if (ok || k->e.code != rows[i].code || !strstr(k->e.msg, rows[i].said))
            print_error("row %zu: %s\n", i, k->e.msg);
        assert_false(ok);
        assert_int_equal(k->e.code, rows[i].code);
        assert_non_null(strstr(k->e.msg, rows[i].said));
    }
    k->fault = NULL;
    assert_true(kit_fetch(k, LARGE, NULL));
    kit_same(k);
}

static void a_reply_shorter_than_its_range_is_resumed(void **state)
{
    struct kit *k = *state;

    k->fault = wrong_part;
    k->count = 1;
    k->object[S3_PART] = 'x';
    k->raw = PART_REPLY("bytes 8388608-16777215/41930695");
    assert_true(kit_fetch(k, LARGE, NULL));
    kit_same(k);
    assert_int_equal(k->n_seen, 6);
}

static bool trickle(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    (void)n;
    script_send(fd,
                "HTTP/1.1 206 P\r\nETag: %s\r\nContent-Length: 8388608\r\n"
                "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                k->etag, (size_t)s->from, (size_t)s->end - 1, k->n);
    while (script_put(fd, "x", 1))
        usleep(20000);
    return true;
}

static void *stop_soon(void *p)
{
    usleep(200000);
    atomic_store((atomic_bool *)p, true);
    return NULL;
}

static void a_download_stops_soon(void **state)
{
    struct kit *k = *state;
    pthread_t thread;

    k->fault = trickle;
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, &k->stop), 0);
    uint64_t from = clock_ns();
    assert_false(kit_fetch(k, LARGE, NULL));
    pthread_join(thread, NULL);
    assert_true(clock_ns() - from < 1000000000U);
    assert_non_null(strstr(k->e.msg, "stopped"));
    k->stop = false;
    k->fault = NULL;
    assert_true(kit_fetch(k, LARGE, NULL));
    kit_same(k);
}

/* A head, and then nothing. */
static bool hang(struct kit *k, int fd, const struct seen *s)
{
    script_send(fd,
                "HTTP/1.1 206 P\r\nETag: %s\r\nContent-Length: 8388608\r\n"
                "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                k->etag, (size_t)s->from, (size_t)s->end - 1, k->n);
    return recv(fd, &(char){0}, 1, 0) >= 0;
}

/* Parts hang, the fourth is refused. */
static bool one_refused(struct kit *k, int fd, const struct seen *s, unsigned n)
{
    (void)n;
    if (s->from == 0)
        return false;
    if (s->from != 3 * S3_PART)
        return hang(k, fd, s);
    script_send(fd, "HTTP/1.1 403 F\r\nContent-Length: 40\r\n\r\n"
                    "<Error><Code>AccessDenied</Code></Error>");
    return true;
}

static void one_failure_ends_them_all(void **state)
{
    struct kit *k = *state;
    uint64_t from = clock_ns();

    k->fault = one_refused;
    assert_false(kit_fetch(k, LARGE, NULL));
    assert_true(clock_ns() - from < 2000000000U);
    assert_non_null(strstr(k->e.msg, "AccessDenied"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_large(parts_are_of_one_state),
        with_large(a_break_is_resumed_at_its_byte),
        with_large(an_object_that_is_overwritten_starts_over),
        with_large(an_object_that_is_never_the_same_is_given_up),
        with_large(wrong_parts_are_refused),
        with_large(a_reply_shorter_than_its_range_is_resumed),
        with_large(a_download_stops_soon),
        with_large(one_failure_ends_them_all),
    };

    return cmocka_run_group_tests_name("s3_parts", tests, NULL, NULL);
}
