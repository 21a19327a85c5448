/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that come compressed: byte 0 of an input is the coding, byte 1 how much of the rest comes
 * at a time, byte 2 how much room there is for text. However it is cut, the text of what is whole
 * is the same, no call gives more than its room, and what is held stays within what is promised.
 *
 * What is not well-formed zstd may be wrong at once or only at its end: libzstd takes a frame that
 * is all there in another way than pieces of it, and looks for faults in another order.
 */
#include "../../src/http/unpack.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 20 /* bytes of text that are looked at */ };

struct outcome {
    enum unpack_state state;
    bool whole;
};

static void must(bool it)
{
    if (!it)
        abort();
}

static struct outcome unpack_all(const struct unpacking *by, const char *p, size_t n, size_t piece,
                                 size_t room, struct buf *out)
{
    struct unpacker *u = unpacker_new(by);
    struct outcome end = {UNPACK_WAITS, false};

    must(u != NULL);
    for (size_t at = 0; at < n && end.state == UNPACK_WAITS && out->len < MOST; at += piece) {
        must(unpack_put(u, p + at, piece < n - at ? piece : n - at));
        do {
            size_t had = out->len;
            end.state = unpack_some(u, out, room);
            must(out->len - had <= room);
            must(unpack_holds(u) <= by->bytes + by->window);
        } while (end.state == UNPACK_ON && out->len < MOST);
    }
    end.whole = end.state == UNPACK_WAITS && unpack_is_whole(u);
    must(end.state != UNPACK_WRONG || *unpack_wrong(u));
    must(unpack_read(u) <= n);
    unpacker_free(u);
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const struct unpacking *by = unpacking_at(data[0] & 1);
    const char *p = (const char *)data + 3;
    struct buf once = {0}, cut = {0};

    if (!by)
        return 0;
    struct outcome a = unpack_all(by, p, size - 3, size, UNPACK_STEP, &once);
    struct outcome b = unpack_all(by, p, size - 3, 1 + data[1], 1 + 16u * data[2], &cut);
    if (once.len < MOST && cut.len < MOST) {
        must(by == &unpacking_zstd || (a.state == b.state && a.whole == b.whole));
        must(!a.whole || !b.whole ||
             (once.len == cut.len && !memcmp(once.data, cut.data, once.len)));
    }
    buf_done(&once);
    buf_done(&cut);
    return 0;
}
