/* SPDX-License-Identifier: Apache-2.0 */
/* Models across restarts, by the loader's thread, and under readers. */
#include "reload_kit.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <time.h>

/* -- across restarts -- */

static void restart(void)
{
    registry_close(&r);
    open_slot(true);
}

static struct turn recall(void)
{
    struct turn t;

    slot_recall(&r, slot, &t);
    model_release(t.next);
    t.next = NULL;
    return t;
}

static char memo_path[PATH_MAX];

/* The only file of the cache that is not named by its digest. */
static const char *find_memo(void)
{
    DIR *d = opendir(cache.path);

    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d)) != NULL;)
        if (versions_starts(entry->d_name, "slot-"))
            folder_file(&cache, entry->d_name, memo_path);
    closedir(d);
    return memo_path;
}

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

static void serves_from_the_cache(void **state)
{
    (void)state;
    open_slot(true);
    assert_int_equal(recall().result, TURN_SAME); /* there is nothing yet */
    publish("v1");
    publish("v2");
    restart();
    atomic_store(&source.down, INT_MAX);
    unsigned looks = source.looks, fetches = source.fetches;
    assert_int_equal(recall().result, TURN_PUBLISHED);
    assert_true(versions_serves(&r, "v2"));
    assert_true(slot->status.from_cache);
    assert_int_equal(source.looks + source.fetches, looks + fetches);
    assert_int_equal(versions_turn(&r, true).result, TURN_FAILED);
    assert_true(versions_serves(&r, "v2"));
    atomic_store(&source.down, 0);
    assert_int_equal(versions_turn(&r, true).result, TURN_SAME);
    assert_false(slot->status.from_cache);
    publish("v1"); /* its files are in the cache */
    assert_int_equal(source.fetches, fetches);
}

static void the_refused_stay_refused(void **state)
{
    struct err e;

    (void)state;
    open_slot(true);
    publish("v1");
    publish("v2");
    expect_failure("bad_golden", PHASE_GOLDEN, true, "");
    assert_true(slot_rollback(&r, slot, true, &e));
    memo_update(slot); /* as the loader does */
    restart();
    assert_int_equal(recall().result, TURN_PUBLISHED);
    assert_true(versions_serves(&r, "v1"));
    assert_int_equal(take("bad_golden").result, TURN_REFUSED);
    assert_int_equal(take("v2").result, TURN_REFUSED);
    assert_int_equal(slot->status.n_refused, 2);
}

static void another_release_tries_again(void **state)
{
    char text[4096];

    (void)state;
    open_slot(true);
    publish("v1");
    expect_failure("bad_golden", PHASE_GOLDEN, true, "");
    FILE *f = fopen(find_memo(), "re");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    char *scored = strstr(text, "\"scored\":\"");
    assert_non_null(scored);
    scored[strlen("\"scored\":\"")] ^= 1;
    write_file(memo_path, text, n);
    restart();
    assert_int_equal(slot->status.n_refused, 1);
    assert_int_equal(recall().result, TURN_PUBLISHED);
    expect_failure("bad_golden", PHASE_GOLDEN, true, "");
}

/* A version that was refused is not the one to fall back to. */
static void what_was_refused_is_not_recalled(void **state)
{
    (void)state;
    open_slot(true);
    publish("v1");
    refused_add(&slot->status, slot->served.manifest, PHASE_GOLDEN);
    memo_write(slot);
    restart();
    assert_int_equal(recall().result, TURN_SAME);
    assert_null(slot_acquire(slot));
}

/* A pin names one version; another that was served from there is not it. */
static void only_what_is_pinned_is_recalled(void **state)
{
    (void)state;
    open_slot(true);
    publish("v1");
    restart();
    memset(slot->source->pin, '0', sizeof slot->source->pin - 1);
    assert_int_equal(recall().result, TURN_SAME);
    memcpy(slot->source->pin, slot->served.manifest, sizeof slot->source->pin);
    assert_int_equal(recall().result, TURN_PUBLISHED);
}

