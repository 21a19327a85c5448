/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's settings: flag, else environment variable SCORED_<FIELD>, else default. */
#ifndef SCORED_CLI_SETTINGS_H
#define SCORED_CLI_SETTINGS_H

#include "options.h"
#include "scored/config.h"

enum setting_id {
#define SETTING(kind, field, flag, value, low, high, help) SETTING_##field,
#include "../util/config.def"
#undef SETTING
    SETTING_COUNT
};

enum { VARIABLE_MAX = 64 };

struct settings {
    struct config config;
    bool by_flag[SETTING_COUNT];
    bool by_environment[SETTING_COUNT];
    char variables[SETTING_COUNT][VARIABLE_MAX],
        initial[SETTING_COUNT][VARIABLE_MAX]; /* for help */
};

/* Sets the defaults, and writes a row a setting to `options`, for options_parse. */
void settings_init(struct settings *s, struct option options[SETTING_COUNT]);

/* After options_parse: takes what no flag has set from the environment. */
bool settings_finish(struct settings *s, const struct option options[SETTING_COUNT], struct err *e);

/* Tells of SCORED_* in the environment that no setting takes, by a warning each. */
void settings_warn(const struct settings *s);

/* All of them with their source, to stdout. */
void settings_print(const struct settings *s, const struct option options[SETTING_COUNT]);

#endif
