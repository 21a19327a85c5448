/* SPDX-License-Identifier: Apache-2.0 */
/* scored check: is this bundle sound, and does it answer as Spark did? */
#include "commands.h"
#include "open_model.h"

#include <stdio.h>

static void print_share(const struct bundle *b, const char *key, const char *what)
{
    struct json pair;
    struct json_iter it = {0};
    struct err ignored;
    uint32_t n[2] = {0};

    if (!json_get_array(&b->golden_coverage, key, &pair, &ignored))
        return;
    while (json_next(&pair, &it) && it.n <= countof(n))
        if (!json_as_u32(&it.value, UINT32_MAX, &n[it.n - 1], &ignored))
            return;
    if (n[1])
        printf("  %s reached: %u of %u (%.1f %%)\n", what, (unsigned)n[0], (unsigned)n[1],
               100.0 * n[0] / n[1]);
}

static void print_good(const struct model *m)
{
    const struct coverage *c = &m->coverage;

    printf("good: %s version %s, sha256 %s\n", m->bundle->name, m->bundle->version,
           m->bundle->sha256);
    printf("  golden rows: %u equal Spark's (%u answered, %u skipped, %u failing)\n",
           (unsigned)c->rows, (unsigned)c->answered, (unsigned)c->skipped, (unsigned)c->failed);
    print_share(m->bundle, "leaves", "leaves of trees");
    print_share(m->bundle, "labels", "labels of strings");
    printf("  loaded in %.1f ms\n", (double)m->load_ns / 1e6);
}

static const char above[] =
    "usage: scored check URI\n\n"
    "Reads a bundle, verifies form, digests and every rule of the format, compiles it, and replays "
    "its\n"
    "golden rows: each answer must equal Spark's bit for bit. Exit status 0 is good, 1 is bad, "
    "with the\n"
    "reason on one line.\n";
static const char below[] = "example:\n"
                            "  scored check models/days_to_sell/bundle\n";

int cmd_check(int argc, char **argv)
{
    return show_model("check", above, below, argc, argv, print_good);
}
