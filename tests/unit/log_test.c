/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, LINES = 5000, TEXT = 32 * 1024 * 1024 };

static char *text;
static _Atomic size_t text_len;
static int reader_fd, stderr_fd;

/* Standard error becomes a pipe of one page. */
static void open_pipe(void)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    reader_fd = ends[0];
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    stderr_fd = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    text_len = 0;
}

static void close_pipe(void)
{
    dup2(stderr_fd, STDERR_FILENO);
    close(stderr_fd);
}

static void *read_all(void *context)
{
    const useconds_t *pause = context;
    ssize_t n;

    while ((n = read(reader_fd, text + text_len, 4096)) > 0) {
        text_len += (size_t)n;
        if (*pause)
            usleep(*pause);
    }
    return NULL;
}

static void *write_many(void *context)
{
    const int *who = context;

    for (int i = 0; i < LINES; i++)
        log_with(LOG_INFO, "one of many", log_number("who", (uint64_t)*who),
                 log_number("line", (uint64_t)i));
    return NULL;
}

/* Each line that came, in its writer's order and whole, and how many are missing by what was said.
 */
static void count_lines(uint64_t *came, uint64_t *said)
{
    int last[THREADS] = {-1, -1, -1, -1}, who, line;
    unsigned long long dropped;
    char *save, *copy = strndup(text, text_len), *end = strrchr(copy, '\n');

    *came = *said = 0;
    if (end)
        *end = '\0'; /* what is behind it is not whole yet */
    for (char *p = strtok_r(copy, "\n", &save); end && p; p = strtok_r(NULL, "\n", &save)) {
        const char *d = strstr(p, "dropped=");
        if (d) {
            assert_int_equal(sscanf(d, "dropped=%llu", &dropped), 1); /* NOLINT(cert-err34-c) */
            *said += dropped;
            continue;
        }
        const char *w = strstr(p, "who=");
        assert_non_null(w);
        assert_int_equal(sscanf(w, "who=%d line=%d", &who, &line), 2); /* NOLINT(cert-err34-c) */
        assert_non_null(strstr(p, "one of many"));
        assert_true(line > last[who]);
        last[who] = line;
        ++*came;
    }
    free(copy);
}

static void write_from_threads(useconds_t pause)
{
    pthread_t reader, writers[THREADS];
    static const int names[THREADS] = {0, 1, 2, 3};
    struct err e = {0};
    uint64_t before = log_dropped(), came = 0, said = 0;

    open_pipe();
    pthread_create(&reader, NULL, read_all, &pause);
    assert_true(log_start(&e));
    for (int i = 0; i < THREADS; i++)
        pthread_create(&writers[i], NULL, write_many, (void *)(uintptr_t)&names[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(writers[i], NULL);
    for (int turns = 0; turns < 1000 && came + said < THREADS * LINES; turns++) {
        usleep(10000);
        count_lines(&came, &said);
    }
    log_stop();
    close_pipe();
    pthread_join(reader, NULL);
    close(reader_fd);
    count_lines(&came, &said);
    assert_int_equal(came + said, THREADS * LINES);
    assert_int_equal(said, log_dropped() - before);
    if (pause)
        assert_true(said > 0);
}

static void every_line_comes_or_is_counted(void **state)
{
    (void)state;
    write_from_threads(0);
    write_from_threads(1000);
}

static void nobody_waits_for_a_reader(void **state)
{
    struct err e = {0};
    uint64_t begun = clock_ns();

    (void)state;
    open_pipe();
    assert_true(log_start(&e));
    for (int i = 0; i < 100 * LINES / 10; i++)
        log_plain(LOG_INFO, "nobody reads this line");
    assert_true(log_dropped() > LINES);
    log_stop();
    /* ten times what is allowed to log_stop: a wait without end is what fails here */
    assert_true(clock_ns() - begun < 20 * UINT64_C(1000000000));
    /* the thread still writes what the ring holds, and ends */
    struct pollfd p = {.fd = reader_fd, .events = POLLIN};
    while (poll(&p, 1, 500) > 0)
        assert_true(read(reader_fd, text, 4096) > 0);
    close_pipe();
    close(reader_fd);
}

static void lines_before_and_after_are_written_at_once(void **state)
{
    char line[200];
    struct err e = {0};

    (void)state;
    open_pipe();
    log_plain(LOG_WARN, "before");
    assert_true(read(reader_fd, line, sizeof line) > 0);
    assert_non_null(strstr(line, "before"));
    assert_true(log_start(&e));
    log_plain(LOG_WARN, "between");
    log_stop();
    log_plain(LOG_WARN, "after");
    close_pipe();
    useconds_t none = 0;
    read_all(&none);
    text[text_len] = '\0';
    assert_non_null(strstr(text, "between"));
    assert_non_null(strstr(strstr(text, "between"), "after"));
    close(reader_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_before_and_after_are_written_at_once),
        cmocka_unit_test(every_line_comes_or_is_counted),
        cmocka_unit_test(nobody_waits_for_a_reader), /* last: the log does not start again */
    };

    text = malloc(TEXT);
    int failed = text ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    free(text);
    return failed;
}
