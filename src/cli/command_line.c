/* SPDX-License-Identifier: Apache-2.0 */
#include "command_line.h"

#include "commands.h"

#include <stdio.h>

static bool check_arguments(const struct command_line *c, const struct option_list *arguments,
                            struct err *e)
{
    if (!c->n_arguments && arguments->n)
        return options_unexpected(c->options, arguments->items[0], c->arguments, e);
    if (!options_complete(c->options, e))
        return false;
    return arguments->n == c->n_arguments || err_set(e, ERR_USAGE, "%s", c->arguments);
}

bool command_read(const struct command_line *c, int argc, char **argv,
                  struct option_list *arguments, int *status)
{
    struct option_list none = {0}, *rest = arguments ? arguments : &none;
    struct err e = {0};
    bool help = false;

    bool ok = options_parse(c->options, argc, argv, rest, &help, &e);
    if (ok && help) {
        printf("%s\n", c->above);
        options_print(c->options);
        printf("\n%s", c->below);
        *status = EXIT_FINE;
        return false;
    }
    if (ok && check_arguments(c, rest, &e))
        return true;
    *status = command_usage(c->command, &e);
    return false;
}

int command_usage(const char *command, const struct err *e)
{
    fprintf(stderr, "scored %s: %s\nTry 'scored %s --help'.\n", command, e->msg, command);
    return EXIT_USAGE;
}

int command_end(const char *command, bool ok, const struct err *e)
{
    if (ok)
        return EXIT_FINE;
    fprintf(stderr, "scored %s: %s\n", command, e->msg);
    return e->code == ERR_USAGE ? EXIT_USAGE : EXIT_BAD;
}
