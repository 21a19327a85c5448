/* SPDX-License-Identifier: Apache-2.0 */
/* scored ops: which stages there are, and what each reads. */
#include "command_line.h"
#include "commands.h"
#include "options.h"

#include "scored/buf.h"
#include "scored/ops.h"

#include <stdio.h>

static const char above[] =
    "usage: scored ops [--json]\n\n"
    "Lists the kinds of stages that can be served, a line an op: its name in bundles, and Spark's "
    "class.\n";
static const char below[] = "example:\n"
                            "  scored ops --json\n";

int cmd_ops(int argc, char **argv)
{
    bool json = false;
    const struct option rows[] = {
        {"json", OPTION_SWITCH, &json, .help = "all that is declared: columns, params, blocks"},
    };
    const struct command_line c = {
        .command = "ops", .above = above, .below = below, .options = {rows, countof(rows)}};
    struct buf out = {0};
    int status;

    if (!command_read(&c, argc, argv, NULL, &status))
        return status;
    (json ? ops_json : ops_list)(&out);
    bool ok = !out.failed && fwrite(out.data, 1, out.len, stdout) == out.len && !fflush(stdout);
    buf_done(&out);
    return ok ? EXIT_FINE : EXIT_BAD;
}
