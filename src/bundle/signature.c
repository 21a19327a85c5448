/* SPDX-License-Identifier: Apache-2.0 */
/* DSSE, https://github.com/secure-systems-lab/dsse, version 1 of its protocol; models/FORMAT.md 1.1
 * says which envelopes are read. */
#include "scored/signature.h"
#include "scored/hex.h"

#include "scored/base64.h"
#include "scored/bounds.h"
#include "scored/ed25519.h"
#include "scored/json.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(KEY_ID == sizeof((struct ed25519_public *)0)->id, "one form of key ids");

static const char payload_type[] = "application/vnd.scored.manifest+json";

/* The bytes that are signed: type and payload with their lengths. */
static bool put_signed_bytes(struct buf *b, const char *manifest, size_t n, struct err *e)
{
    buf_printf(b, "DSSEv1 %zu %s %zu ", sizeof payload_type - 1, payload_type, n);
    buf_put(b, manifest, n);
    return !b->failed || err_memory(e);
}

/* -- keys -- */

struct trusted_key {
    struct ed25519_public public;
    char *file;
};

struct trust {
    unsigned n;
    struct trusted_key keys[];
};

struct trust *trust_new(const char *const *files, unsigned n, struct err *e)
{
    struct trust *t = calloc(1, sizeof *t + n * sizeof t->keys[0]);

    if (!t) {
        err_memory(e);
        return NULL;
    }
    for (; t->n < n; t->n++) {
        struct trusted_key *k = &t->keys[t->n];
        if (!ed25519_read_public(&k->public, files[t->n], e))
            break;
        k->file = strdup(files[t->n]);
        if (!k->file) {
            err_memory(e);
            break;
        }
    }
    if (t->n == n)
        return t;
    trust_free(t);
    return NULL;
}

void trust_free(struct trust *t)
{
    for (unsigned i = 0; t && i < t->n; i++)
        free(t->keys[i].file);
    free(t);
}

static const struct trusted_key *find_key(const struct trust *t, const char *id)
{
    for (unsigned i = 0; i < t->n; i++)
        if (strcmp(t->keys[i].public.id, id) == 0)
            return &t->keys[i];
    return NULL;
}

const char *trust_file(const struct trust *t, const char *key)
{
    const struct trusted_key *k = find_key(t, key);

    return k ? k->file : NULL;
}

/* -- the envelope -- */

struct signature {
    const char *key; /* borrows the document */
    unsigned char bytes[ED25519_SIGNATURE];
};

/* An object with these members and no others. */
static bool only(const struct json *v, const char *const *names, uint32_t n, struct err *e)
{
    if (!json_is_object(v))
        return json_fail(v, e, "must be an object");
    return json_only(v, names, e) &&
           (json_size(v) == n || json_fail(v, e, "must have %u members", n));
}

static bool read_signature(const struct json *v, struct signature *s, struct err *e)
{
    static const char *const names[] = {"keyid", "sig", NULL};
    const char *text;

    if (!only(v, names, 2, e) || !json_get_string(v, "keyid", &s->key, e) ||
        !json_get_string(v, "sig", &text, e))
        return false;
    if (!hex_is(s->key, KEY_ID - 1))
        return json_fail(v, e, "keyid must be 64 lower-case hex digits");
    return base64_read(text, s->bytes, sizeof s->bytes) ||
           json_fail(v, e, "sig must be the base64 of 64 bytes");
}

/* The payload is the manifest. Base64 has one text for it, so that texts are compared. */
static bool check_payload(const struct json *root, const char *manifest, size_t n, struct err *e)
{
    struct buf want = {0};
    const char *type, *payload;

    if (!json_get_string(root, "payloadType", &type, e) ||
        !json_get_string(root, "payload", &payload, e))
        return false;
    if (strcmp(type, payload_type) != 0)
        return err_set(e, ERR_BAD_BUNDLE, "payloadType is '%.64s', not %s", type, payload_type);
    buf_base64(&want, (const unsigned char *)manifest, n);
    bool same = !want.failed && strcmp(want.data, payload) == 0;
    bool failed = want.failed;
    buf_done(&want);
    if (failed)
        return err_memory(e);
    return same || err_set(e, ERR_BAD_BUNDLE,
                           "the payload is not this manifest, byte for byte; sign this one");
}

