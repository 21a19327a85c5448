/* SPDX-License-Identifier: Apache-2.0 */
/* scored health: is the daemon on this machine ready? */
#include "scored/health.h"

#include "command_line.h"
#include "commands.h"

#include <stdlib.h>
#include <string.h>

static const char above[] =
    "usage: scored health [--address ADDRESS:PORT]\n\n"
    "Asks /readyz of a daemon, for health checks of containers that have no curl. Exit status 0: "
    "it "
    "is\n"
    "ready; 1: it is not, with the reason on one line. Without --address it is the listener of\n"
    "SCORED_PROBE_LISTEN, else of SCORED_ADMIN_LISTEN, else of SCORED_LISTEN, or the admin "
    "listener's\n"
    "default, 127.0.0.1:8081. Any listener may be asked, whether it speaks TLS or not; the "
    "server's\n"
    "certificate is not verified. One that wants certificates of clients cannot be asked: take\n"
    "another.\n";
static const char below[] = "example:\n"
                            "  scored serve --model models/days_to_sell/bundle --port 8080 &\n"
                            "  curl -s --retry 5 --retry-connrefused localhost:8080/readyz\n"
                            "  scored health --address 127.0.0.1:8080\n";

/* Of the settings that the daemon beside it has been given. */
static const char *usual(void)
{
    static const char *const variables[] = {"SCORED_PROBE_LISTEN", "SCORED_ADMIN_LISTEN",
                                            "SCORED_LISTEN"};

    for (size_t i = 0; i < countof(variables); i++) {
        const char *text = getenv(variables[i]); /* NOLINT(concurrency-mt-unsafe): no threads */
        if (text && *text && strcmp(text, "off") != 0)
            return text;
    }
    return "127.0.0.1:8081";
}

int cmd_health(int argc, char **argv)
{
    const char *address = usual();
    uint64_t timeout_ms = 2000;
    const struct option options[] = {
        {"address", OPTION_TEXT, &address, .value = "ADDRESS:PORT", .help = "which listener"},
        {"timeout", OPTION_SECONDS, &timeout_ms, .value = "SECONDS", .help = "for each step",
         .low = 10, .high = 3600000},
    };
    const struct command_line line = {"health", above, below, {options, countof(options)}, 0, NULL};
    struct err e = {0};
    int status;

    if (!command_read(&line, argc, argv, NULL, &status))
        return status;
    return command_end("health", health_ask(address, (unsigned)timeout_ms, &e), &e);
}
