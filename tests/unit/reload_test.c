/* SPDX-License-Identifier: Apache-2.0 */
/* What a turn of a slot leads to: published, refused, tried again; and the previous versions. */
#include "reload_kit.h"

/* -- a turn -- */

static void publishes_what_is_new(void **state)
{
    (void)state;
    open_slot(false);
    assert_string_equal(slot_name(slot), "");
    assert_null(slot_acquire(slot));
    assert_false(registry_ready(&r));
    publish("v1");
    assert_string_equal(slot_name(slot), "cars");
    assert_true(registry_ready(&r) && source.whole);
    unsigned fetches = source.fetches;
    assert_int_equal(versions_turn(&r, false).result, TURN_SAME);
    assert_false(source.whole); /* asked for by its tag */
    assert_int_equal(versions_turn(&r, true).result, TURN_SAME);
    assert_true(source.whole);
    source.no_tags = true;
    assert_int_equal(versions_turn(&r, false).result, TURN_SAME);
    assert_int_equal(source.fetches, fetches);
    publish("v2");
    assert_int_equal(slot->status.published, 2);
    assert_false(slot->status.has_error);
    assert_string_equal(slot_name(slot), "cars");
}

static void refuses_once(void **state)
{
    (void)state;
    open_slot(false);
    publish("v1");
    expect_failure("bad_golden", PHASE_GOLDEN, true, "line 2: column 'prediction'");
    unsigned fetches = source.fetches;
    assert_int_equal(versions_turn(&r, false).result, TURN_SAME); /* not even looked at */
    struct turn t = versions_turn(&r, true);
    assert_int_equal(t.result, TURN_REFUSED);
    assert_non_null(strstr(t.e.msg, "refused before (golden)"));
    assert_int_equal(source.fetches, fetches);
    assert_int_equal(slot->status.failed[PHASE_GOLDEN], 1);
    expect_failure("bad_op", PHASE_COMPILE, true, "unknown op 'teleporter'");
    assert_int_equal(slot->status.n_refused, 2);
    assert_true(versions_serves(&r, "v1"));
    slot->status.n_refused = 0; /* as the loader does where it is forced */
    expect_failure("bad_golden", PHASE_GOLDEN, true, "prediction");
    publish("v2");
    assert_false(slot->status.has_error);
}

static void the_list_of_the_refused_is_bounded(void **state)
{
    char digest[SHA256_HEX + 1];
    struct refusal found;

    (void)state;
    open_slot(false);
    for (unsigned i = 0; i < 2 * SLOT_REFUSED; i++) {
        snprintf(digest, sizeof digest, "%064u", i);
        refused_add(&slot->status, digest, PHASE_GOLDEN);
        refused_add(&slot->status, digest, PHASE_COMPILE); /* again: in its place */
    }
    assert_int_equal(slot->status.n_refused, SLOT_REFUSED);
    assert_true(refused_find(&slot->status, digest, &options, &found));
    assert_int_equal(found.phase, PHASE_COMPILE);
    snprintf(digest, sizeof digest, "%064u", SLOT_REFUSED - 1);
    assert_false(refused_find(&slot->status, digest, &options, &found));
}

static void tries_again_what_may_pass(void **state)
{
    (void)state;
    open_slot(false);
    publish("v1");
    atomic_store(&source.down, 1);
    expect_failure("v2", PHASE_POLL, false, "no answer");
    source.missing = "blocks";
    expect_failure("v2", PHASE_FETCH, false, "does not exist");
    source.missing = "profile";
    expect_failure("v2", PHASE_FETCH, false, "does not exist");
    source.missing = NULL;
    source.spoilt = "golden";
    expect_failure("v2", PHASE_FETCH, false, "as it should be");
    source.spoilt = "blocks";
    expect_failure("v2", PHASE_FETCH, false, "as it should be");
    source.spoilt = NULL;
    expect_failure("no_such", PHASE_POLL, false, "does not exist");
    assert_int_equal(slot->status.n_refused, 0);
    assert_true(versions_serves(&r, "v1"));
    publish("v2");
}

static void a_manifest_that_is_none(void **state)
{
    (void)state;
    open_slot(false);
    publish("v1");
    expect_failure("profile-6f5d4a94ee2d8ed0", PHASE_MANIFEST, true, "bundle.json: manifest");
    assert_true(versions_serves(&r, "v1"));
}

/* -- rules -- */

static void a_label_stands_for_one_digest(void **state)
{
    (void)state;
    open_slot(false);
    publish("v1");
    expect_failure("label_reused", PHASE_LABEL, true, "'v1' is loaded with another digest");
    publish("v2");
    slot->status.n_refused = 0;
    expect_failure("label_reused", PHASE_LABEL, true, "'v1' is loaded with another digest");
    publish("v3"); /* v1 is not kept any longer */
    slot->status.n_refused = 0;
    assert_int_equal(take("label_reused").result, TURN_PUBLISHED);
}

static void no_older(void **state)
{
    (void)state;
    options.no_older = true;
    open_slot(false);
    publish("v2");
    expect_failure("v1", PHASE_AGE, true, "--no-older");
    publish("v3");
    assert_int_equal(take("v1").result, TURN_REFUSED);
    r.options.no_older = false; /* what it was refused for is not asked for any longer */
    assert_int_equal(versions_turn(&r, true).result, TURN_PUBLISHED);
    assert_true(versions_serves(&r, "v1"));
}

