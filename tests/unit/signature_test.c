/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include "scored/base64.h"
#include "scored/bounds.h"
#include "scored/ed25519.h"
#include "scored/signature.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -- base64 -- */

static const struct {
    const char *bytes, *text;
} base64_cases[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
};

static void base64_of_rfc_4648(void **state)
{
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < countof(base64_cases); i++) {
        unsigned char out[8];
        size_t n = strlen(base64_cases[i].bytes);
        buf_reset(&b);
        buf_base64(&b, (const unsigned char *)base64_cases[i].bytes, n);
        assert_false(b.failed);
        assert_string_equal(b.data, base64_cases[i].text);
        assert_true(base64_read(base64_cases[i].text, out, n));
        assert_memory_equal(out, base64_cases[i].bytes, n);
    }
    buf_base64(&b, (const unsigned char *)"", SIZE_MAX);
    assert_true(b.failed);
    buf_done(&b);
}

static void base64_is_strict(void **state)
{
    static const struct {
        const char *text;
        size_t n;
    } cases[] = {
        {"Zg=", 1},  {"Zg", 1},       {"Zg==", 2},     {"Zg==", 3},    {"Zm8=", 1},
        {"Zh==", 1}, {"Zm9=", 2},     {"Zg==\n", 1},   {" Zg==", 1},   {"Z===", 1},
        {"-__-", 3}, {"Zg==Zg==", 4}, {"Zm9v====", 3}, {"====", 0},    {"Z\0==", 1},
        {"Zm9v", 2}, {"Z=9v", 3},     {"Zm=v", 3},     {"Zm9\xc3", 3}, {"Zm9vYg==", 3},
    };
    unsigned char out[8];

    (void)state;
    for (size_t i = 0; i < countof(cases); i++)
        assert_false(base64_read(cases[i].text, out, cases[i].n));
}

/* -- Ed25519 -- */

static void unhex(const char *hex, unsigned char *out)
{
    for (unsigned value; sscanf(hex, "%2x", &value) == 1; hex += 2)
        *out++ = (unsigned char)value;
}

