/* SPDX-License-Identifier: Apache-2.0 */
#include "open_model.h"

#include "command_line.h"
#include "progress.h"
#include "settings.h"

#include "scored/store.h"

bool open_scratch(size_t *bytes, struct err *e)
{
    struct option options[SETTING_COUNT];
    struct settings settings;

    settings_init(&settings, options);
    if (!settings_finish(&settings, options, e))
        return false;
    *bytes = settings.config.scratch;
    return true;
}

struct model *open_model(const char *uri, struct model_options options, struct err *e)
{
    struct progress progress;
    const struct source_options from = {.progress = progress_tell, .context = &progress};

    if (!open_scratch(&options.scratch, e))
        return NULL;
    progress_init(&progress);
    struct source *s = source_open(uri, &from, e);

    if (!s)
        return NULL;
    struct model *m = model_load(s, &options, e);
    progress_end(&progress);
    source_free(s);
    return m;
}

int show_model(const char *command, const char *above, const char *below, int argc, char **argv,
               void (*show)(const struct model *m))
{
    const struct command_line line = {command, above, below, {NULL, 0}, 1, "one URI is needed"};
    struct option_list uris = {0};
    struct err e = {0};
    int status;

    if (!command_read(&line, argc, argv, &uris, &status))
        return status;
    struct model *m = open_model(uris.items[0], MODEL_ONCE, &e);
    if (m)
        show(m);
    model_release(m);
    return command_end(command, m != NULL, &e);
}
