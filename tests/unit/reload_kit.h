/* SPDX-License-Identifier: Apache-2.0 */
/* A slot with a source of the test's own, new for each test. */
#ifndef RELOAD_KIT_H
#define RELOAD_KIT_H

#include "cmocka_all.h"
#include "versions.h"

static struct registry r;
static struct slot *slot;
static struct versions source;
static struct registry_options options;
static struct folder cache;

static inline int begin(void **state)
{
    (void)state;
    source = (struct versions){.published = "v1"};
    options = versions_options;
    folder_new(&cache);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    registry_close(&r);
    folder_remove(&cache);
    return 0;
}

static inline void open_slot(bool cached)
{
    versions_open(&r, &source, cached ? cache.path : NULL, &options);
    slot = r.slots;
}

static inline struct turn take(const char *version)
{
    atomic_store(&source.published, version);
    return versions_turn(&r, false);
}

static inline void publish(const char *version)
{
    struct turn t = take(version);

    if (t.result != TURN_PUBLISHED)
        fail_msg("%s is not published: %s", version, t.e.msg);
    assert_true(versions_serves(&r, version));
}

static inline void expect_failure(const char *version, enum load_phase phase, bool refused,
                                  const char *text)
{
    struct turn t = take(version);
    const struct reload_status *s = &slot->status;

    assert_int_equal(t.result, TURN_FAILED);
    if (t.phase != phase || t.refused != refused || !strstr(t.e.msg, text))
        fail_msg("%s: phase %s, refused %d: %s", version, load_phase_name(t.phase), t.refused,
                 t.e.msg);
    assert_true(s->has_error && s->error_phase == phase && s->error_refused == refused);
    assert_non_null(strstr(s->error, text));
    assert_true(s->error_ms > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