/* RFC 8032, 7.1 */
static const struct vector {
    const char *name, *private, *public, *message, *signature;
} vectors[] = {
    {"1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
    {"SHA(abc)", "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "b"
     "bd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0"
     "303dca179c138ac17ad9bef1177331a704"},
};

static void vectors_of_rfc_8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(vectors); i++) {
        const struct vector *v = &vectors[i];
        unsigned char raw[ED25519_KEY], public[ED25519_KEY], message[64];
        unsigned char want[ED25519_SIGNATURE], got[ED25519_SIGNATURE];
        size_t n = strlen(v->message) / 2;
        struct ed25519_private k;
        struct ed25519_public p;
        struct err e = {0};
        unhex(v->private, raw);
        unhex(v->public, public);
        unhex(v->message, message);
        unhex(v->signature, want);
        assert_true(ed25519_private(&k, raw, &e));
        assert_memory_equal(k.public.raw, public, sizeof public);
        assert_true(ed25519_public(&p, public, &e));
        assert_string_equal(p.id, k.public.id);
        assert_true(ed25519_sign(&k, message, n, got, &e));
        assert_memory_equal(got, want, sizeof want);
        assert_true(ed25519_verify(&p, message, n, want, &e));
        for (size_t bit = 0; bit < 8 * sizeof want; bit++) {
            got[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_false(ed25519_verify(&p, message, n, got, &e));
            assert_int_equal(e.code, ERR_BAD_BUNDLE);
            got[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        ed25519_wipe(&k);
        assert_int_equal(k.raw[0] | k.raw[31] | k.public.raw[0], 0);
    }
}

/* The group's order added to S: the same point, another signature; RFC 8032 5.1.7 refuses it. */
static void a_signature_has_one_form(void **state)
{
    static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
                                            0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
                                            0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    unsigned char public[ED25519_KEY], signature[ED25519_SIGNATURE];
    struct ed25519_public p;
    struct err e = {0};
    unsigned carry = 0;

    (void)state;
    unhex(vectors[0].public, public);
    unhex(vectors[0].signature, signature);
    assert_true(ed25519_public(&p, public, &e));
    for (size_t i = 0; i < sizeof order; i++) {
        carry += signature[32 + i] + order[i];
        signature[32 + i] = (unsigned char)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_false(ed25519_verify(&p, "", 0, signature, &e));
}

/* -- files -- */

#define PEM(kind, text) "-----BEGIN " kind "-----\n" text "\n-----END " kind "-----\n"

/* The keys of vectors 1 and 2, as OpenSSL writes them. */
static const char private_1[] =
    PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g");
static const char public_1[] =
    PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
static const char private_2[] =
    PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7");
static const char public_2[] =
    PEM("PUBLIC KEY", "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=");
static const char public_x25519[] =
    PEM("PUBLIC KEY", "MCowBQYDK2VuAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=");
static const char private_x25519[] =
    PEM("PRIVATE KEY", "MC4CAQAwBQYDK2VuBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7");
static const char encrypted[] = PEM("ENCRYPTED PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIA==");
static const char certificate[] = PEM("CERTIFICATE", "MC4CAQAwBQYDK2VwBCIEIA==");
static const char rsa[] = PEM("RSA PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIA==");
static const char longer[] =
    PEM("PUBLIC KEY", "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoAAA==");

enum { FILES = 4, PATH = 64 };

static char folder[] = "/tmp/scored-signature-XXXXXX";
static char paths[FILES][PATH];

static const char *put(unsigned i, const char *text, size_t n)
{
    snprintf(paths[i], PATH, "%s/key%u.pem", folder, i);
    FILE *f = fopen(paths[i], "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return paths[i];
}

static const char *put_text(unsigned i, const char *text)
{
    return put(i, text, strlen(text));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    for (unsigned i = 0; i < FILES; i++)
        if (paths[i][0])
            unlink(paths[i]);
    return rmdir(folder);
}

static void keys_of_files(void **state)
{
    struct ed25519_private k;
    struct ed25519_public p;
    struct err e = {0};
    unsigned char want[ED25519_KEY];

    (void)state;
    unhex(vectors[0].private, want);
    assert_true(ed25519_read_private(&k, put_text(0, private_1), &e));
    assert_memory_equal(k.raw, want, sizeof want);
    unhex(vectors[0].public, want);
    assert_true(ed25519_read_public(&p, put_text(0, public_1), &e));
    assert_memory_equal(p.raw, want, sizeof want);
    assert_string_equal(p.id, k.public.id);
    /* openssl pkey -pubin -in ... -outform DER | sha256sum */
    assert_string_equal(p.id, "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9");
}

static void bad_key_files_are_named(void **state)
{
    static char huge[20000], two[2 * sizeof public_1];
    static const struct {
        const char *text;
        bool private;
        const char *want;
    } cases[] = {
        {"", false, "not a PEM file"},
        {"garbage\n", false, "not a PEM file"},
        {"-----BEGIN PUBLIC KEY-----\n", false, "not a PEM file"},
        {PEM("PUBLIC KEY", "!!!!"), false, "not a PEM file"},
        {PEM("PUBLIC KEY", "AAAA"), false, "openssl genpkey -algorithm ed25519"},
        {longer, false, "not an Ed25519 key"},
        {public_x25519, false, "not an Ed25519 key"},
        {certificate, false, "not an Ed25519 key"},
        {private_1, false, "openssl pkey -in PRIVATE.pem -pubout"},
        {encrypted, false, "a private key stands where the public one belongs"},
        {two, false, "more than one key"},
        {huge, false, "too large for a key"},
        {"", true, "not a PEM file"},
        {public_1, true, "a public key cannot sign"},
        {encrypted, true, "the key is encrypted"},
        {rsa, true, "not an Ed25519 key"},
        {private_x25519, true, "not an Ed25519 key"},
        {huge, true, "too large for a key"},
    };

    (void)state;
    memset(huge, 'x', sizeof huge - 1);
    snprintf(two, sizeof two, "%s%s", public_1, public_1);
    for (size_t i = 0; i < countof(cases); i++) {
        struct err e = {0};
        struct buf out = {0};
        const char *file = put_text(0, cases[i].text);
        if (cases[i].private)
            assert_false(signature_make(file, "{}", 2, &out, &e));
        else
            assert_null(trust_new(&file, 1, &e));
        assert_int_equal(e.code, ERR_USAGE);
        if (!strstr(e.msg, cases[i].want) || strncmp(e.msg, file, strlen(file)) != 0)
            fail_msg("case %zu: %s", i, e.msg);
        buf_done(&out);
    }
}

static void missing_key_files_are_named(void **state)
{
    const char *files[] = {put_text(0, public_1), "/nowhere/key.pem"};
    struct buf out = {0};
    struct err e = {0};

    (void)state;
    assert_null(trust_new(files, 2, &e));
    assert_int_equal(e.code, ERR_USAGE);
    assert_string_equal(e.msg, "/nowhere/key.pem: No such file or directory");
    assert_false(signature_make(folder, "{}", 2, &out, &e)); /* a folder */
    assert_non_null(strstr(e.msg, "Is a directory"));
    assert_int_equal(out.len, 0);
}

/* Any file whatever: read or refused, and never a key that is not in it. */
static void altered_key_files(void **state)
{
    char text[sizeof public_1];
    struct ed25519_public want, p;
    struct err e = {0};

    (void)state;
    assert_true(ed25519_read_public(&want, put_text(0, public_1), &e));
    for (size_t i = 0; i < sizeof text - 1; i++) {
        memcpy(text, public_1, sizeof text);
        text[i] ^= 1;
        if (!ed25519_read_public(&p, put(0, text, sizeof text - 1), &e))
            assert_int_equal(e.code, ERR_USAGE);
    }
}

/* -- envelopes -- */

static const char manifest[] = "{\"format\":\"scored-bundle\",\n\"name\":\"caf\xc3\xa9\"}\n";

static struct trust *trust(const char *first, const char *second)
{
    const char *files[2] = {put_text(0, first), second ? put_text(1, second) : NULL};
    struct err e = {0};
    struct trust *t = trust_new(files, second ? 2 : 1, &e);

    assert_non_null(t);
    return t;
}

static struct buf envelope(const char *private)
{
    struct buf b = {0};
    struct err e = {0};

    assert_true(signature_make(put_text(2, private), manifest, sizeof manifest - 1, &b, &e));
    return b;
}

static bool verify(const struct trust *t, const char *text, size_t n, char key[KEY_ID],
                   struct err *e)
{
    return trust_verify(t, text, n, manifest, sizeof manifest - 1, key, e);
}

static void a_good_envelope(void **state)
{
    struct trust *t = trust(public_1, NULL), *both = trust(public_2, public_1);
    struct buf b = envelope(private_1), other = envelope(private_2);
    char key[KEY_ID] = "";
    struct err e = {0};

    (void)state;
    assert_true(verify(t, b.data, b.len, key, &e));
    assert_int_equal(strlen(key), 64);
    assert_string_equal(trust_file(t, key), paths[0]);
    assert_true(verify(both, b.data, b.len, key, &e));
    assert_string_equal(trust_file(both, key), paths[1]);
    assert_true(verify(both, other.data, other.len, key, &e));
    assert_string_equal(trust_file(both, key), paths[0]);
    assert_int_equal(e.code, ERR_NONE);
    assert_null(trust_file(t, key));
    assert_false(verify(t, other.data, other.len, key, &e));
    assert_int_equal(e.code, ERR_BAD_BUNDLE);
    assert_non_null(strstr(e.msg, "not trusted; give its public key with --trust"));
    trust_free(t);
    trust_free(both);
    trust_free(NULL);
    buf_done(&b);
    buf_done(&other);
}

/* The bytes of an envelope, from DSSE's own words; the signature from "openssl pkeyutl -sign". */
static void exact_bytes(void **state)
{
    static const char head[] =
        "{\"payload\":\"eyJmb3JtYXQiOiJzY29yZWQtYnVuZGxlIiwKIm5hbWUiOiJjYWbDq"
        "SJ9Cg==\",\"payloadType\":\"application/vnd.scored.manifest+json\","
        "\"signatures\":[{\"keyid\":\"";
    static const char signed_bytes[] =
        "DSSEv1 36 application/vnd.scored.manifest+json 43 {\"format\":\"scored-bundle\",\n"
        "\"name\":\"caf\xc3\xa9\"}\n";
    struct buf b = envelope(private_1);
    unsigned char raw[ED25519_KEY], signature[ED25519_SIGNATURE];
    struct ed25519_public p;
    struct err e = {0};

    (void)state;
    assert_memory_equal(b.data, head, sizeof head - 1);
    assert_memory_equal(b.data + b.len - 4, "\"}]}", 4);
    b.data[b.len - 4] = '\0';
    assert_true(base64_read(b.data + b.len - 4 - 88, signature, sizeof signature));
    unhex(vectors[0].public, raw);
    assert_true(ed25519_public(&p, raw, &e));
    assert_memory_equal(b.data + sizeof head - 1, p.id, 64);
    assert_true(ed25519_verify(&p, signed_bytes, sizeof signed_bytes - 1, signature, &e));
    buf_done(&b);
}

static void every_flipped_byte_is_refused(void **state)
{
    struct trust *t = trust(public_1, public_2);
    struct buf b = envelope(private_1);
    char copy[sizeof manifest], key[KEY_ID];
    unsigned forged = 0, tried = 0;

    (void)state;
    for (size_t i = 0; i < b.len; i++) {
        for (unsigned x = 1; x < 256; x++, tried++) {
            struct err e = {0};
            b.data[i] = (char)(b.data[i] ^ x);
            forged += verify(t, b.data, b.len, key, &e);
            assert_true(e.code == ERR_BAD_BUNDLE && e.msg[0] && !strchr(e.msg, '\n'));
            b.data[i] = (char)(b.data[i] ^ x);
        }
    }
    for (size_t i = 0; i < sizeof manifest - 1; i++) {
        for (unsigned x = 1; x < 256; x++, tried++) {
            struct err e = {0};
            memcpy(copy, manifest, sizeof copy);
            copy[i] = (char)(copy[i] ^ x);
            forged += trust_verify(t, b.data, b.len, copy, sizeof copy - 1, key, &e);
        }
    }
    for (size_t n = 0; n < b.len; n++, tried++) {
        struct err e = {0};
        forged += verify(t, b.data, n, key, &e);
    }
    for (size_t n = 0; n < sizeof manifest - 1; n++, tried++) {
        struct err e = {0};
        forged += trust_verify(t, b.data, b.len, manifest, n, key, &e);
    }
    assert_int_equal(forged, 0);
    assert_true(tried > 70000);
    trust_free(t);
    buf_done(&b);
}

/* An envelope made of its parts, to be made wrongly. */
struct parts {
    const char *payload, *type, *signatures;
};

static void put_envelope(struct buf *b, const struct parts *p)
{
    buf_reset(b);
    buf_printf(b, "{%s%s%s}", p->payload, p->type, p->signatures);
}

static char good_payload[128], good_one[256], good_two[256], sixteen[8192], seventeen[8192];
static const char good_type[] = ",\"payloadType\":\"application/vnd.scored.manifest+json\"";

static void repeat(char *out, size_t size, unsigned n)
{
    size_t at = (size_t)snprintf(out, size, ",\"signatures\":[");

    for (unsigned i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? "," : "",
                               i == n - 1 ? good_one : good_two);
    snprintf(out + at, size - at, "]");
}

static void cut(char *out, size_t size, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from), *end = strstr(at, to);

    snprintf(out, size, "%.*s%s", (int)(end - at), at, to);
}

static void forms_of_envelopes(void **state)
{
    struct buf b = envelope(private_1), other = envelope(private_2);
    struct trust *t = trust(public_1, NULL);
    static char one[300], mixed[600], twice[600], many[200], extra[400], swapped[300], wide[400],
        upper[600];
    char key[KEY_ID], id[80];

    (void)state;
    cut(good_payload, sizeof good_payload, b.data, "\"payload\"", "\",");
    good_payload[strlen(good_payload) - 1] = '\0';
    cut(good_one, sizeof good_one, b.data, "{\"keyid\"", "\"}");
    cut(good_two, sizeof good_two, other.data, "{\"keyid\"", "\"}");
    snprintf(id, sizeof id, "%.*s", 64, strstr(good_one, ":\"") + 2);
    repeat(sixteen, sizeof sixteen, 16);
    repeat(seventeen, sizeof seventeen, 17);
    snprintf(one, sizeof one, ",\"signatures\":[%s]", good_one);
    snprintf(mixed, sizeof mixed, ",\"signatures\":[%s,%s]", good_two, good_one);
    snprintf(twice, sizeof twice, ",\"signatures\":[%s],\"signatures\":[%s]", good_one, good_one);
    snprintf(many, sizeof many, ",\"signatures\":[{\"keyid\":\"%s\"}]", id);
    snprintf(extra, sizeof extra, ",\"signatures\":[%.*s,\"x-a\":1}]", (int)strlen(good_one) - 1,
             good_one);
    /* the right signature under another key's name, and the other way round */
    snprintf(swapped, sizeof swapped, ",\"signatures\":[{\"keyid\":\"%s\",%s]", id,
             strstr(good_two, "\"sig\""));
    snprintf(wide, sizeof wide, ",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"}]", id, "AAAA");
    snprintf(upper, sizeof upper, ",\"signatures\":[%s,{\"keyid\":\"%064X\",%s]", good_one, 10,
             strstr(good_two, "\"sig\""));
    const struct {
        struct parts parts;
        const char *want; /* NULL: good */
    } cases[] = {
        {{good_payload, good_type, one}, NULL},
        {{good_payload, good_type, mixed}, NULL},
        {{good_payload, good_type, sixteen}, NULL},
        {{good_payload, good_type, seventeen}, "signatures: must have 1 to 16 elements"},
        {{good_payload, good_type, ",\"signatures\":[]"}, "signatures: must have 1 to 16"},
        {{good_payload, good_type, ",\"signatures\":{}"}, "signatures"},
        {{good_payload, good_type, ",\"signatures\":[[]]"}, "signatures[0]: must be an object"},
        {{good_payload, good_type, ",\"signatures\":[[[[[]]]]]"}, "nested too deeply"},
        {{good_payload, good_type, ""}, "members"},
        {{good_payload, "", one}, "members"},
        {{good_payload, good_type, twice}, "twice"},
        {{good_payload, good_type, many}, "signatures[0]: must have 2 members"},
        {{good_payload, good_type, extra}, "signatures[0]: must have 2 members"},
        {{good_payload, good_type, swapped}, "is not one of this manifest"},
        {{good_payload, good_type, wide}, "sig must be the base64 of 64 bytes"},
        {{good_payload, good_type, upper}, "signatures[1]: keyid must be 64 lower-case"},
        {{"\"payload\":1", good_type, one}, "payload"},
        {{"\"payload\":\"\"", good_type, one}, "the payload is not this manifest"},
        {{"\"x-more\":1,\"payload\":\"\"", good_type, one}, "must have 3 members"},
        {{"\"more\":1,\"payload\":\"\"", good_type, one}, "unknown key 'more'"},
        {{good_payload, ",\"payloadType\":\"application/json\"", one}, "payloadType is"},
        {{good_payload, ",\"payloadType\":null", one}, "payloadType"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct err e = {0};
        put_envelope(&b, &cases[i].parts);
        bool good = verify(t, b.data, b.len, key, &e);
        if (good != !cases[i].want || (!good && !strstr(e.msg, cases[i].want)))
            fail_msg("case %zu: %s", i, e.msg);
        buf_text(&b, " x");
        assert_false(verify(t, b.data, b.len, key, &e));
    }
    trust_free(t);
    buf_done(&b);
    buf_done(&other);
}

static void sizes(void **state)
{
    struct trust *t = trust(public_1, NULL);
    size_t n = BOUND_MANIFEST;
    char *text = malloc(n), key[KEY_ID];
    struct buf b = {0};
    struct err e = {0};

    (void)state;
    assert_non_null(text);
    memset(text, 'x', n);
    assert_true(signature_make(put_text(2, private_1), text, n, &b, &e));
    assert_true(trust_verify(t, b.data, b.len, text, n, key, &e));
    while (b.len <= ENVELOPE_BYTES)
        buf_char(&b, ' ');
    assert_false(trust_verify(t, b.data, b.len, text, n, key, &e));
    assert_non_null(strstr(e.msg, "at most 2097152 are allowed"));
    buf_done(&b);
    free(text);
    trust_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_of_rfc_4648),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(vectors_of_rfc_8032),
        cmocka_unit_test(a_signature_has_one_form),
        cmocka_unit_test(keys_of_files),
        cmocka_unit_test(bad_key_files_are_named),
        cmocka_unit_test(missing_key_files_are_named),
        cmocka_unit_test(altered_key_files),
        cmocka_unit_test(a_good_envelope),
        cmocka_unit_test(exact_bytes),
        cmocka_unit_test(every_flipped_byte_is_refused),
        cmocka_unit_test(forms_of_envelopes),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests_name("signature", tests, make_folder, remove_folder);
}