/* What the cache has lost is not fetched: that is the next turn's. */
static void a_recall_asks_nobody(void **state)
{
    char path[PATH_MAX];

    (void)state;
    open_slot(true);
    publish("v1");
    const struct model *m = atomic_load(&slot->current);
    must(unlink(folder_file(&cache, m->bundle->files[ROLE_GOLDEN].sha256, path)) == 0);
    restart();
    unsigned looks = source.looks, fetches = source.fetches;
    struct turn t = recall();
    assert_int_equal(t.result, TURN_SAME);
    assert_int_equal(t.e.code, ERR_NOT_FOUND);
    assert_int_equal(t.phase, PHASE_FETCH);
    assert_int_equal(source.looks + source.fetches, looks + fetches);
    assert_int_equal(versions_turn(&r, true).result, TURN_PUBLISHED);
}

static void a_recall_that_fails_tells_its_phase(void **state)
{
    char path[PATH_MAX];

    (void)state;
    open_slot(true);
    publish("v1");
    restart();
    r.options.model.memory = 1;
    assert_int_equal(recall().phase, PHASE_MEMORY);
    r.options.model.memory = 0;
    must(unlink(folder_file(&cache, slot->served.manifest, path)) == 0);
    assert_int_equal(recall().phase, PHASE_FETCH);
}

static void an_altered_memo_harms_nobody(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "null",
        "[]",
        "{}",
        "\xff",
        "{\"manifest\":7,\"refused\":7}",
        "{\"manifest\":\"../../etc/passwd\",\"envelope\":\"\",\"refused\":[]}",
        "{\"manifest\":\"0000000000000000000000000000000000000000000000000000000000000000\"}",
        "{\"manifest\":\"\",\"refused\":[{},[],null,{\"sha256\":\"x\"},"
        "{\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"scored\":7,\"phase\":\"golden\"},"
        "{\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"scored\":\"a longer text than a version ever is, and then some of it\","
        "\"phase\":\"golden\"},"
        "{\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\","
        "\"scored\":\"1\",\"phase\":\"none\"}]}",
    };

    (void)state;
    open_slot(true);
    publish("v1");
    find_memo();
    atomic_store(&source.down, INT_MAX);
    for (size_t i = 0; i < countof(texts); i++) {
        write_file(memo_path, texts[i], strlen(texts[i]));
        restart();
        assert_true(slot->status.n_refused <= 1);
        assert_true(recall().result != TURN_PUBLISHED);
        assert_null(slot_acquire(slot));
    }
    atomic_store(&source.down, 0);
    publish("v1");
}

/* The memo names another file of the cache: it is what its digest says, and no manifest. */
static void a_memo_that_names_another_file(void **state)
{
    char memo[256];

    (void)state;
    open_slot(true);
    publish("v1");
    find_memo();
    struct model *m = slot_acquire(slot);
    int n = snprintf(memo, sizeof memo, "{\"manifest\":\"%s\",\"envelope\":\"\",\"refused\":[]}",
                     m->bundle->files[ROLE_GOLDEN].sha256);
    model_release(m);
    write_file(memo_path, memo, (size_t)n);
    restart();
    atomic_store(&source.down, INT_MAX);
    struct turn t = recall();
    assert_int_equal(t.result, TURN_SAME);
    assert_int_not_equal(t.e.code, ERR_NONE);
    assert_null(slot_acquire(slot));
}

