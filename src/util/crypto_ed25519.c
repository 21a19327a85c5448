/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/ed25519.h"

#include "crypto_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 16384 }; /* a key's file has 120 bytes */

static bool no_memory(struct err *e)
{
    return crypto_failed(ERR_NO_MEMORY, "out of memory (Ed25519)", e);
}

/* -- keys as bytes -- */

static bool set_id(struct ed25519_public *k, EVP_PKEY *key, struct err *e)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);

    if (n <= 0)
        return no_memory(e);
    bool ok = sha256_hex(der, (size_t)n, k->id, e);
    OPENSSL_free(der);
    return ok;
}

static bool set_public(struct ed25519_public *k, EVP_PKEY *key, struct err *e)
{
    size_t n = sizeof k->raw;

    return (EVP_PKEY_get_raw_public_key(key, k->raw, &n) == 1 || no_memory(e)) && set_id(k, key, e);
}

static bool set_private(struct ed25519_private *k, EVP_PKEY *key, struct err *e)
{
    size_t n = sizeof k->raw;

    return (EVP_PKEY_get_raw_private_key(key, k->raw, &n) == 1 || no_memory(e)) &&
           set_public(&k->public, key, e);
}

static EVP_PKEY *public_key(const unsigned char *raw)
{
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, ED25519_KEY);
}

static EVP_PKEY *private_key(const unsigned char *raw)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, ED25519_KEY);
}

bool ed25519_public(struct ed25519_public *k, const unsigned char raw[ED25519_KEY], struct err *e)
{
    EVP_PKEY *key = public_key(raw);
    bool ok = key ? set_public(k, key, e) : no_memory(e);

    EVP_PKEY_free(key);
    return ok;
}

bool ed25519_private(struct ed25519_private *k, const unsigned char raw[ED25519_KEY], struct err *e)
{
    EVP_PKEY *key = private_key(raw);
    bool ok = key ? set_private(k, key, e) : no_memory(e);

    EVP_PKEY_free(key);
    return ok;
}

void ed25519_wipe(struct ed25519_private *k)
{
    OPENSSL_cleanse(k, sizeof *k);
}

/* -- keys as files -- */

struct pem {
    char *name, *header;
    unsigned char *der;
    long n;
};

static void pem_done(struct pem *p)
{
    OPENSSL_free(p->name);
    OPENSSL_free(p->header);
    OPENSSL_clear_free(p->der, p->der ? (size_t)p->n : 0);
    ERR_clear_error();
}

/* Reads a file, which may be a pipe, of at most FILE_MAX - 1 bytes. */
static bool read_text(const char *file, char text[FILE_MAX], size_t *n, struct err *e)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 1;

    *n = 0;
    while (got > 0 && *n < FILE_MAX) {
        got = read(fd, text + *n, FILE_MAX - *n);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            *n += (size_t)got;
    }
    if (got < 0) {
        err_errno(e, file);
        e->code = ERR_USAGE;
    }
    if (fd >= 0)
        close(fd);
    return got >= 0 && (*n < FILE_MAX || err_set(e, ERR_USAGE, "%s: too large for a key", file));
}

/* The only PEM block of a text. */
static bool read_pem(const char *file, const char *text, size_t n, struct pem *p, struct err *e)
{
    static const char mark[] = "-----BEGIN ";
    const char *first = memmem(text, n, mark, sizeof mark - 1);
    size_t left = first ? n - (size_t)(first + 1 - text) : 0;
    BIO *bio = BIO_new_mem_buf(text, (int)n);
    bool ok = true;

    if (!bio)
        ok = no_memory(e);
    else if (first && memmem(first + 1, left, mark, sizeof mark - 1))
        ok = err_set(e, ERR_USAGE, "%s: holds more than one key; give each a file", file);
    else if (!PEM_read_bio(bio, &p->name, &p->header, &p->der, &p->n))
        ok = err_set(e, ERR_USAGE, "%s: not a PEM file", file);
    BIO_free(bio);
    return ok;
}

/* What is said of a PEM block that is not the one wanted: the first row that fits. */
static const struct {
    const char *wanted, *found; /* `found` stands in the block's name */
    const char *text;
} refusals[] = {
    {"PUBLIC KEY", "PRIVATE KEY",
     "a private key stands where the public one belongs; make it by "
     "\"openssl pkey -in PRIVATE.pem -pubout -out PUBLIC.pem\""},
    {"PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
     "the key is encrypted; pass it decrypted: --key <(openssl pkey -in PRIVATE.pem)"},
    {"PRIVATE KEY", "PUBLIC KEY", "a public key cannot sign; give the private one"},
    {"", "", "not an Ed25519 key; make one by \"openssl genpkey -algorithm ed25519\""},
};

