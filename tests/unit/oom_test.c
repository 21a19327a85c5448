/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of a start, a load, a reload made to fail: once, and from there on. Nothing
 * crashes, nothing leaks, the old model serves, the error says what it is, and nothing is refused
 * for it. SCORED_FULL=1 takes every one where by default some hundred are sampled evenly.
 */
#include "cmocka_all.h"
#include "oom.h"

#include "object_server.h"
#include "versions.h"

#include "scored/clock.h"

/* What a failed allocation leads to. */
enum sequel {
    FAILS,  /* always */
    PASSES, /* or what it was for could be done without */
    LATER,  /* or it fails of what then lacks: a miss of the cache sends it to a source out of reach
             */
};

/* What is tried: `prepare` and `finish` run untouched. */
struct operation {
    const char *name;
    void (*prepare)(void);
    bool (*run)(struct err *e);
    /* After the failures: what must hold. `ok` and `e` are what `run` said. */
    void (*check)(bool ok, const struct err *e);
    void (*finish)(void);
    unsigned samples; /* at most, but for SCORED_FULL */
    enum sequel sequel;
};

static struct folder bundle, cache;
static struct registry registry;
static struct versions source;
static struct registry_options options;
static struct model *loaded;
static struct turn turn;

static unsigned long asked;  /* allocations of the last try */
static unsigned long others; /* errors of another kind than memory, of an operation */

static void check_message(const struct operation *o, unsigned long n, const struct err *e)
{
    if (e->code != ERR_NO_MEMORY || !strstr(e->msg, "out of memory"))
        fail_msg("%s: allocation %lu failed: %s: %s", o->name, n, err_code_text(e->code), e->msg);
}

/* One try. False: the operation has no such allocation. */
static bool attempt(const struct operation *o, unsigned long at, bool sticky)
{
    struct err e = {0};

    if (o->prepare)
        o->prepare();
    oom_arm(at, sticky);
    bool ok = o->run(&e);
    unsigned long failed = oom_disarm();

    asked = oom.asked;
    if (!failed && !ok)
        fail_msg("%s: fails untouched: %s", o->name, e.msg);
    if (failed && ok && o->sequel == FAILS)
        fail_msg("%s: allocation %lu failed, and nobody saw it", o->name, at);
    if (!ok && o->sequel != LATER)
        check_message(o, at, &e);
    others += !ok && e.code != ERR_NO_MEMORY;
    if (o->check)
        o->check(ok, &e);
    if (o->finish)
        o->finish();
    return failed > 0;
}

static void exhaust(const struct operation *o)
{
    unsigned long sites[2] = {0}, all = 0;
    bool full = getenv("SCORED_FULL") != NULL;
    uint64_t start = clock_ns();

    for (unsigned i = 0; i < 2; i++)
        attempt(o, ULONG_MAX, false); /* what is made once is made by the first */
    all = asked;
    long held = oom_held();
    others = 0;
    unsigned long step = full || all <= o->samples ? 1 : all / o->samples;
    for (unsigned sticky = 0; sticky < 2; sticky++)
        for (unsigned long n = 1; attempt(o, n, sticky); n += step) {
            sites[sticky]++;
            if (oom_held() != held)
                fail_msg("%s: allocation %lu failed%s: %ld pieces leaked", o->name, n,
                         sticky ? " with all later ones" : "", oom_held() - held);
        }
    /* where threads share the work, one run asks for more than another */
    unsigned long least = (o->sequel == LATER ? all / 2 : all - 1) / step;
    assert_true(all > 0 && sites[0] >= least && sites[1] >= least);
    print_message("%-28s %6lu allocations, failed once: %lu, for good: %lu (%.1f s), %lu seen as "
                  "another error\n",
                  o->name, all, sites[0], sites[1], (double)(clock_ns() - start) / 1e9, others);
}

/* -- start and load -- */

static const char *folder_uri;

static bool start(struct err *e)
{
    if (!registry_open(&registry, &folder_uri, 1, &versions_options, e))
        return false;
    registry_close(&registry);
    return true;
}

static bool load(struct err *e)
{
    struct source *s = source_open(folder_uri, NULL, e);

    loaded = s ? model_load(s, &versions_options.model, e) : NULL;
    source_free(s);
    bool ok = loaded != NULL;
    model_release(loaded);
    return ok;
}

