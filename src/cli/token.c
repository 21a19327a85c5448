/* SPDX-License-Identifier: Apache-2.0 */
/* scored token: a new token for one who may ask, and the line by which `serve --tokens` knows it.
 */
#include "command_line.h"
#include "commands.h"

#include "scored/crypto.h"
#include "scored/hex.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { RANDOM_BYTES = 32 };

#define PREFIX "scored_" /* by which those who search for lost secrets know it */

struct token {
    char text[sizeof PREFIX + 2 * (size_t)RANDOM_BYTES];
    char sha256[SHA256_HEX + 1];
};

static bool make(struct token *t, struct err *e)
{
    unsigned char bytes[RANDOM_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return err_errno(e, "getrandom");
    memcpy(t->text, PREFIX, sizeof PREFIX);
    hex_text(bytes, sizeof bytes, t->text + sizeof PREFIX - 1);
    return sha256_hex(t->text, strlen(t->text), t->sha256, e);
}

static bool is_name(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return n > 0 && n <= 64 && !name[n];
}

/* The line goes to standard output, so that ">> FILE" takes it and nothing else. */
static bool print(const struct token *t, const char *scope, const char *name, struct err *e)
{
    fprintf(stderr,
            "the token of %s, shown once; the line on standard output is for the file:\n%s\n", name,
            t->text);
    return (printf("sha256:%s %s %s\n", t->sha256, scope, name) > 0 && !fflush(stdout)) ||
           err_errno(e, "standard output");
}

static const char above[] =
    "usage: scored token [--scope SCOPE] NAME\n\n"
    "Makes a token of 32 random bytes. The last line on standard error is the token, for the "
    "client alone:\n"
    "it can be read nowhere else. Standard output is the line for the file that `scored serve "
    "--tokens` reads:\n"
    "its SHA-256, its scope and NAME, by which the access log calls it. Several lines may have one "
    "name, so\n"
    "that an old token works until its client has the new one.\n";
static const char below[] = "example:\n"
                            "  TOKEN=$(scored token shop 2>&1 >> tokens | tail -1)\n"
                            "  scored token prometheus --scope admin >> tokens\n"
                            "  scored serve --model models/days_to_sell/bundle --tokens tokens &\n"
                            "  curl -s --retry 5 --retry-connrefused localhost:8080/readyz\n"
                            "  curl -s -H \"Authorization: Bearer $TOKEN\" localhost:8080/models\n";

int cmd_token(int argc, char **argv)
{
    static const char *const scopes[] = {"predict", "admin", NULL};
    unsigned scope = 0;
    struct option_list names = {0};
    const struct option options[] = {
        {"scope", OPTION_CHOICE, &scope, .value = "SCOPE", .choices = scopes,
         .help = "predict, or admin, which may that too"},
    };
    const struct command_line line = {
        "token", above, below, {options, countof(options)}, 1, "one name is needed"};
    struct token t;
    struct err e = {0};
    int status;

    if (!command_read(&line, argc, argv, &names, &status))
        return status;
    if (!is_name(names.items[0])) {
        err_set(&e, ERR_USAGE, "a name has 1 to 64 letters, digits, \".\", \"_\" and \"-\"");
        return command_usage("token", &e);
    }
    return command_end("token", make(&t, &e) && print(&t, scopes[scope], names.items[0], &e), &e);
}
