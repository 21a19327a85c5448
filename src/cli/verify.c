/* SPDX-License-Identifier: Apache-2.0 */
/* scored verify: who signed this bundle, and are its files what was signed? */
#include "command_line.h"
#include "commands.h"
#include "progress.h"
#include "published.h"

#include <stdio.h>
#include <stdlib.h>

static bool check_files(struct source *s, const struct published *p, struct progress *progress,
                        struct err *e)
{
    progress_start(progress, published_size(p));
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        struct source_file f = {0};
        if (!published_file(s, &p->bundle->files[role], &f, e))
            return false;
        free(f.bytes);
        progress_done(progress, p->bundle->files[role].size);
    }
    return true;
}

static void print_good(const struct published *p, const struct trust *trust)
{
    printf("good: %s version %s, sha256 %s\n", p->bundle->name, p->bundle->version,
           p->manifest.sha256);
    printf("  signed by key %s (%s)\n", p->signer, trust_file(trust, p->signer));
    printf("  %d files, %llu bytes, have the digests that were signed\n", (int)ROLE_COUNT,
           (unsigned long long)published_size(p));
}

static bool verify(const char *uri, const struct option_list *keys, struct err *e)
{
    struct progress progress;
    const struct source_options options = {.progress = progress_tell, .context = &progress};
    struct published p = {0};

    progress_init(&progress);
    struct trust *trust = trust_new(keys->items, keys->n, e);
    struct source *s = trust ? source_open(uri, &options, e) : NULL;
    bool ok = s && published_read(&p, s, trust, e) && check_files(s, &p, &progress, e);
    progress_end(&progress);
    if (ok)
        print_good(&p, trust);
    published_done(&p);
    source_free(s);
    trust_free(trust);
    return ok;
}

static const char above[] =
    "usage: scored verify --trust PUBLIC.pem URI\n\n"
    "Verifies that one of the keys signed the bundle's manifest and that every file has the "
    "digest\n"
    "that the manifest says, and tells who signed. The model is not compiled: that is scored "
    "check.\n"
    "URI is a directory or s3://BUCKET/PREFIX/; \"#sha256=<64 hex digits>\" behind it names a "
    "version.\n"
    "Exit status 0 is good, 1 is bad, with the reason on one line.\n";
static const char below[] = "example:\n"
                            "  openssl genpkey -algorithm ed25519 -out private.pem\n"
                            "  openssl pkey -in private.pem -pubout -out public.pem\n"
                            "  cp -r models/days_to_sell/bundle signed\n"
                            "  scored sign --key private.pem signed\n"
                            "  scored verify --trust public.pem signed\n";

int cmd_verify(int argc, char **argv)
{
    struct option_list keys = {0}, uris = {0};
    const struct option options[] = {
        {"trust", OPTION_LIST, &keys, .value = "PUBLIC.pem",
         .help = "an Ed25519 public key; may stand many times, any one suffices",
         .missing = "whose signature? --trust PUBLIC.pem"},
    };
    const struct command_line line = {
        "verify", above, below, {options, countof(options)}, 1, "one URI is needed"};
    struct err e = {0};
    int status;

    if (!command_read(&line, argc, argv, &uris, &status))
        return status;
    return command_end("verify", verify(uris.items[0], &keys, &e), &e);
}