/* Every file of the cache altered in turn: what is wrong is noticed and never served. */
static void an_altered_cache_is_noticed(void **state)
{
    char names[16][SHA256_HEX + 1];
    unsigned n = 0;

    (void)state;
    open_slot(true);
    publish("v1");
    DIR *d = opendir(cache.path);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d)) != NULL && n < countof(names);)
        if (strlen(entry->d_name) == SHA256_HEX)
            memcpy(names[n++], entry->d_name, sizeof names[0]);
    closedir(d);
    assert_int_equal(n, 4); /* manifest, blocks, golden, profile */
    for (unsigned i = 0; i < n; i++) {
        char path[PATH_MAX];
        write_file(folder_file(&cache, names[i], path), "{}", 2);
        restart();
        source.missing = "";
        atomic_store(&source.down, INT_MAX);
        assert_true(recall().result != TURN_PUBLISHED);
        assert_null(slot_acquire(slot));
        assert_int_not_equal(access(path, F_OK), 0); /* gone */
        source.missing = NULL;
        atomic_store(&source.down, 0);
        publish("v1"); /* fetched again, and kept */
        assert_int_equal(access(path, F_OK), 0);
    }
}

/* -- the loader -- */

static void sleep_ms(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Until the loader has made its n-th attempt. */
static struct reload_status attempts(uint64_t n)
{
    struct reload_status s = {0};

    for (unsigned i = 0; i < 6000 && s.attempts < n; i++) {
        slot_status(slot, &s);
        if (s.attempts < n)
            sleep_ms(10);
    }
    assert_true(s.attempts >= n);
    return s;
}

static void start_loader(void)
{
    struct err e = {0};

    if (!registry_start(&r, &e))
        fail_msg("%s", e.msg);
}

static void a_failed_look_is_repeated(void **state)
{
    (void)state;
    options.poll_ms = 40;
    atomic_store(&source.down, 3);
    open_slot(false);
    uint64_t start = clock_ns();
    start_loader();
    struct reload_status s = attempts(1);
    assert_true(s.attempts > 1 || s.state == RELOAD_WAITING);
    s = attempts(4);
    assert_int_equal(s.failed[PHASE_POLL], 3);
    assert_int_equal(s.published, 1);
    /* halves of 40, 80 and 160 ms at least */
    assert_true(clock_ns() - start >= UINT64_C(140) * 1000000);
    assert_true(versions_serves(&r, "v1"));
    attempts(6); /* and goes on at the interval */
    registry_stop(&r);
}

static void a_pin_is_looked_at_once(void **state)
{
    (void)state;
    options.poll_ms = 5;
    open_slot(false);
    publish("v1");
    struct model *m = slot_acquire(slot);
    memcpy(slot->source->pin, m->bundle->sha256, sizeof slot->source->pin);
    model_release(m);
    unsigned looks = source.looks;
    start_loader();
    attempts(1); /* due from the beginning */
    assert_int_equal(slot->due_ns, UINT64_MAX);
    sleep_ms(100);
    struct reload_status s = attempts(1);
    assert_int_equal(s.attempts, 1);
    assert_int_equal(s.next_ms, 0);
    attempts(registry_reload(&r, slot, false)); /* but where somebody asks */
    registry_stop(&r);
    assert_int_equal(source.looks, looks + 2);
}

static void the_loader_does_as_it_is_asked(void **state)
{
    struct err e = {0};

    (void)state;
    options.poll_ms = 3600 * 1000;
    open_slot(true);
    start_loader();
    attempts(1);
    atomic_store(&source.published, "bad_golden");
    struct reload_status s = attempts(registry_reload(&r, slot, false));
    assert_int_equal(s.n_refused, 1);
    s = attempts(registry_reload(&r, NULL, false));
    assert_int_equal(s.failed[PHASE_GOLDEN], 1);
    s = attempts(registry_reload(&r, slot, true));
    assert_int_equal(s.failed[PHASE_GOLDEN], 2);
    atomic_store(&source.published, "v2");
    attempts(registry_reload(&r, slot, false));
    assert_true(versions_serves(&r, "v2"));
    assert_true(slot_rollback(&r, slot, true, &e));
    attempts(registry_reload(&r, slot, false));
    assert_true(versions_serves(&r, "v1"));
    attempts(registry_reload(&r, slot, true));
    assert_true(versions_serves(&r, "v2"));
    registry_stop(&r);
    restart(); /* what it served last is what comes back */
    assert_int_equal(recall().result, TURN_PUBLISHED);
    assert_true(versions_serves(&r, "v2"));
}

/* Without the source from the beginning, but with what an earlier process kept. */
static void the_loader_recalls(void **state)
{
    (void)state;
    options.poll_ms = 50;
    open_slot(true);
    publish("v1");
    restart();
    atomic_store(&source.down, INT_MAX);
    start_loader();
    struct reload_status s = attempts(1);
    assert_true(s.from_cache && s.has_error);
    assert_true(versions_serves(&r, "v1"));
    atomic_store(&source.down, 0);
    atomic_store(&source.published, "v2");
    for (unsigned i = 0; i < 6000 && !versions_serves(&r, "v2"); i++)
        sleep_ms(10);
    assert_true(versions_serves(&r, "v2"));
    registry_stop(&r);
}

/* -- under load -- */

/* As many changes as time allows: under TSan each waits behind six readers on two processors. */
enum { READERS = 6, CHANGES = 200, CHANGES_AT_LEAST = 10, CHANGES_MS = 10000 };

static atomic_bool reading;
static atomic_ulong answers, wrong;

struct reader {
    pthread_t thread;
    unsigned number;
};

static void *read_slot(void *argument)
{
    const struct reader *reader = argument;

    for (unsigned i = 0; atomic_load(&reading); i++) {
        struct model *m = i % 4 == 3   ? slot_acquire_kept(slot, 0)
                          : i % 4 == 2 ? slot_acquire_version(slot, "v2", 2)
                                       : slot_acquire(slot);
        if (!m && i % 4 < 2)
            wrong++;
        if (m) {
            answers++;
            wrong += !versions_scores(m, reader->number);
        }
        model_release(m);
        if (i % 16 == 0)
            sched_yield();
    }
    return NULL;
}

static void *roll_back_and_forth(void *argument)
{
    struct err e;

    (void)argument;
    while (atomic_load(&reading)) {
        slot_rollback(&r, slot, true, &e);
        sleep_ms(3);
    }
    return NULL;
}

static void readers_see_whole_versions(void **state)
{
    static const char *const versions[] = {"v1", "v2", "v3", "bad_golden"};
    struct reader readers[READERS];
    pthread_t roller;
    unsigned published = 0;

    (void)state;
    options.model.workers = READERS;
    options.keep = 2;
    open_slot(false);
    publish("v1");
    publish("v2");
    atomic_store(&reading, true);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i].number = i;
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_slot, &readers[i]), 0);
    }
    assert_int_equal(pthread_create(&roller, NULL, roll_back_and_forth, NULL), 0);
    uint64_t end = clock_ns() + CHANGES_MS * UINT64_C(1000000);
    for (unsigned i = 0; published < CHANGES; i++) {
        if (published >= CHANGES_AT_LEAST && clock_ns() >= end)
            break;
        assert_true(i < 20 * CHANGES);
        pthread_mutex_lock(&slot->lock);
        slot->status.n_refused = 0;
        pthread_mutex_unlock(&slot->lock);
        published += take(versions[i % countof(versions)]).result == TURN_PUBLISHED;
    }
    atomic_store(&reading, false);
    pthread_join(roller, NULL);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    assert_true(answers > CHANGES);
    assert_true(published >= CHANGES_AT_LEAST);
    assert_int_equal(wrong, 0);
    print_message("%u versions published, %lu answers\n", published, atomic_load(&answers));
}

