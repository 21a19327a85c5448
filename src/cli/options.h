/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags of a subcommand, from a table: `--flag VALUE` or `--flag=VALUE`; `--` ends them. A row:
 *     {"columns", OPTION_TEXT, &columns, .value = "LIST", .help = "columns to answer"}
 */
#ifndef SCORED_CLI_OPTIONS_H
#define SCORED_CLI_OPTIONS_H

#include "scored/err.h"

#include <stdint.h>

enum option_kind {
    OPTION_SWITCH,  /* bool: true where it stands */
    OPTION_CHOICE,  /* unsigned: the number of one of `choices` */
    OPTION_TEXT,    /* const char *: borrows argv */
    OPTION_NUMBER,  /* uint64_t, within low..high */
    OPTION_SECONDS, /* uint64_t, milliseconds, within low..high; decimal in the text */
    OPTION_LIST,    /* struct option_list: may stand many times */
};

enum { OPTION_LIST_MAX = 64 };

struct option_list {
    const char *items[OPTION_LIST_MAX];
    unsigned n;
};

struct option {
    const char *flag; /* without the dashes */
    enum option_kind kind;
    void *target;      /* of the kind's type; holds the default before */
    const char *value; /* what help calls the value; NULL for switches */
    const char *help;
    uint64_t low, high;             /* of numbers */
    bool *given;                    /* set where the flag stands; may be NULL */
    const char *variable, *initial; /* for help; NULL: there is none */
    const char *const *choices;     /* NULL ends them */
    const char *missing; /* of TEXT and LIST: said where it does not stand; NULL: it need not */
};

struct option_table {
    const struct option *rows;
    unsigned n;
};

/* Arguments that are no flags go to `rest`. ERR_USAGE on failure, which for an unknown flag names
 * the nearest right one. `--help` and `-h` end parsing and set *help. */
bool options_parse(struct option_table table, int argc, char **argv, struct option_list *rest,
                   bool *help, struct err *e);

/* The value as options_parse would take it; `name` is for the error. A switch also takes "true" and
 * "false". */
bool option_set(const struct option *o, const char *name, const char *text, struct err *e);

/* ERR_USAGE: an argument where none is taken. Who wrote a URI without its flag is told the flag,
 * others what they may have meant, if that is not NULL. */
bool options_unexpected(struct option_table table, const char *text, const char *instead,
                        struct err *e);

/* Whether every option that must stand does; ERR_USAGE where not. */
bool options_complete(struct option_table table, struct err *e);

/* The table as text to stdout, a line a flag. */
void options_print(struct option_table table);

#endif
