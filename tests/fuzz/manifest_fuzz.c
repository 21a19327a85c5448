/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a manifest: refused with one line that says why, or read the same way twice. */
#include "scored/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0}, again = {0};
    struct bundle *b = bundle_new((const char *)data, size, &e);

    require(b || (e.code != ERR_NONE && e.msg[0] && !strchr(e.msg, '\n')),
            "a refusal has a reason");
    struct bundle *second = bundle_new((const char *)data, size, &again);
    require(!b == !second && strcmp(e.msg, again.msg) == 0, "reading does not depend on what was");
    if (b) {
        require(b->n_inputs > 0 && b->n_outputs > 0 && b->n_stages > 0, "there is something to do");
        require(strcmp(b->sha256, second->sha256) == 0, "one identity");
    }
    bundle_free(b);
    bundle_free(second);
    return 0;
}
