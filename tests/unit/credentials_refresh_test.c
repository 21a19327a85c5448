/* SPDX-License-Identifier: Apache-2.0 */
/* When credentials are asked for again, and what holds until then. The clock is the test's. */
#include "credentials_kit.h"

#define ANSWER(id, expires) \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"hunter2\",\"Expiration\":\"" expires "\"}"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

/* One answer has come, at 10:00. */
static void begin(const char *answer)
{
    script_add(200, answer);
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
    kit_open();
    assert_int_equal(credentials_expiry(kit_chain), 0);
    must_get();
    assert_int_equal(script_count(), 1);
}

static void must_be(const char *id, unsigned requests)
{
    assert_string_equal(must_get()->key_id, id);
    assert_int_equal(script_count(), requests);
}

static void keeps_them_a_quarter_of_an_hour(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T16:00:00Z"));
    assert_int_equal(credentials_expiry(kit_chain), 1795276800000U);
    script_add(200, ANSWER("B", "2026-11-21T17:00:00Z"));
    kit_now += 13 * MINUTE;
    must_be("A", 1);
    kit_now += 2 * MINUTE;
    must_be("B", 2);
    must_be("B", 2);
    assert_int_equal(credentials_expiry(kit_chain), 1795280400000U);
}

static void asks_five_minutes_before_they_expire(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T10:15:00Z"));
    script_add(200, ANSWER("B", "2026-11-21T11:00:00Z"));
    kit_now += 8 * MINUTE;
    must_be("A", 1);
    kit_now += 2 * MINUTE;
    must_be("B", 2);
}

static void jitters(void **state)
{
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
    for (unsigned i = 0; i < SCRIPT_STEPS; i++) {
        script_add(200, ANSWER("A", "2026-11-21T16:00:00Z"));
        kit_open();
        must_get();
        uint64_t after = kit_chain->refresh_ms - kit_now;
        assert_true(after > 13 * MINUTE && after <= 15 * MINUTE);
        least = after < least ? after : least;
        most = after > most ? after : most;
    }
    assert_true(most - least > 10 * SECOND);
}

static void keeps_the_old_until_they_expire(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T10:30:00Z"));
    script_add(400, "{\"message\":\"away\"}");
    kit_now += 20 * MINUTE;
    must_be("A", 2);
    kit_now += 9 * SECOND; /* a moment ago it was away */
    must_be("A", 2);
    script_add(400, "");
    kit_now += 1 * SECOND;
    must_be("A", 3);
    kit_now += 9 * MINUTE;
    script_add(400, "");
    must_be("A", 4);
    kit_now += 1 * MINUTE;
    script_add(400, "{\"message\":\"still away\"}");
    const char *why = must_fail();
    must_contain(why, "container: what it gave expired at 2026-11-21T10:30:00.000Z, and could not "
                      "be had anew: credentials of the container: 127.0.0.1:");
    must_contain(why, "answered 400: still away");
    assert_int_equal(credentials_expiry(kit_chain), 0);
    script_add(200, ANSWER("B", "2026-11-21T12:00:00Z"));
    must_be("B", 6);
}

static void keeps_the_old_where_the_new_have_expired(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T11:00:00Z"));
    script_add(200, ANSWER("B", "2026-11-21T10:15:00Z"));
    kit_now += 15 * MINUTE;
    must_be("A", 2);
}

static void asks_again_when_rejected(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T11:00:00Z"));
    script_add(200, ANSWER("B", "2026-11-21T11:00:00Z"));
    credentials_reject(kit_chain, kit_chain->current.serial);
    kit_now += SECOND / 2; /* asked a moment ago */
    must_be("A", 1);
    kit_now += SECOND;
    must_be("B", 2);
    must_be("B", 2);
    credentials_reject(kit_chain, kit_chain->current.serial);
    kit_now += MINUTE;
    script_add(400, "{\"message\":\"away\"}");
    must_contain(must_fail(), "answered 400: away"); /* rejected ones are no good */
}

static void asks_short_lived_ones_in_time(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T10:01:00Z"));
    script_add(200, ANSWER("B", "2026-11-21T10:02:00Z"));
    kit_now += 20 * SECOND;
    must_be("A", 1);
    kit_now += 10 * SECOND;
    must_be("B", 2);
}

static void counts_by_the_clock_of_aws(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T16:00:00Z"));
    script_add(400, "");
    kit_skew = (int64_t)6 * 60 * MINUTE; /* this machine's clock is six hours behind */
    must_contain(must_fail(), "expired at 2026-11-21T16:00:00.000Z");
}

static void keys_without_an_end_are_asked_once(void **state)
{
    (void)state;
    begin("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hunter2\"}");
    kit_now += (uint64_t)1000 * 60 * MINUTE;
    must_be("A", 1);
}

static void wipes_what_it_gave(void **state)
{
    (void)state;
    begin(ANSWER("A", "2026-11-21T11:00:00Z"));
    assert_null(memmem(kit_chain->reply.body.data, kit_chain->reply.body.cap, "hunter2", 7));
    assert_null(memmem(&kit_chain->next, sizeof kit_chain->next, "hunter2", 7));
}

/* -- explaining -- */

static void note(void *context, const char *source, bool configured, bool good, const char *why)
{
    buf_printf(context, "%s %d %d %s\n", source, configured, good, why);
}

static void explains_every_source(void **state)
{
    struct buf said = {0};

    (void)state;
    script_add(200, ANSWER("AKIDAKID", "2026-11-21T11:00:00Z"));
    set_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x");
    set("AWS_EC2_METADATA_DISABLED", NULL);
    kit_open();
    credentials_explain(kit_chain, note, &said);
    must_contain(said.data, "environment 0 0 AWS_ACCESS_KEY_ID is not set\nprofile 0 0 ");
    must_contain(said.data, "container 1 1 key AKID..., without a session token, expires "
                            "2026-11-21T11:00:00.000Z\n");
    must_contain(said.data, "instance 1 0 not asked: container goes before it\n");
    must_lack(said.data, "AKIDA");
    must_lack(said.data, "hunter2");
    buf_done(&said);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        T(keeps_them_a_quarter_of_an_hour),
        T(asks_five_minutes_before_they_expire),
        T(jitters),
        T(keeps_the_old_until_they_expire),
        T(keeps_the_old_where_the_new_have_expired),
        T(asks_again_when_rejected),
        T(asks_short_lived_ones_in_time),
        T(counts_by_the_clock_of_aws),
        T(keys_without_an_end_are_asked_once),
        T(wipes_what_it_gave),
        T(explains_every_source),
    };

    return kit_main("credentials_refresh", tests, countof(tests));
}
