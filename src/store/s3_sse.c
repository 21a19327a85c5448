/* SPDX-License-Identifier: Apache-2.0 */
#include "s3_priv.h"

#include "scored/base64.h"

#include <fcntl.h>
#include <unistd.h>

enum { KEY_BYTES = 32, KEY_FILE = 128 };

/* The key from a file's bytes: itself, or its base64 on a line. */
static bool read_key(char *text, size_t n, unsigned char key[KEY_BYTES])
{
    if (n == KEY_BYTES) {
        memcpy(key, text, KEY_BYTES);
        return true;
    }
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    text[n] = '\0';
    return base64_read(text, key, KEY_BYTES);
}

static bool put_base64(char *out, size_t size, const unsigned char *p, size_t n, struct err *e)
{
    struct buf b = {0};

    buf_base64(&b, p, n);
    bool ok = !b.failed && b.len < size;
    if (ok)
        memcpy(out, b.data, b.len + 1);
    if (b.data)
        explicit_bzero(b.data, b.len);
    buf_done(&b);
    return ok || err_memory(e);
}

bool s3_sse_read(struct s3_sse *s, const char *path, struct err *e)
{
    char text[KEY_FILE + 1];
    unsigned char key[KEY_BYTES], digest[MD5_SIZE];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return err_errno(e, path);
    ssize_t n = read(fd, text, KEY_FILE);
    close(fd);
    bool ok = (n >= 0 && read_key(text, (size_t)n, key)) ||
              err_set(e, ERR_USAGE, "%s: not a key of 32 bytes, nor the base64 of one", path);
    ok = ok && md5_bytes(key, sizeof key, digest, e) &&
         put_base64(s->key, sizeof s->key, key, sizeof key, e) &&
         put_base64(s->md5, sizeof s->md5, digest, sizeof digest, e);
    explicit_bzero(text, sizeof text);
    explicit_bzero(key, sizeof key);
    return ok;
}
