/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "scored/crypto.h"
#include "scored/distance.h"
#include "scored/server.h"
#include "scored/version.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"serve", cmd_serve, "answer predictions over HTTP"},
    {"predict", cmd_predict, "answer rows of a file: one JSON line in, one out"},
    {"check", cmd_check, "validate a bundle and replay its golden rows"},
    {"inspect", cmd_inspect, "show a bundle: pipeline, columns, sizes, lineage, exactness"},
    {"fetch", cmd_fetch, "copy a bundle into a folder, verified"},
    {"doctor", cmd_doctor, "say why a bundle cannot be read from here, link by link"},
    {"sign", cmd_sign, "sign a bundle with an Ed25519 key"},
    {"verify", cmd_verify, "verify a bundle's signature and digests"},
    {"health", cmd_health, "say whether a daemon on this machine is ready"},
    {"token", cmd_token, "make a token for one who may ask"},
    {"ops", cmd_ops, "list the kinds of stages that can be served"},
};

static int help(FILE *out)
{
    fprintf(out, "scored %s: serves fitted Spark ML pipelines with Spark's own numbers.\n\n",
            scored_version);
    fprintf(out, "usage: scored COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < countof(commands); i++)
        fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\nscored COMMAND --help tells more.\n\nexample:\n"
                 "  scored serve --model models/days_to_sell/bundle --port 8080 &\n"
                 "  curl -s --retry 5 --retry-connrefused localhost:8080/readyz\n"
                 "  curl -s localhost:8080/openapi.json\n");
    return EXIT_FINE;
}

static int no_command(const char *name)
{
    const char *best = NULL;
    char meant[MEANT];

    for (size_t i = 0; i < countof(commands); i++)
        text_nearer(name, commands[i].name, &best);
    fprintf(stderr, "scored: there is no command '%s'%s\nTry 'scored --help'.\n", name,
            text_meant(meant, "", best));
    return EXIT_USAGE;
}

static int print_version(void)
{
    printf("scored %s (%s)\n", scored_version, scored_commit);
    return EXIT_FINE;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < countof(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct err e = {0};

    if (crypto_start(&e))
        return c->run(argc, argv);
    fprintf(stderr, "scored %s: %s\n", c->name, e.msg);
    return EXIT_BAD;
}

/* "scored help COMMAND". */
static int help_of(const char *name)
{
    const struct command *c = find(name);
    char *asks[] = {(char[]){"help"}, (char[]){"--help"}, NULL};

    return c ? run(c, 2, asks) : no_command(name);
}

static bool is_any(const char *name, const char *const *words)
{
    while (*words && strcmp(name, *words) != 0)
        words++;
    return *words != NULL;
}

/* Where standard input, output or error is closed, the next file or socket would take its place,
 * and be written to by whatever reports. The other direction is opened, so that using one still
 * fails.
 */
static bool hold_standard_places(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) /* not CLOEXEC */
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!hold_standard_places())
        return EXIT_BAD;
    const char *name = argc > 1 ? argv[1] : "";

    if (is_any(name, (const char *const[]){"--version", "version", NULL}))
        return print_version();
    if (is_any(name, (const char *const[]){"--help", "-h", "help", NULL}))
        return argc > 2 ? help_of(argv[2]) : help(stdout);
    const struct command *c = find(name);
    if (c)
        return run(c, argc - 1, argv + 1);
    if (*name)
        return no_command(name);
    help(stderr);
    return EXIT_USAGE;
}