static const struct {
    const char *now, *next, *refused; /* NULL: let through */
} schema_cases[] = {
    {"v1", "v2", NULL},
    {"input_dropped", "v1", "input 'spare' is new"},
    {"v1", "input_dropped", NULL},
    {"v1", "input_retyped", "input 'year' has another type"},
    {"input_retyped", "v1", "input 'year' has another type"},
    {"v1", "input_not_nullable", "input 'km' may no longer be null"},
    {"v1", "input_nullable", NULL},
    {"input_nullable", "v1", "input 'year' may no longer be null"},
    {"v1", "output_dropped", "output 'features' is no longer answered"},
    {"output_dropped", "v1", NULL},
    {"v1", "output_resized", "output 'features' has another type"},
    {"v1", "name_changed", "the bundle's name is 'vans', 'cars' is served"},
};

static void schema_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(schema_cases); i++) {
        open_slot(false);
        publish(schema_cases[i].now);
        if (schema_cases[i].refused) {
            expect_failure(schema_cases[i].next, PHASE_SCHEMA, true, schema_cases[i].refused);
            assert_non_null(strstr(slot->status.error, "--allow-schema-change"));
            assert_true(versions_serves(&r, schema_cases[i].now));
            r.options.allow_schema_change = true;
            slot->tag[0] = '\0';
        }
        publish(schema_cases[i].next);
        assert_string_equal(slot_name(slot), "cars"); /* whatever the bundle is called */
        registry_close(&r);
    }
    open_slot(false);
}

static void memory_is_asked_for(void **state)
{
    (void)state;
    open_slot(false);
    publish("v1");
    r.options.model.memory = 1 << 20;
    expect_failure("v2", PHASE_MEMORY, false, "MiB are left");
    assert_int_equal(slot->status.n_refused, 0);
    assert_true(versions_serves(&r, "v1"));
    r.options.model.memory = UINT64_C(1) << 50;
    publish("v2");
}

/* -- previous versions -- */

static void rollback(void **state)
{
    struct err e = {0};

    (void)state;
    open_slot(false);
    assert_false(slot_rollback(&r, slot, false, &e));
    publish("v1");
    assert_false(slot_rollback(&r, slot, false, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_int_equal(slot->status.n_refused, 0);
    publish("v2");
    assert_true(slot_rollback(&r, slot, false, &e));
    assert_true(versions_serves(&r, "v1"));
    assert_int_equal(versions_turn(&r, false).result, TURN_SAME);
    assert_int_equal(versions_turn(&r, true).result, TURN_REFUSED);
    assert_true(versions_serves(&r, "v1"));
    assert_false(slot_rollback(&r, slot, false, &e)); /* not to what was just left */
    assert_non_null(strstr(e.msg, "force"));
    assert_true(slot_rollback(&r, slot, true, &e)); /* and back */
    assert_true(versions_serves(&r, "v2"));
    assert_int_equal(slot->status.n_refused, 1);
    assert_int_equal(versions_turn(&r, true).result, TURN_SAME);
    assert_int_equal(take("v1").result, TURN_REFUSED);
    publish("v3"); /* anything not on the list */
}

static unsigned count_kept(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < SLOT_KEPT; i++) {
        struct model *m = slot_acquire_kept(slot, i);
        assert_true(!m || versions_scores(m, 0));
        n += m != NULL;
        model_release(m);
    }
    return n;
}

static bool has_version(const char *version)
{
    struct model *m = slot_acquire_version(slot, version, strlen(version));
    bool ok = m && strcmp(m->bundle->version, version) == 0 && versions_scores(m, 0);

    assert_true(!m || ok);
    model_release(m);
    return ok;
}

static void keeps_as_many_as_it_should(void **state)
{
    static const char *const in_order[] = {"v1", "v2", "v3", "input_dropped", "input_nullable"};
    static const unsigned keeps[] = {0, 1, 3};

    (void)state;
    options.allow_schema_change = true;
    for (size_t k = 0; k < countof(keeps); k++) {
        options.keep = keeps[k];
        open_slot(false);
        for (unsigned i = 0; i < countof(in_order); i++) {
            publish(in_order[i]);
            assert_int_equal(count_kept(), i < keeps[k] ? i : keeps[k]);
            for (unsigned j = 0; j < countof(in_order); j++)
                assert_int_equal(has_version(in_order[j]), j <= i && j + keeps[k] >= i);
        }
        assert_false(has_version("input_nullabl") || has_version("") || has_version("v9"));
        registry_close(&r);
    }
    open_slot(false);
}

/* A model that a request holds outlives its place. */
static void a_request_keeps_its_model(void **state)
{
    struct turn t;

    (void)state;
    options.keep = 0;
    open_slot(false);
    publish("v1");
    struct model *held = slot_acquire(slot);
    atomic_store(&source.published, "v2");
    slot_turn(&r, slot, false, &t);
    assert_ptr_equal(t.out, held);
    model_release(t.next);
    model_release(t.out);
    assert_true(versions_scores(held, 0));
    assert_string_equal(held->bundle->version, "v1");
    model_release(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(publishes_what_is_new),
        TEST(refuses_once),
        TEST(the_list_of_the_refused_is_bounded),
        TEST(tries_again_what_may_pass),
        TEST(a_manifest_that_is_none),
        TEST(a_label_stands_for_one_digest),
        TEST(no_older),
        TEST(schema_changes),
        TEST(memory_is_asked_for),
        TEST(rollback),
        TEST(keeps_as_many_as_it_should),
        TEST(a_request_keeps_its_model),
    };

    return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
