/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_CLI_OPEN_MODEL_H
#define SCORED_CLI_OPEN_MODEL_H

#include "scored/model.h"

/* Loads the model of a URI for a tool: one worker, golden rows replayed. NULL on failure. */
struct model *open_model(const char *uri, unsigned workers, unsigned frame_rows, struct err *e);

/* A command that takes one URI and shows its model: parses the flags, loads, shows, and answers
 * with the exit code. */
int show_model(const char *command, int argc, char **argv, void (*help)(void),
               void (*show)(const struct model *m));

#endif