static void starts_and_loads(void **state)
{
    static const char *const small[] = {"array_string", "double", "forest", "string", "vector"};

    (void)state;
    for (size_t i = 0; i < countof(small); i++) {
        char uri[PATH_MAX], name[64];
        snprintf(uri, sizeof uri, TEST_DIR "/bundles/good/%s", small[i]);
        folder_uri = uri;
        snprintf(name, sizeof name, "start %s", small[i]);
        exhaust(&(struct operation){.name = name, .run = start, .sequel = PASSES, .samples = 1000});
        snprintf(name, sizeof name, "load %s", small[i]);
        exhaust(&(struct operation){.name = name, .run = load, .sequel = PASSES, .samples = 1000});
    }
    folder_uri = TEST_DIR "/../models/days_to_sell/bundle";
    exhaust(&(struct operation){
        .name = "start days_to_sell", .run = start, .sequel = PASSES, .samples = 60});
    exhaust(&(struct operation){
        .name = "load days_to_sell", .run = load, .sequel = PASSES, .samples = 60});
}

/* -- reload -- */

static void prepare_local(void)
{
    const char *uri = bundle.path;
    struct err e = {0};

    folder_publish(&bundle, "v1");
    must(registry_open(&registry, &uri, 1, &options, &e));
    folder_publish(&bundle, "v2");
}

static void prepare_remote(void)
{
    folder_empty(&cache);
    atomic_store(&source.published, "v1");
    versions_open(&registry, &source, cache.path, &options);
    must(versions_turn(&registry, true).result == TURN_PUBLISHED);
    atomic_store(&source.published, "v2");
}

static bool reload(struct err *e)
{
    slot_turn(&registry, registry.slots, false, &turn);
    *e = turn.e;
    return turn.result == TURN_PUBLISHED;
}

static void check_reload(bool ok, const struct err *e)
{
    struct reload_status *status = calloc(1, sizeof *status);

    assert_non_null(status);
    slot_status(registry.slots, status);
    assert_true(ok ? turn.result == TURN_PUBLISHED : turn.result == TURN_FAILED && !turn.refused);
    assert_int_equal(status->n_refused, 0);
    assert_int_equal(status->has_error, !ok);
    if (!ok) {
        assert_int_equal(status->failed[turn.phase], 1);
        assert_int_equal(status->error_phase, turn.phase);
        assert_false(status->error_refused);
        assert_non_null(strstr(status->error, "out of memory"));
        assert_non_null(strstr(e->msg, status->error));
    }
    free(status);
    model_release(turn.next);
    model_release(turn.out);
    assert_true(versions_serves(&registry, ok ? "v2" : "v1"));
    assert_int_equal(versions_turn(&registry, false).result, ok ? TURN_SAME : TURN_PUBLISHED);
    assert_true(versions_serves(&registry, "v2"));
}

static void close_registry(void)
{
    registry_close(&registry);
}

static void reloads(void **state)
{
    (void)state;
    options = versions_options;
    exhaust(&(struct operation){"reload", prepare_local, reload, check_reload, close_registry, 1000,
                                PASSES});
    exhaust(&(struct operation){"reload with a cache", prepare_remote, reload, check_reload,
                                close_registry, 1000, PASSES});
}

/* -- start out of reach of the source -- */

static void prepare_recall(void)
{
    prepare_remote();
    must(versions_turn(&registry, true).result == TURN_PUBLISHED);
    registry_close(&registry);
    atomic_store(&source.down, INT_MAX);
    versions_open(&registry, &source, cache.path, &options);
}

static bool recall(struct err *e)
{
    slot_recall(&registry, registry.slots, &turn);
    model_release(turn.next);
    *e = turn.e;
    return turn.result == TURN_PUBLISHED;
}

static void check_recall(bool ok, const struct err *e)
{
    (void)e;
    assert_int_equal(registry.slots->status.n_refused, 0);
    if (!ok)
        assert_true(recall(&(struct err){0}));
    assert_true(versions_serves(&registry, "v2"));
    atomic_store(&source.down, 0);
}

static void recalls(void **state)
{
    (void)state;
    options = versions_options;
    exhaust(&(struct operation){"recall from the cache", prepare_recall, recall, check_recall,
                                close_registry, 120, LATER});
}

/* -- rollback, memo, cache -- */

static void prepare_rollback(void)
{
    prepare_remote();
    must(versions_turn(&registry, false).result == TURN_PUBLISHED);
}

