/* SPDX-License-Identifier: Apache-2.0 */
/* What every command does alike: read its flags and arguments, print its help, say how it ended. */
#ifndef SCORED_CLI_COMMAND_LINE_H
#define SCORED_CLI_COMMAND_LINE_H

#include "options.h"

struct command_line {
    const char *command;       /* "fetch" */
    const char *above, *below; /* help, above and below the table of flags; whole lines */
    struct option_table options;
    unsigned n_arguments;  /* that are no flags: neither fewer nor more */
    const char *arguments; /* said where they are others; may be NULL where there are none */
};

/* Reads argv into the options' targets and `arguments`, which may be NULL where there are none.
 * False where the command is not to run, as help was asked for and printed, or the user was told
 * what is wrong: *status is then the exit code. */
bool command_read(const struct command_line *c, int argc, char **argv,
                  struct option_list *arguments, int *status);

/* "scored COMMAND: message" and where help stands, to stderr. Returns EXIT_USAGE. */
int command_usage(const char *command, const struct err *e);

/* "scored COMMAND: message" to stderr where it failed. Returns the exit code. */
int command_end(const char *command, bool ok, const struct err *e);

#endif
