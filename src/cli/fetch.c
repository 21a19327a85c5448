/* SPDX-License-Identifier: Apache-2.0 */
/* scored fetch: a bundle into a folder that is a whole bundle at every moment. */
#include "command_line.h"
#include "commands.h"
#include "progress.h"
#include "published.h"

#include "scored/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { READABLE = 0644 }; /* less the umask */

struct fetch {
    struct source *from, *to;
    const char *folder;
    struct published bundle;
    struct progress progress;
    unsigned fetched; /* files, those that were not there */
    uint64_t bytes;   /* of them */
};

/* An earlier fetch, or an earlier version, may have left the file. */
static bool is_there(struct fetch *f, const struct bundle_file *listed)
{
    struct source_file file = {0};
    struct err ignored = {0};
    bool there = published_file(f->to, listed, &file, &ignored);

    free(file.bytes);
    return there;
}

static bool fetch_file(struct fetch *f, const struct bundle_file *listed, struct err *e)
{
    struct source_file file = {0};

    if (!is_there(f, listed)) {
        bool ok = published_file(f->from, listed, &file, e) &&
                  file_put(f->folder, listed->name, file.bytes, file.n, READABLE, e);
        free(file.bytes);
        if (!ok)
            return false;
        f->fetched++;
        f->bytes += listed->size;
    }
    progress_done(&f->progress, listed->size);
    return true;
}

/* In the order of publishing: what a manifest lists is there before the manifest is. */
static bool fetch_all(struct fetch *f, struct err *e)
{
    const struct published *p = &f->bundle;
    const struct source_file *manifest = &p->manifest, *envelope = &p->envelope;
    char immutable[32];

    progress_start(&f->progress, published_size(p));
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        if (!fetch_file(f, &p->bundle->files[role], e))
            return false;
    snprintf(immutable, sizeof immutable, "bundle-%.16s.json", manifest->sha256);
    return file_put(f->folder, immutable, manifest->bytes, manifest->n, READABLE, e) &&
           (!envelope->bytes ||
            file_put(f->folder, p->envelope_name, envelope->bytes, envelope->n, READABLE, e)) &&
           file_put(f->folder, "bundle.json", manifest->bytes, manifest->n, READABLE, e);
}

static void print_fetched(const struct fetch *f, const struct trust *trust)
{
    const struct published *p = &f->bundle;

    printf("%s: %s version %s, sha256 %s\n", f->folder, p->bundle->name, p->bundle->version,
           p->manifest.sha256);
    if (p->no_envelope.code)
        fprintf(stderr, "scored fetch: fetched without its signature, if it has one: %s\n",
                p->no_envelope.msg);
    if (trust)
        printf("  signed by key %s (%s)\n", p->signer, trust_file(trust, p->signer));
    else
        printf("  %s\n", p->envelope.bytes ? "signed; nobody's signature was asked for (--trust)"
                                           : "no signature");
    printf("  %u of %d files fetched, %llu bytes%s\n", f->fetched, (int)ROLE_COUNT,
           (unsigned long long)f->bytes, f->fetched < ROLE_COUNT ? "; the others were there" : "");
}

static bool fetch(struct fetch *f, const char *uri, const struct trust *trust, struct err *e)
{
    const struct source_options options = {.progress = progress_tell, .context = &f->progress};

    progress_init(&f->progress);
    f->from = source_open(uri, &options, e);
    if (!f->from || !published_read(&f->bundle, f->from, trust, e))
        return false;
    if (mkdir(f->folder, 0777) < 0 && errno != EEXIST)
        return err_errno(e, f->folder);
    f->to = source_open(f->folder, NULL, e);
    return f->to && fetch_all(f, e);
}

static int run(const char *uri, const char *folder, const struct option_list *keys)
{
    struct fetch f = {.folder = folder};
    struct trust *trust = NULL;
    struct err e = {0};

    if (keys->n)
        trust = trust_new(keys->items, keys->n, &e);
    bool ok = (trust || !keys->n) && fetch(&f, uri, trust, &e);
    progress_end(&f.progress);
    if (ok)
        print_fetched(&f, trust);
    published_done(&f.bundle);
    source_free(f.from);
    source_free(f.to);
    trust_free(trust);
    return command_end("fetch", ok, &e);
}

static const char above[] =
    "usage: scored fetch URI DIR\n\n"
    "Copies a bundle into a folder: manifest, files, and the signature if there is one. Every "
    "file's\n"
    "digest is verified, the signature where --trust is given. bundle.json is written last, so "
    "that DIR\n"
    "is a whole bundle at every moment, and may be served meanwhile. Files that are there already "
    "are\n"
    "not fetched again: after a break, run it again. Nothing in DIR is deleted.\n"
    "URI is a directory or s3://BUCKET/PREFIX/; \"#sha256=<64 hex digits>\" behind it names a "
    "version.\n";
static const char below[] = "example:\n"
                            "  scored fetch models/days_to_sell/bundle fetched\n"
                            "  scored check fetched\n";

int cmd_fetch(int argc, char **argv)
{
    struct option_list keys = {0}, arguments = {0};
    const struct option options[] = {
        {"trust", OPTION_LIST, &keys, .value = "PUBLIC.pem",
         .help = "fetch only what this Ed25519 key signed; may stand many times, any one suffices"},
    };
    const struct command_line line = {
        "fetch", above, below, {options, countof(options)}, 2, "a URI and a folder are needed"};
    int status;

    if (!command_read(&line, argc, argv, &arguments, &status))
        return status;
    return run(arguments.items[0], arguments.items[1], &keys);
}