/* With what the loader does about it. */
static bool roll_back(struct err *e)
{
    bool ok = slot_rollback(&registry, registry.slots, true, e);

    memo_update(registry.slots);
    slot_turn(&registry, registry.slots, true, &turn);
    return ok;
}

static void check_rollback(bool ok, const struct err *e)
{
    (void)e;
    assert_true(ok);
    assert_int_equal(registry.slots->status.n_refused, 1);
    assert_true(versions_serves(&registry, "v1"));
    assert_int_equal(versions_turn(&registry, true).result, TURN_REFUSED);
}

/* The memo is read as it was or not at all. */
static bool read_memo(struct err *e)
{
    struct slot *s = registry.slots;

    (void)e;
    s->served = (struct served){0};
    s->status.n_refused = 0;
    memo_read(s);
    return true;
}

static void check_memo(bool ok, const struct err *e)
{
    const struct slot *s = registry.slots;

    (void)ok;
    (void)e;
    bool read = s->served.manifest[0] != '\0';
    assert_int_equal(s->status.n_refused, read);
}

static void prepare_memo(void)
{
    prepare_rollback();
    must(slot_rollback(&registry, registry.slots, true, &(struct err){0}));
    memo_update(registry.slots);
}

static bool use_cache(struct err *e)
{
    static const char text[] = "kept";
    struct cache *c = cache_new(cache.path, 1 << 20, e);
    char digest[SHA256_HEX + 1];
    struct source_file f = {0};

    bool ok = c && sha256_hex(text, sizeof text, digest, e) &&
              cache_put(c, digest, (const unsigned char *)text, sizeof text, e);
    if (ok && !cache_get(c, digest, 1024, &f))
        ok = err_memory(e); /* a miss */
    if (ok)
        assert_memory_equal(f.bytes, text, sizeof text);
    free(f.bytes);
    cache_free(c);
    return ok;
}

static void rollback_memo_and_cache(void **state)
{
    (void)state;
    options = versions_options;
    exhaust(&(struct operation){"rollback", prepare_rollback, roll_back, check_rollback,
                                close_registry, 1000, PASSES});
    exhaust(&(struct operation){"memo", prepare_memo, read_memo, check_memo, close_registry, 1000,
                                PASSES});
    exhaust(
        &(struct operation){.name = "cache", .run = use_cache, .samples = 1000, .sequel = PASSES});
}

/* -- trust -- */

#define PEM(label, text) "-----BEGIN " label "-----\n" text "\n-----END " label "-----\n"
static const char private_key[] =
    PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g");
static const char public_key[] =
    PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");

static char public_file[PATH_MAX];
static struct trust *trust;

/* Writes "bundle-<sha16>.dsse" beside the version's files. */
static void sign_version(const char *version, const char *key)
{
    char path[PATH_MAX], name[32];
    struct source_file f;
    struct buf envelope = {0};
    struct err e = {0};

    snprintf(path, sizeof path, VERSIONS_DIR "/%s.json", version);
    must(file_read(path, 1 << 20, &f, &e));
    must(signature_make(key, (const char *)f.bytes, f.n, &envelope, &e));
    snprintf(name, sizeof name, "bundle-%.16s.dsse", f.sha256);
    must(file_put(bundle.path, name, envelope.data, envelope.len, 0600, &e));
    buf_done(&envelope);
    free(f.bytes);
}

static bool read_keys(struct err *e)
{
    const char *files[] = {public_file, public_file};
    struct trust *t = trust_new(files, countof(files), e);
    bool ok = t != NULL;

    trust_free(t);
    return ok;
}

static bool sign(struct err *e)
{
    char key[PATH_MAX];
    struct buf envelope = {0};
    bool ok = signature_make(folder_file(&bundle, "key.pem", key), "text", 4, &envelope, e);

    buf_done(&envelope);
    return ok;
}

