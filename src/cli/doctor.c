/* SPDX-License-Identifier: Apache-2.0 */
/* scored doctor: why can a bundle not be read from here? */
#include "command_line.h"
#include "commands.h"
#include "published.h"

#include "scored/bounds.h"
#include "scored/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct doctor {
    struct doctor_watch watch;
    struct source *source;
    const struct trust *trust;
    struct published bundle;
    unsigned n_failed;
    bool usage; /* the URI is none */
};

static void tell(void *context, const char *link, enum doctor_state state, const char *what,
                 const char *advice)
{
    static const char *const names[] = {"ok", "FAILED", "skipped"};
    struct doctor *d = context;

    printf("%-27s %-8s %s\n", link, names[state], what);
    if (advice)
        printf("%-27s %-8s -> %s\n", "", "", advice);
    fflush(stdout);
    d->n_failed += state == DOCTOR_FAILED;
}

__attribute__((format(printf, 4, 5))) static bool say(struct doctor *d, const char *link,
                                                      enum doctor_state state, const char *fmt, ...)
{
    char what[600];
    va_list args;

    va_start(args, fmt);
    if (vsnprintf(what, sizeof what, fmt, args) < 0)
        what[0] = '\0';
    va_end(args);
    tell(d, link, state, what, NULL);
    return state != DOCTOR_FAILED;
}

/* -- the bundle -- */

static bool check_pin(struct doctor *d, const struct source_file *f)
{
    struct source *s = d->source;

    say(d, "manifest", DOCTOR_OK, "%s has %zu bytes, sha256 %s", s->manifest, f->n, f->sha256);
    if (!s->pin[0])
        return say(d, "pin", DOCTOR_SKIPPED, "the URI has none (#sha256=...)");
    if (strcmp(s->pin, f->sha256) != 0)
        return say(d, "pin", DOCTOR_FAILED, "the URI wants %s", s->pin);
    return say(d, "pin", DOCTOR_OK, "is the manifest's digest");
}

static bool read_manifest(struct doctor *d)
{
    const struct source_request r = {.name = d->source->manifest, .max = BOUND_MANIFEST};
    struct source_file f = {0};
    struct err e = {0};

    if (source_fetch(d->source, &r, &f, &e)) {
        bool ok = check_pin(d, &f);
        free(f.bytes);
        return ok;
    }
    tell(d, "manifest", DOCTOR_FAILED, e.msg,
         e.code == ERR_NOT_FOUND
             ? "is the place right, and was a bundle published there? The manifest is written last"
             : NULL);
    return false;
}

/* The signature first: nothing is parsed that should be signed and is not. */
static bool read_bundle(struct doctor *d)
{
    struct published *p = &d->bundle;
    struct err e = {0};

    bool ok = published_read(p, d->source, d->trust, &e);
    if (!d->trust)
        say(d, "signature", DOCTOR_SKIPPED, "%s",
            p->envelope.bytes ? "there is one; whose should it be (--trust PUBLIC.pem)?"
                              : "not asked for (--trust PUBLIC.pem)");
    else if (!p->signer[0])
        return say(d, "signature", DOCTOR_FAILED, "%s", e.msg);
    else
        say(d, "signature", DOCTOR_OK, "by %s", trust_file(d->trust, p->signer));
    if (!ok)
        return say(d, "form", DOCTOR_FAILED, "%s", e.msg);
    return say(d, "form", DOCTOR_OK, "%s version %s, %u stages", p->bundle->name,
               p->bundle->version, (unsigned)p->bundle->n_stages);
}

static void look_for(struct doctor *d, enum bundle_role role)
{
    const struct bundle_file *f = &d->bundle.bundle->files[role];
    struct err e = {0};
    uint64_t size;
    char link[64];

    snprintf(link, sizeof link, "file: %s", bundle_role_name(role));
    if (!doctor_size(d->source, f->name, &size, &e))
        say(d, link, DOCTOR_FAILED, "%s", e.msg);
    else if (size != f->size)
        say(d, link, DOCTOR_FAILED, "%s has %llu bytes, the manifest says %llu", f->name,
            (unsigned long long)size, (unsigned long long)f->size);
    else
        say(d, link, DOCTOR_OK, "%s has its %llu bytes", f->name, (unsigned long long)size);
}

static void walk(struct doctor *d, const char *uri)
{
    struct err e = {0};
    bool may_ask;

    if (!doctor_settings(uri, &d->watch, &may_ask))
        return;
    d->source = source_open(uri, NULL, &e);
    if (!d->source) {
        d->usage = e.code == ERR_USAGE && strncmp(uri, "s3://", 5) != 0;
        say(d, "uri", DOCTOR_FAILED, "%s", e.msg);
        return;
    }
    say(d, "uri", DOCTOR_OK, "%s", d->source->uri);
    if (!doctor_way(d->source, &d->watch) || !may_ask)
        say(d, "manifest", DOCTOR_SKIPPED, "not asked for: a link before it is broken");
    else if (read_manifest(d) && read_bundle(d))
        for (unsigned role = 0; role < ROLE_COUNT; role++)
            look_for(d, (enum bundle_role)role);
}

static int run(const char *uri, const struct option_list *keys)
{
    struct doctor d = {.watch = {tell, &d}};
    struct trust *trust = NULL;
    struct err e = {0};

    if (keys->n && !(trust = trust_new(keys->items, keys->n, &e)))
        return command_end("doctor", false, &e);
    d.trust = trust;
    walk(&d, uri);
    if (d.n_failed)
        printf("\n%u link%s failed\n", d.n_failed, d.n_failed == 1 ? "" : "s");
    else
        printf("\nall links hold; scored check goes on: digests, stages, golden rows\n");
    published_done(&d.bundle);
    source_free(d.source);
    trust_free(trust);
    if (d.usage)
        return EXIT_USAGE;
    return d.n_failed ? EXIT_BAD : EXIT_FINE;
}

static const char above[] =
    "usage: scored doctor URI\n\n"
    "Walks the way to a bundle and tells a line a link: ok, FAILED or skipped, and what to do. "
    "For\n"
    "s3://BUCKET/PREFIX/: AWS settings, each source of credentials, region and endpoint with the "
    "setting\n"
    "that decided, proxy, DNS, TCP, TLS, clock; for every URI the manifest, its pin, its "
    "signature, its\n"
    "form, and whether each file that it lists is there. Nothing secret is printed.\n"
    "Exit status 0: all links hold; 1: one failed; 2: usage.\n";
static const char below[] = "example:\n"
                            "  scored doctor models/days_to_sell/bundle\n";

int cmd_doctor(int argc, char **argv)
{
    struct option_list keys = {0}, uris = {0};
    const struct option options[] = {
        {"trust", OPTION_LIST, &keys, .value = "PUBLIC.pem",
         .help = "an Ed25519 public key; may stand many times, any one suffices"},
    };
    const struct command_line line = {
        "doctor", above, below, {options, countof(options)}, 1, "one URI is needed"};
    int status;

    return command_read(&line, argc, argv, &uris, &status) ? run(uris.items[0], &keys) : status;
}
