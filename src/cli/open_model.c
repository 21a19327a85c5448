/* SPDX-License-Identifier: Apache-2.0 */
#include "open_model.h"

#include "commands.h"
#include "options.h"
#include "progress.h"

#include <stdio.h>

struct model *open_model(const char *uri, unsigned workers, unsigned frame_rows, struct err *e)
{
    const struct model_options options = {
        .workers = workers, .scratch = (size_t)64 << 20, .frame_rows = frame_rows, .verify = true};
    struct progress progress;
    const struct source_options from = {.progress = progress_tell, .context = &progress};

    progress_init(&progress);
    struct source *s = source_open(uri, &from, e);

    if (!s)
        return NULL;
    struct model *m = model_load(s, &options, e);
    progress_end(&progress);
    source_free(s);
    return m;
}

int show_model(const char *command, int argc, char **argv, void (*help)(void),
               void (*show)(const struct model *m))
{
    struct option_list uris = {0};
    struct err e = {0};
    bool wants_help = false;

    bool ok = options_parse((struct option_table){NULL, 0}, argc, argv, &uris, &wants_help, &e);
    if (ok && wants_help) {
        help();
        return EXIT_FINE;
    }
    if (ok && uris.n != 1)
        ok = err_set(&e, ERR_USAGE, "one URI is needed");
    if (!ok)
        return options_usage(command, &e);
    struct model *m = open_model(uris.items[0], 1, 64, &e);
    if (!m) {
        fprintf(stderr, "scored %s: %s\n", command, e.msg);
        return e.code == ERR_USAGE ? EXIT_USAGE : EXIT_BAD;
    }
    show(m);
    model_release(m);
    return EXIT_FINE;
}
