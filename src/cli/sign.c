/* SPDX-License-Identifier: Apache-2.0 */
/* scored sign: a signature beside a bundle's manifest. What check would refuse is not signed: a
 * signature says that somebody answers for the bundle. */
#include "command_line.h"
#include "commands.h"
#include "open_model.h"
#include "published.h"

#include "scored/file.h"

#include <stdio.h>
#include <string.h>

enum { READABLE = 0644 }; /* less the umask */

/* The folder of a URI that source_open took for a directory. */
static const char *folder_of(const char *uri)
{
    return strncmp(uri, "file://", 7) == 0 ? uri + 7 : uri;
}

/* The bundle is sound, and is still the one that was read. */
static bool check(const struct published *p, const char *uri, struct err *e)
{
    struct model *m = open_model(uri, MODEL_ONCE, e);
    bool same = m && strcmp(m->bundle->sha256, p->manifest.sha256) == 0;

    if (m && !same)
        err_set(e, ERR_BAD_BUNDLE, "%s: another version was published meanwhile; sign again", uri);
    model_release(m);
    return same;
}

static bool make(const struct published *p, const char *key, struct buf *envelope, struct err *e)
{
    return signature_make(key, (const char *)p->manifest.bytes, p->manifest.n, envelope, e);
}

static bool is_local(const struct source *s, struct err *e)
{
    return !s->remote || err_set(e, ERR_USAGE,
                                 "%s: only a folder can be signed; scored fetch it, sign it, and "
                                 "copy the .dsse file beside the manifest",
                                 s->uri);
}

static bool sign(const char *uri, const char *key, bool no_check, struct err *e)
{
    struct source *s = source_open(uri, NULL, e);
    struct published p = {0};
    struct buf envelope = {0};

    bool ok =
        s && is_local(s, e) && published_read(&p, s, NULL, e) && make(&p, key, &envelope, e) &&
        (no_check || check(&p, uri, e)) &&
        file_put(folder_of(s->uri), p.envelope_name, envelope.data, envelope.len, READABLE, e);
    if (ok)
        printf("%s/%s: %s version %s, sha256 %s\n", folder_of(s->uri), p.envelope_name,
               p.bundle->name, p.bundle->version, p.manifest.sha256);
    buf_done(&envelope);
    published_done(&p);
    source_free(s);
    return ok;
}

static const char above[] =
    "usage: scored sign --key PRIVATE.pem DIR\n\n"
    "Signs a bundle: writes bundle-<first 16 digits of its digest>.dsse beside its manifest, a "
    "DSSE\n"
    "envelope with an Ed25519 signature over the manifest, and so over every file that it lists. "
    "The\n"
    "bundle is checked first, golden rows included. An older signature of the same version is "
    "replaced.\n"
    "\"#sha256=<64 hex digits>\" behind DIR names a version.\n";
static const char below[] =
    "A key is made once; the private half stays where models are published, the public one goes "
    "to\n"
    "whoever serves them.\n"
    "\nexample:\n"
    "  openssl genpkey -algorithm ed25519 -out private.pem\n"
    "  openssl pkey -in private.pem -pubout -out public.pem\n"
    "  cp -r models/days_to_sell/bundle signed\n"
    "  scored sign --key private.pem signed\n"
    "  scored verify --trust public.pem signed\n";

int cmd_sign(int argc, char **argv)
{
    struct option_list uris = {0};
    const char *key = NULL;
    bool no_check = false;
    const struct option options[] = {
        {"key", OPTION_TEXT, &key, .value = "PRIVATE.pem", .help = "an Ed25519 private key",
         .missing = "with which key? --key PRIVATE.pem"},
        {"no-check", OPTION_SWITCH, &no_check,
         .help = "sign without compiling the model and replaying its golden rows"},
    };
    const struct command_line line = {
        "sign", above, below, {options, countof(options)}, 1, "one folder is needed"};
    struct err e = {0};
    int status;

    if (!command_read(&line, argc, argv, &uris, &status))
        return status;
    return command_end("sign", sign(uris.items[0], key, no_check, &e), &e);
}