static bool refuse(const char *file, const char *wanted, const char *found, struct err *e)
{
    size_t i = 0;

    while (strstr(wanted, refusals[i].wanted) != wanted || !strstr(found, refusals[i].found))
        i++;
    return err_set(e, ERR_USAGE, "%s: %s", file, refusals[i].text);
}

/* The key of a file that was read. */
static EVP_PKEY *parse_key(const char *file, const char *text, size_t n, const char *wanted,
                           struct err *e)
{
    bool private = strcmp(wanted, "PRIVATE KEY") == 0;
    struct pem p = {0};
    EVP_PKEY *key = NULL;

    if (read_pem(file, text, n, &p, e)) {
        const unsigned char *at = p.der;
        bool named = strcmp(p.name, wanted) == 0;
        if (named)
            key = private ? d2i_AutoPrivateKey(NULL, &at, p.n) : d2i_PUBKEY(NULL, &at, p.n);
        if (!key || at != p.der + p.n || EVP_PKEY_id(key) != EVP_PKEY_ED25519) {
            EVP_PKEY_free(key);
            key = NULL;
            refuse(file, wanted, named ? "" : p.name, e);
        }
    }
    pem_done(&p);
    return key;
}

/* Opens the key of a file whose PEM block has this name. OpenSSL does not always tell a lack of
 * memory from a bad file: the second try has the memory that the first lacked, or says so. */
static EVP_PKEY *read_key(const char *file, const char *wanted, struct err *e)
{
    char text[FILE_MAX];
    size_t n;
    EVP_PKEY *key = NULL;

    if (read_text(file, text, &n, e))
        for (unsigned tries = 0; !key && tries < 2; tries++) {
            *e = (struct err){0};
            key = parse_key(file, text, n, wanted, e);
        }
    OPENSSL_cleanse(text, sizeof text);
    return key;
}

bool ed25519_read_public(struct ed25519_public *k, const char *file, struct err *e)
{
    EVP_PKEY *key = read_key(file, "PUBLIC KEY", e);
    bool ok = key && set_public(k, key, e);

    EVP_PKEY_free(key);
    return ok;
}

bool ed25519_read_private(struct ed25519_private *k, const char *file, struct err *e)
{
    EVP_PKEY *key = read_key(file, "PRIVATE KEY", e);
    bool ok = key && set_private(k, key, e);

    EVP_PKEY_free(key);
    return ok;
}

/* -- signatures -- */

bool ed25519_sign(const struct ed25519_private *k, const void *p, size_t n,
                  unsigned char signature[ED25519_SIGNATURE], struct err *e)
{
    EVP_PKEY *key = private_key(k->raw);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t size = ED25519_SIGNATURE;
    bool ok = key && c && EVP_DigestSignInit(c, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(c, signature, &size, p, n) == 1 && size == ED25519_SIGNATURE;

    EVP_MD_CTX_free(c);
    EVP_PKEY_free(key);
    return ok || no_memory(e);
}

/* One try. False with no error: it is not the key's signature, or a lack of memory that OpenSSL
 * does not tell from that. */
static bool verify(EVP_PKEY *key, const void *p, size_t n,
                   const unsigned char signature[ED25519_SIGNATURE], struct err *e)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ready = c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, key) == 1;
    bool good = ready && EVP_DigestVerify(c, signature, ED25519_SIGNATURE, p, n) == 1;

    EVP_MD_CTX_free(c);
    return ready ? good : no_memory(e);
}

bool ed25519_verify(const struct ed25519_public *k, const void *p, size_t n,
                    const unsigned char signature[ED25519_SIGNATURE], struct err *e)
{
    EVP_PKEY *key = public_key(k->raw);
    struct err why = {0};
    /* the second try has the memory that the first may have lacked, or says so */
    bool good = key && (verify(key, p, n, signature, &why) ||
                        (!why.code && verify(key, p, n, signature, &why)));

    EVP_PKEY_free(key);
    ERR_clear_error();
    if (!key || why.code)
        return no_memory(e);
    return good || err_set(e, ERR_BAD_BUNDLE, "the signature does not fit");
}
