/* SPDX-License-Identifier: Apache-2.0 */
/* Compressing and inflating, wherever the bytes are cut and however little room there is. */
#include "cmocka_all.h"

#include "../../src/http/gzip.h"
#include "scored/err.h"

#include <stdio.h>

/* Lines that are alike and not the same; long enough for two steps. */
static void make_text(struct buf *text, size_t n)
{
    for (unsigned i = 0; text->len < n; i++)
        buf_printf(text, "{\"prediction\":%u.%u}\n", i * 7919, i * i);
}

static void compress_all(const struct buf *text, struct buf *out)
{
    struct gzip *g = gzip_new();
    enum gzip_state state;

    assert_non_null(g);
    while ((state = gzip_some(g, text, out)) == GZIP_ON)
        ;
    assert_int_equal(state, GZIP_DONE);
    gzip_free(g);
}

/* Gives it the bytes in two pieces and takes the text `room` bytes at a time. */
static enum gzip_state inflate_cut(const struct buf *in, size_t cut, size_t room, struct buf *out,
                                   bool *whole)
{
    struct gunzip *g = gunzip_new();
    enum gzip_state state = GZIP_WAITS;
    const size_t ends[] = {0, cut, in->len};

    assert_non_null(g);
    for (size_t i = 0; i < 2 && state == GZIP_WAITS; i++) {
        assert_true(gunzip_put(g, in->data + ends[i], ends[i + 1] - ends[i]));
        do {
            size_t had = out->len;
            state = gunzip_some(g, out, room);
            assert_true(out->len - had <= room);
        } while (state == GZIP_ON);
    }
    *whole = state == GZIP_WAITS && gunzip_is_whole(g);
    if (*whole)
        assert_int_equal(gunzip_read(g), in->len);
    if (state == GZIP_WRONG)
        assert_true(*gunzip_wrong(g));
    gunzip_free(g);
    return state;
}

static void check_text(const struct buf *packed, size_t cut, size_t room, const struct buf *text)
{
    struct buf out = {0};
    bool whole;

    assert_int_equal(inflate_cut(packed, cut, room, &out, &whole), GZIP_WAITS);
    assert_true(whole);
    assert_int_equal(out.len, text->len);
    assert_memory_equal(out.data, text->data, text->len);
    buf_done(&out);
}

static void it_comes_back_in_any_pieces(void **state)
{
    const size_t rooms[] = {1, 7, GZIP_STEP};
    struct buf text = {0}, packed = {0};

    (void)state;
    make_text(&text, 2000);
    compress_all(&text, &packed);
    assert_true(packed.len < text.len / 2);
    for (size_t cut = 0; cut <= packed.len; cut++)
        for (size_t i = 0; i < countof(rooms); i++)
            check_text(&packed, cut, rooms[i], &text);
    buf_done(&text);
    buf_done(&packed);
}

static void long_texts_take_steps(void **state)
{
    const size_t sizes[] = {0, 1, GZIP_STEP - 1, GZIP_STEP, GZIP_STEP + 1, 3 * GZIP_STEP, 1 << 20};

    (void)state;
    for (size_t i = 0; i < countof(sizes); i++) {
        struct buf text = {0}, packed = {0};
        buf_reserve(&text, 1);
        make_text(&text, sizes[i]);
        text.len = sizes[i];
        compress_all(&text, &packed);
        check_text(&packed, packed.len / 2, GZIP_STEP, &text);
        buf_done(&text);
        buf_done(&packed);
    }
}

static void members_follow_each_other(void **state)
{
    struct buf text = {0}, packed = {0}, empty = {0}, twice = {0};

    (void)state;
    make_text(&text, 100);
    compress_all(&empty, &packed);
    compress_all(&text, &packed);
    compress_all(&empty, &packed);
    compress_all(&text, &packed);
    buf_put(&twice, text.data, text.len);
    buf_put(&twice, text.data, text.len);
    for (size_t cut = 0; cut <= packed.len; cut++)
        check_text(&packed, cut, 16, &twice);
    buf_done(&text);
    buf_done(&packed);
    buf_done(&twice);
}

static void what_is_torn_is_never_whole(void **state)
{
    struct buf text = {0}, packed = {0}, out = {0};
    bool whole;

    (void)state;
    make_text(&text, 500);
    compress_all(&text, &packed);
    for (struct buf torn = packed; torn.len--;) {
        buf_reset(&out);
        assert_int_equal(inflate_cut(&torn, 0, 64, &out, &whole), GZIP_WAITS);
        assert_false(whole);
    }
    buf_done(&text);
    buf_done(&packed);
    buf_done(&out);
}

static void what_follows_is_a_member_or_wrong(void **state)
{
    const char *const behind[] = {"x", "\037", "\037\213", "no gzip at all", "\n"};
    struct buf text = {0}, out = {0};
    bool whole;

    (void)state;
    make_text(&text, 50);
    for (size_t i = 0; i < countof(behind); i++) {
        struct buf packed = {0};
        compress_all(&text, &packed);
        size_t end = packed.len;
        buf_text(&packed, behind[i]);
        for (size_t cut = end - 1; cut <= packed.len; cut++) {
            buf_reset(&out);
            inflate_cut(&packed, cut, 64, &out, &whole);
            assert_false(whole);
        }
        buf_done(&packed);
    }
    buf_done(&text);
    buf_done(&out);
}

/* A time, an operating system and a name may change and harm nothing; the text may not. */
static void a_changed_bit_never_changes_the_text(void **state)
{
    struct buf text = {0}, packed = {0}, out = {0};
    unsigned found = 0;
    bool whole;

    (void)state;
    make_text(&text, 500);
    compress_all(&text, &packed);
    for (size_t bit = 0; bit < packed.len * 8; bit++) {
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
        buf_reset(&out);
        enum gzip_state got = inflate_cut(&packed, 5, 64, &out, &whole);
        found += got == GZIP_WRONG;
        if (whole)
            assert_true(out.len == text.len && !memcmp(out.data, text.data, text.len));
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(found > packed.len);
    buf_done(&text);
    buf_done(&packed);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_in_any_pieces),
        cmocka_unit_test(long_texts_take_steps),
        cmocka_unit_test(members_follow_each_other),
        cmocka_unit_test(what_is_torn_is_never_whole),
        cmocka_unit_test(what_follows_is_a_member_or_wrong),
        cmocka_unit_test(a_changed_bit_never_changes_the_text),
    };

    return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
