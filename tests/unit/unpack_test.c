/* SPDX-License-Identifier: Apache-2.0 */
/* Compressing and back, by each coding, wherever the bytes are cut and however little room there
 * is. */
#include "cmocka_all.h"

#include "../../src/http/gzip.h"
#include "../../src/http/unpack.h"
#include "scored/err.h"

#include <stdio.h>
#ifdef SCORED_ZSTD
#include <zstd.h>
#endif

/* Lines that are alike and not the same; long enough for two steps. */
static void make_text(struct buf *text, size_t n)
{
    for (unsigned i = 0; text->len < n; i++)
        buf_printf(text, "{\"prediction\":%u.%u}\n", i * 7919, i * i);
}

static void by_gzip(const struct buf *text, struct buf *out)
{
    struct gzip *g = gzip_new();
    enum gzip_state state;

    assert_non_null(g);
    while ((state = gzip_some(g, text, out)) == GZIP_ON)
        ;
    assert_int_equal(state, GZIP_DONE);
    gzip_free(g);
}

#ifdef SCORED_ZSTD
/* Of unknown length, so that a window is asked for, and with a sum of its text. */
static void by_zstd(const struct buf *text, struct buf *out)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_inBuffer in = {text->len ? text->data : "", text->len, 0};
    size_t left = 1;

    assert_non_null(c);
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)));
    for (ZSTD_EndDirective how = ZSTD_e_flush; left || how != ZSTD_e_end;) {
        if (in.pos == in.size)
            how = ZSTD_e_end;
        char *p = buf_reserve(out, 4096);
        ZSTD_outBuffer to = {p, 4096, 0};
        assert_non_null(p);
        left = ZSTD_compressStream2(c, &to, &in, how);
        assert_false(ZSTD_isError(left));
        out->len += to.pos;
    }
    ZSTD_freeCCtx(c);
}
#endif

static const struct coding {
    const struct unpacking *by;
    void (*pack)(const struct buf *text, struct buf *out);
} codings[] = {
    {&unpacking_gzip, by_gzip},
#ifdef SCORED_ZSTD
    {&unpacking_zstd, by_zstd},
#endif
};

static const struct coding *coding; /* the one that is tried */

static void compress_all(const struct buf *text, struct buf *out)
{
    coding->pack(text, out);
}

/* Gives it the bytes in two pieces and takes the text `room` bytes at a time. */
static enum unpack_state unpack_cut(const struct buf *in, size_t cut, size_t room, struct buf *out,
                                    bool *whole)
{
    struct unpacker *u = unpacker_new(coding->by);
    enum unpack_state state = UNPACK_WAITS;
    const size_t ends[] = {0, cut, in->len};

    assert_non_null(u);
    for (size_t i = 0; i < 2 && state == UNPACK_WAITS; i++) {
        assert_true(unpack_put(u, in->data + ends[i], ends[i + 1] - ends[i]));
        do {
            size_t had = out->len;
            state = unpack_some(u, out, room);
            assert_true(out->len - had <= room);
        } while (state == UNPACK_ON);
    }
    *whole = state == UNPACK_WAITS && unpack_is_whole(u);
    if (*whole)
        assert_int_equal(unpack_read(u), in->len);
    if (state == UNPACK_WRONG)
        assert_true(*unpack_wrong(u));
    unpacker_free(u);
    return state;
}

static void check_text(const struct buf *packed, size_t cut, size_t room, const struct buf *text)
{
    struct buf out = {0};
    bool whole;

    assert_int_equal(unpack_cut(packed, cut, room, &out, &whole), UNPACK_WAITS);
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
        assert_int_equal(unpack_cut(&torn, 0, 64, &out, &whole), UNPACK_WAITS);
        assert_false(whole);
    }
    buf_done(&text);
    buf_done(&packed);
    buf_done(&out);
}

static void what_follows_is_a_member_or_wrong(void **state)
{
    const char *const behind[] = {
        "x", "\037", "\037\213", "\050", "\050\265\057\375", "nothing packed at all", "\n"};
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
            unpack_cut(&packed, cut, 64, &out, &whole);
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
        enum unpack_state got = unpack_cut(&packed, 5, 64, &out, &whole);
        found += got == UNPACK_WRONG;
        if (whole)
            assert_true(out.len == text.len && !memcmp(out.data, text.data, text.len));
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(found > packed.len);
    buf_done(&text);
    buf_done(&packed);
    buf_done(&out);
}

#ifdef SCORED_ZSTD
/* What it says that it holds covers what libzstd does; only what was given is in the window. */
static void a_window_is_no_larger_than_the_web_has_them(void **state)
{
    const struct {
        int bits;
        enum unpack_state state;
    } cases[] = {{20, UNPACK_WAITS}, {23, UNPACK_WAITS}, {24, UNPACK_WRONG}, {27, UNPACK_WRONG}};

    (void)state;
    for (size_t i = 0; i < countof(cases); i++) {
        /* RFC 8878, 3.1.1: a window of 2^bits, and one last block that is raw and of a byte */
        const char frame[] = {'\050', '\265', '\057', '\375', 0, (char)((cases[i].bits - 10) << 3),
                              9,      0,      0,      'x'};
        struct unpacker *u = unpacker_new(&unpacking_zstd);
        struct buf out = {0};
        assert_non_null(u);
        assert_true(unpack_put(u, frame, sizeof frame));
        enum unpack_state got = unpack_some(u, &out, UNPACK_STEP);
        assert_int_equal(got, cases[i].state);
        assert_int_equal(out.len, got == UNPACK_WAITS);
        if (got == UNPACK_WRONG)
            assert_non_null(strstr(unpack_wrong(u), "8 MiB"));
        assert_true(unpack_holds(u) < 512 * 1024);
        unpacker_free(u);
        buf_done(&out);
    }
}
#endif

/* All tests of a coding. */
static int run(const struct coding *c)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_in_any_pieces),
        cmocka_unit_test(long_texts_take_steps),
        cmocka_unit_test(members_follow_each_other),
        cmocka_unit_test(what_is_torn_is_never_whole),
        cmocka_unit_test(what_follows_is_a_member_or_wrong),
        cmocka_unit_test(a_changed_bit_never_changes_the_text),
    };

    coding = c;
    return cmocka_run_group_tests_name(c->by->name, tests, NULL, NULL);
}

int main(void)
{
    int failed = 0;

    for (size_t i = 0; i < countof(codings); i++)
        failed += run(&codings[i]);
#ifdef SCORED_ZSTD
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_is_no_larger_than_the_web_has_them),
    };
    failed += cmocka_run_group_tests_name("windows", tests, NULL, NULL);
#endif
    return failed;
}