static void signatures(void **state)
{
    char path[PATH_MAX];
    const char *file = public_file;
    struct err e = {0};

    (void)state;
    must(file_put(bundle.path, "key.pem", private_key, sizeof private_key - 1, 0600, &e));
    must(file_put(bundle.path, "key.pub", public_key, sizeof public_key - 1, 0600, &e));
    sign_version("v1", folder_file(&bundle, "key.pem", path));
    sign_version("v2", path);
    folder_file(&bundle, "key.pub", public_file);
    trust = trust_new(&file, 1, &e);
    assert_non_null(trust);
    options = versions_options;
    options.model.trust = trust;
    exhaust(
        &(struct operation){.name = "keys", .run = read_keys, .samples = 300, .sequel = PASSES});
    exhaust(&(struct operation){.name = "sign", .run = sign, .samples = 300, .sequel = PASSES});
    exhaust(&(struct operation){"reload with a signature", prepare_local, reload, check_reload,
                                close_registry, 1000, PASSES});
    trust_free(trust);
}

/* -- from S3 -- */

static struct object_server objects;
static struct source *bucket;
static const char *bucket_uri = "s3://models/cars/";

static void exempt(void)
{
    oom_exempt = true;
}

static void set_environment(void)
{
    char endpoint[64];

    snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%u", objects.port);
    const char *const variables[][2] = {
        {"AWS_ENDPOINT_URL_S3", endpoint},
        {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
        {"AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
        {"AWS_REGION", "eu-central-1"},
        {"AWS_CONFIG_FILE", "/dev/null"},
        {"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"},
        {"AWS_MAX_ATTEMPTS", "1"},
        {"no_proxy", "*"},
    };
    for (size_t i = 0; i < countof(variables); i++)
        must(setenv(variables[i][0], variables[i][1], 1) == 0);
}

static bool open_bucket(struct err *e)
{
    if (!registry_open(&registry, &bucket_uri, 1, &versions_options, e))
        return false;
    registry_close(&registry);
    return true;
}

static void prepare_bucket(void)
{
    struct err e = {0};

    atomic_store(&objects.published, "v1");
    must(registry_open(&registry, &bucket_uri, 1, &options, &e));
    must(versions_turn(&registry, true).result == TURN_PUBLISHED);
    atomic_store(&objects.published, "v2");
}

static void check_bucket_reload(bool ok, const struct err *e)
{
    (void)e;
    assert_int_equal(registry.slots->status.n_refused, 0);
    assert_true(ok || (turn.result == TURN_FAILED && !turn.refused));
    model_release(turn.next);
    model_release(turn.out);
    assert_true(versions_serves(&registry, ok ? "v2" : "v1"));
    struct turn next = versions_turn(&registry, false);
    if (next.result != (ok ? TURN_SAME : TURN_PUBLISHED))
        fail_msg("and the next turn: %s", next.e.msg);
    assert_true(versions_serves(&registry, "v2"));
}

static void prepare_parts(void)
{
    bucket = source_open(bucket_uri, NULL, &(struct err){0});
    must(bucket != NULL);
}

/* An object that comes in parts, by several threads. */
static bool fetch_parts(struct err *e)
{
    const struct source_request r = {.name = "large", .max = OBJECT_BYTES};
    struct source_file f;
    bool ok = source_fetch(bucket, &r, &f, e);

    if (ok)
        assert_memory_equal(f.bytes, objects.large, OBJECT_BYTES);
    free(ok ? f.bytes : NULL);
    return ok;
}

static void close_bucket(void)
{
    source_free(bucket);
}

static void from_s3(void **state)
{
    (void)state;
    object_server_start(&objects, exempt);
    set_environment();
    options = versions_options;
    exhaust(&(struct operation){
        .name = "open s3://", .run = open_bucket, .sequel = LATER, .samples = 400});
    exhaust(&(struct operation){"reload from s3://", prepare_bucket, reload, check_bucket_reload,
                                close_registry, 150, LATER});
    exhaust(&(struct operation){"fetch from s3:// in parts", prepare_parts, fetch_parts, NULL,
                                close_bucket, 60, LATER});
}

static int open_folders(void **state)
{
    (void)state;
    folder_new(&bundle);
    folder_new(&cache);
    folder_copy_all(&bundle, VERSIONS_DIR);
    return 0;
}

static int remove_folders(void **state)
{
    (void)state;
    folder_remove(&bundle);
    folder_remove(&cache);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_and_loads), cmocka_unit_test(reloads),
        cmocka_unit_test(recalls),          cmocka_unit_test(rollback_memo_and_cache),
        cmocka_unit_test(signatures),       cmocka_unit_test(from_s3),
    };

    if (!oom_init())
        return 2;
    return cmocka_run_group_tests_name("oom", tests, open_folders, remove_folders);
}