/* Nothing but pointers and counts, so that readers are often stopped between the two. */
static void *hold_and_let_go(void *argument)
{
    (void)argument;
    while (atomic_load(&reading)) {
        struct model *m = slot_acquire(slot);
        wrong += m->load_ns != 7;
        model_release(m);
    }
    return NULL;
}

static struct model *empty_model(void)
{
    struct model *m = calloc(1, sizeof *m);

    must(m != NULL);
    atomic_init(&m->refs, 1);
    m->load_ns = 7;
    return m;
}

static void *take_the_second(void *unused)
{
    take("v2");
    return unused;
}

static bool is_current(const char *version)
{
    struct model *m = slot_acquire(slot);
    bool is = m && strcmp(m->bundle->version, version) == 0;

    model_release(m);
    return is;
}

/* A request that was put to sleep while it takes a model holds back the old one's end, and nobody
 * who wants the lock. */
static void the_lock_is_free_while_takers_are_waited_for(void **state)
{
    pthread_t publisher;
    bool free = false;

    (void)state;
    open_slot(false);
    publish("v1");
    atomic_fetch_add(&slot->taking, 1);
    assert_int_equal(pthread_create(&publisher, NULL, take_the_second, NULL), 0);
    for (unsigned i = 0; i < 2000 && !is_current("v2"); i++)
        sleep_ms(5);
    assert_true(is_current("v2"));
    for (unsigned i = 0; i < 400 && !free; i++) {
        sleep_ms(5);
        free = pthread_mutex_trylock(&slot->lock) == 0;
    }
    if (free)
        pthread_mutex_unlock(&slot->lock);
    atomic_fetch_sub(&slot->taking, 1);
    pthread_join(publisher, NULL);
    assert_true(free);
}

