/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs requests that come as lines, for differential.py. A line has fields with a tab between:
 *
 *   rule method path query date region service key-id secret payload name value name value ...
 *
 * A path that begins with "key:" is encoded first, as S3 keys are. The answer is a line "<path>
 * <digest of the canonical request> <signature>", or "! <why>".
 */
#include "../../src/store/sigv4.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIELDS = 10 + 2 * SIGV4_MAX_ITEMS };

static unsigned split(char *line, char *fields[FIELDS])
{
    unsigned n = 0;

    line[strcspn(line, "\n")] = '\0';
    while (line && n < FIELDS)
        fields[n++] = strsep(&line, "\t");
    return n;
}

static enum sigv4_path rule_of(const char *name)
{
    if (strcmp(name, "s3") == 0)
        return SIGV4_AS_SENT;
    return strcmp(name, "plain") == 0 ? SIGV4_ENCODED_AGAIN : SIGV4_NORMALISED;
}

static bool sign(char *const *f, unsigned n, struct sigv4_key *cache, struct err *e)
{
    struct http_header headers[SIGV4_MAX_ITEMS];
    struct buf path = {0}, text = {0};
    char digest[SHA256_HEX + 1];

    for (unsigned i = 10; i + 1 < n; i += 2)
        headers[i / 2 - 5] = (struct http_header){f[i], f[i + 1]};
    if (strncmp(f[2], "key:", 4) == 0)
        url_encode(&path, f[2] + 4, strlen(f[2] + 4), true);
    else
        buf_text(&path, f[2]);
    struct sigv4_request r = {.method = f[1],
                              .path = path.data,
                              .query = f[3],
                              .headers = headers,
                              .n_headers = (n - 10) / 2,
                              .payload_sha256 = f[9],
                              .rule = rule_of(f[0])};
    struct sigv4_signer s = {.key_id = f[7], .secret = f[8], .region = f[5], .service = f[6]};
    s.cache = cache;
    snprintf(s.date, sizeof s.date, "%s", f[4]);
    bool ok = sigv4_authorization(&r, &s, &text, digest, e);
    if (ok)
        printf("%s %s %s\n", path.data, digest, text.data + text.len - SHA256_HEX);
    buf_done(&path);
    buf_done(&text);
    return ok;
}

int main(void)
{
    struct sigv4_key cache = {0};
    char *line = NULL, *fields[FIELDS];
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0) {
        struct err e = {0};
        unsigned n = split(line, fields);
        if (n < 10 || !sign(fields, n, &cache, &e))
            printf("! %s\n", n < 10 ? "too few fields" : e.msg);
    }
    free(line);
    return 0;
}
