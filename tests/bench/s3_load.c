/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_load URI NAME BYTES [SHA256]: fetches one file as the daemon does, and prints its digest and
 * how long it took. BYTES is what it may have.
 */
#include "scored/clock.h"
#include "scored/source.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct err e = {0};
    struct source_file f = {0};

    if (argc < 4) {
        fprintf(stderr, "usage: s3_load URI NAME BYTES [SHA256]\n");
        return 2;
    }
    struct source *s = source_open(argv[1], NULL, &e);
    const struct source_request r = {
        .name = argv[2], .max = strtoull(argv[3], NULL, 10), .sha256 = argv[4]};
    uint64_t from = clock_ns();
    bool ok = s && source_fetch(s, &r, &f, &e);
    double seconds = (double)(clock_ns() - from) * 1e-9;
    if (ok)
        printf("%s %zu bytes in %.3f s, %.0f MiB/s, tag %s\n", f.sha256, f.n, seconds,
               (double)f.n / (1 << 20) / seconds, f.tag);
    else
        fprintf(stderr, "s3_load: %s\n", e.msg);
    free(f.bytes);
    source_free(s);
    return ok ? 0 : 1;
}
