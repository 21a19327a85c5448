/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_CLI_OPEN_MODEL_H
#define SCORED_CLI_OPEN_MODEL_H

#include "scored/model.h"

/* Loads the model of a URI for a tool: one worker, golden rows replayed. NULL on failure. */
struct model *open_model(const char *uri, unsigned workers, unsigned frame_rows, struct err *e);

#endif
