/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_CLI_OPEN_MODEL_H
#define SCORED_CLI_OPEN_MODEL_H

#include "scored/model.h"

/* Bytes of scoring memory that a tool has: what `serve` would take from the environment, or by
 * default, so that both score the same rows. */
bool open_scratch(size_t *bytes, struct err *e);

/* How a tool has a model that it only looks at. */
#define MODEL_ONCE ((struct model_options){.workers = 1, .frame_rows = FRAME_ROWS, .verify = true})

/* Loads the model of a URI for a tool; the scratch is open_scratch's. NULL on failure. */
struct model *open_model(const char *uri, struct model_options options, struct err *e);

/* A command that takes one URI and shows its model: reads argv, loads, shows, and answers with the
 * exit code. `above` and `below` are its help, as in struct command_line. */
int show_model(const char *command, const char *above, const char *below, int argc, char **argv,
               void (*show)(const struct model *m));

#endif