static atomic_int trim_policy;
int __wrap_malloc_trim(size_t pad);
int __wrap_malloc_trim(size_t pad)
{
    (void)pad;
    trim_policy = sched_getscheduler(0);
    return 0;
}

/* The first version comes as fast as it can; from then on a load gives way. Looks, publishing and
 * trimming do not: others wait for what they hold. */
static void only_what_is_long_gives_way(void **state)
{
    (void)state;
    options.poll_ms = 3600 * 1000;
    options.keep = 0;
    open_slot(false);
    trim_policy = -1;
    start_loader();
    attempts(1);
    assert_int_equal(source.fetch_policy, SCHED_OTHER);
    atomic_store(&source.published, "v2");
    attempts(registry_reload(&r, slot, false));
    assert_true(is_current("v2"));
    assert_int_equal(source.fetch_policy, SCHED_IDLE);
    assert_int_equal(source.look_policy, SCHED_OTHER);
    for (unsigned i = 0; i < 1000 && trim_policy < 0; i++)
        sleep_ms(5);
    registry_stop(&r);
    assert_int_equal(trim_policy, SCHED_OTHER);
}

static void no_model_is_freed_under_a_reader(void **state)
{
    pthread_t readers[READERS];
    uint64_t end;

    (void)state;
    open_slot(false);
    atomic_store(&wrong, 0);
    atomic_store(&slot->current, empty_model());
    atomic_store(&reading, true);
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, hold_and_let_go, NULL), 0);
    end = clock_ns() + UINT64_C(1500) * 1000000;
    while (clock_ns() < end) {
        pthread_mutex_lock(&slot->lock);
        struct model *out = slot_publish(slot, empty_model(), 0);
        pthread_mutex_unlock(&slot->lock);
        slot_settle(slot);
        model_release(out);
    }
    atomic_store(&reading, false);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(serves_from_the_cache),
        TEST(the_refused_stay_refused),
        TEST(another_release_tries_again),
        TEST(what_was_refused_is_not_recalled),
        TEST(only_what_is_pinned_is_recalled),
        TEST(a_recall_asks_nobody),
        TEST(a_recall_that_fails_tells_its_phase),
        TEST(an_altered_memo_harms_nobody),
        TEST(a_memo_that_names_another_file),
        TEST(an_altered_cache_is_noticed),
        TEST(a_failed_look_is_repeated),
        TEST(a_pin_is_looked_at_once),
        TEST(the_loader_does_as_it_is_asked),
        TEST(the_loader_recalls),
        TEST(readers_see_whole_versions),
        TEST(no_model_is_freed_under_a_reader),
        TEST(the_lock_is_free_while_takers_are_waited_for),
        TEST(only_what_is_long_gives_way),
    };

    log_set(LOG_ERROR, LOG_LOGFMT);
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
