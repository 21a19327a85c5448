/* SPDX-License-Identifier: Apache-2.0 */
/* An even first byte: the rest is an envelope, refused with one line or good for the one manifest
 * that was signed. An odd one: the rest edits a good envelope and its manifest; what differs from
 * them is refused. */
#include "scored/ed25519.h"
#include "scored/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EDITS = 32 }; /* too few to swap members, which would make another good envelope */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The keys of RFC 8032's tests 1 and 2. */
static const char private_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const char public_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                 "-----END PUBLIC KEY-----\n";
static const char other_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
                                "-----END PUBLIC KEY-----\n";
static const char manifest[] = "{\"format\":\"scored-bundle\"}\n";

static struct trust *trust, *other;
static struct buf envelope;

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static const char *file_of(const char *text, char path[32])
{
    memcpy(path, "/tmp/scored-fuzz-XXXXXX", 24);
    int fd = mkstemp(path);
    ssize_t n = (ssize_t)strlen(text);
    require(fd >= 0 && write(fd, text, (size_t)n) == n && close(fd) == 0, "a key's file");
    return path;
}

static struct trust *trust_of(const char *pem)
{
    char path[32];
    const char *file = file_of(pem, path);
    struct err e = {0};
    struct trust *t = trust_new(&file, 1, &e);

    unlink(path);
    require(t != NULL, e.msg);
    return t;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char path[32], key[KEY_ID];
    struct err e = {0};

    (void)argc;
    (void)argv;
    trust = trust_of(public_pem);
    other = trust_of(other_pem);
    require(
        signature_make(file_of(private_pem, path), manifest, sizeof manifest - 1, &envelope, &e) &&
            trust_verify(trust, envelope.data, envelope.len, manifest, sizeof manifest - 1, key,
                         &e),
        e.msg);
    unlink(path);
    return 0;
}

/* Whether it is good; a refusal has a reason. */
static bool good(const struct trust *t, const char *text, size_t n, const char *signed_text)
{
    struct err e = {0};
    char key[KEY_ID];
    bool ok = trust_verify(t, text, n, signed_text, sizeof manifest - 1, key, &e);

    require(ok || (e.code == ERR_BAD_BUNDLE && e.msg[0] && !strchr(e.msg, '\n')),
            "a refusal has a reason");
    require(!ok || trust_file(t, key), "a signer is one of the trusted");
    return ok;
}

static void any_envelope(const char *text, size_t n)
{
    char altered[sizeof manifest];

    memcpy(altered, manifest, sizeof manifest);
    altered[n % (sizeof manifest - 1)] ^= 1;
    require(!good(other, text, n, manifest), "another key");
    require(!good(trust, text, n, altered), "another manifest");
    require(good(trust, text, n, manifest) == good(trust, text, n, manifest), "always the same");
}

static void edited(const uint8_t *data, size_t size)
{
    size_t n = envelope.len, all = n + sizeof manifest - 1;
    char *text = malloc(all + 1);

    require(text != NULL, "memory");
    memcpy(text, envelope.data, n);
    memcpy(text + n, manifest, sizeof manifest);
    for (size_t i = 0; i + 2 < size && i < (size_t)3 * EDITS; i += 3) {
        size_t at = ((size_t)data[i] << 8 | data[i + 1]) % all;
        text[at] = (char)(text[at] ^ data[i + 2]);
    }
    bool same = !memcmp(text, envelope.data, n) && !memcmp(text + n, manifest, sizeof manifest);
    require(good(trust, text, n, text + n) == same, "good where nothing was altered");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (data[0] & 1)
        edited(data + 1, size - 1);
    else
        any_envelope((const char *)data + 1, size - 1);
    return 0;
}