/* True where the key, by whose id it was found, made the signature. */
static bool fits(const struct trusted_key *k, const struct buf *signed_bytes,
                 const struct signature *s, struct err *e)
{
    if (ed25519_verify(&k->public, signed_bytes->data, signed_bytes->len, s->bytes, e))
        return true;
    if (e->code == ERR_BAD_BUNDLE)
        err_set(e, ERR_BAD_BUNDLE,
                "the signature of key %.16s... is not one of this manifest; sign it again "
                "(scored sign)",
                s->key);
    return false;
}

/* Finds the first signature of a trusted key that holds; the form of all of them is checked. An id
 * only says which key is tried. */
static bool find_signer(const struct json *list, const struct trust *t,
                        const struct buf *signed_bytes, const char **key, struct err *e)
{
    struct json_iter it = {0};
    struct err why = {0};
    uint32_t n = json_size(list);

    *key = NULL;
    if (n < 1 || n > ENVELOPE_SIGNATURES)
        return json_fail(list, e, "must have 1 to %d elements", ENVELOPE_SIGNATURES);
    while (json_next(list, &it)) {
        struct signature s = {0};
        if (!read_signature(&it.value, &s, e))
            return false;
        const struct trusted_key *k = find_key(t, s.key);
        if (k && !*key && fits(k, signed_bytes, &s, &why))
            *key = k->public.id;
        if (!k && !why.code)
            err_set(&why, ERR_BAD_BUNDLE,
                    "signed by key %.16s..., which is not trusted; give its public key with "
                    "--trust, or sign with a trusted key (scored sign)",
                    s.key);
    }
    if (!*key)
        *e = why;
    return *key != NULL;
}

/* NOLINTNEXTLINE(readability-function-size): two texts, each with its length */
bool trust_verify(const struct trust *t, const char *envelope, size_t n_envelope,
                  const char *manifest, size_t n_manifest, char key[KEY_ID], struct err *e)
{
    static const char *const names[] = {"payload", "payloadType", "signatures", NULL};
    const struct json_limits limits = {ENVELOPE_BYTES, 4, BOUND_NUMBER};
    struct json_doc *doc = json_parse(envelope, n_envelope, &limits, e);
    struct json root = {0}, list;
    struct buf signed_bytes = {0};
    const char *id = NULL;

    if (doc)
        root = json_root(doc);
    bool ok = doc && only(&root, names, 3, e) && json_get_array(&root, "signatures", &list, e) &&
              check_payload(&root, manifest, n_manifest, e) &&
              put_signed_bytes(&signed_bytes, manifest, n_manifest, e) &&
              find_signer(&list, t, &signed_bytes, &id, e);
    if (ok)
        memcpy(key, id, KEY_ID);
    buf_done(&signed_bytes);
    json_free(doc);
    return ok || err_wrap(e, "signature");
}

/* -- signing -- */

static bool sign(const char *file, const struct buf *b, unsigned char bytes[ED25519_SIGNATURE],
                 char key[KEY_ID], struct err *e)
{
    struct ed25519_private k;
    bool ok = ed25519_read_private(&k, file, e) && ed25519_sign(&k, b->data, b->len, bytes, e);

    if (ok)
        memcpy(key, k.public.id, KEY_ID);
    ed25519_wipe(&k);
    return ok;
}

bool signature_make(const char *private_key_file, const char *manifest, size_t n, struct buf *out,
                    struct err *e)
{
    unsigned char bytes[ED25519_SIGNATURE];
    char key[KEY_ID];
    struct buf signed_bytes = {0};

    bool ok = put_signed_bytes(&signed_bytes, manifest, n, e) &&
              sign(private_key_file, &signed_bytes, bytes, key, e);
    buf_done(&signed_bytes);
    if (!ok)
        return false;
    buf_lit(out, "{\"payload\":\"");
    buf_base64(out, (const unsigned char *)manifest, n);
    buf_printf(out, "\",\"payloadType\":\"%s\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"",
               payload_type, key);
    buf_base64(out, bytes, sizeof bytes);
    buf_lit(out, "\"}]}");
    return !out->failed || err_memory(e);
}
