/* SPDX-License-Identifier: Apache-2.0 */
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool seeds_read(struct seeds *s, const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t cap = 4096, size;

    if (!f)
        return false;
    fseek(f, 0, SEEK_END);
    size_t all = (size_t)ftell(f);
    rewind(f);
    s->data = malloc(all + 1);
    s->begin = calloc(cap, sizeof *s->begin);
    s->size = calloc(cap, sizeof *s->size);
    char *p = s->data;
    while (s->data && s->begin && s->size && s->n < cap && fscanf(f, "%zu", &size) == 1 &&
           fgetc(f) == '\n' && (size_t)(p - s->data) + size <= all &&
           fread(p, 1, size, f) == size) {
        s->begin[s->n] = p;
        s->size[s->n++] = size;
        p += size;
    }
    fclose(f);
    return s->n > 0;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(uint64_t *random, size_t n)
{
    return n ? (size_t)(random_next(random) % n) : 0;
}

/* Puts `m` bytes in the place of `old` of them. */
static size_t replace(char *p, size_t n, size_t cap, size_t at, size_t old, const char *by,
                      size_t m)
{
    if (at + old > n || n - old + m > cap)
        return n;
    memmove(p + at + m, p + at + old, n - at - old);
    memcpy(p + at, by, m);
    return n - old + m;
}

/* Where a line begins, taken at random. */
static size_t some_line(const char *p, size_t n, uint64_t *random)
{
    size_t at = below(random, n);

    while (at && p[at - 1] != '\n')
        at--;
    return at;
}

static size_t line_size(const char *p, size_t n, size_t at)
{
    const char *end = memchr(p + at, '\n', n - at);

    return end ? (size_t)(end - p) + 1 - at : n - at;
}

static const char *const pieces[] = {
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\r\n ",
    "\r\n\t",
    " ",
    "\t",
    ":",
    ": ",
    " :",
    ",",
    ";",
    "\x0b",
    "\x0c",
    "\x7f",
    "\x80",
    "\xff",
    "0",
    "00",
    "9",
    "+",
    "-",
    "0x",
    "_",
    "chunked",
    "identity",
    "gzip, ",
    "close",
    "HTTP/1.0",
    "HTTP/1.1",
    "HTTP/2.0",
    "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff",
    "100000000",
    ";a=b",
    "%00",
    "%0d%0a",
    "*",
    "http://b/",
};

static const char *const lines[] = {
    "Content-Length: 0\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 3, 3\r\n",
    "Content-Length: +3\r\n",
    "Content-Length: 03\r\n",
    "Content-Length : 3\r\n",
    "Content-Length:\r\n 3\r\n",
    "Content-Length: 3 \r\n",
    "Content-Length: 18446744073709551619\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: Chunked\r\n",
    "Transfer-Encoding: identity\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding:\r\n chunked\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: \013chunked\r\n",
    "Transfer_Encoding: chunked\r\n",
    "Host: b\r\n",
    "Host: \r\n",
    "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "Connection: Content-Length\r\n",
    "Connection: X-Request-Id\r\n",
    "Expect: 100-continue\r\n",
    "TE: trailers\r\n",
    "Trailer: Content-Length\r\n",
    "Upgrade: h2c\r\n",
    "X: a\r\n b\r\n",
    ": a\r\n",
    "nothing\r\n",
};

#define SOME(list, random) list[below(random, sizeof(list) / sizeof *(list))]

static size_t change_bytes(char *p, size_t n, size_t cap, uint64_t *random)
{
    size_t at = below(random, n), kind = below(random, 6), run = 1 + below(random, 8);
    const char *piece = SOME(pieces, random);

    if (at + run > n)
        run = n - at;
    switch (kind) {
    case 0: p[at] = (char)(p[at] ^ (1 << below(random, 8))); return n;
    case 1: p[at] = (char)random_next(random); return n;
    case 2: return replace(p, n, cap, at, run, "", 0);
    case 3: return replace(p, n, cap, at, 1, piece, strlen(piece));
    case 4: return replace(p, n, cap, at, 0, "\0", 1);
    default: return replace(p, n, cap, at, 0, piece, strlen(piece));
    }
}

static size_t change_lines(char *p, size_t n, size_t cap, const struct seeds *s, uint64_t *random)
{
    char copy[MUTANT_BYTES];
    size_t from = some_line(p, n, random), to = some_line(p, n, random),
           size = line_size(p, n, from);
    const char *line = SOME(lines, random), *piece = SOME(pieces, random);
    size_t other = below(random, s->n), end = from + size;

    if (size > sizeof copy)
        return n;
    memcpy(copy, p + from, size);
    switch (below(random, 7)) {
    case 0: return replace(p, n, cap, to, 0, copy, size);
    case 1: return replace(p, n, cap, from, size, "", 0);
    case 2: return replace(p, n, cap, from, size, line, strlen(line));
    case 3: return replace(p, n, cap, to, 0, s->begin[other], s->size[other]);
    case 4: return end >= 2 ? replace(p, n, cap, end - 2, 2, piece, strlen(piece)) : n;
    default: return replace(p, n, cap, to, 0, line, strlen(line));
    }
}

/* One up or down, so that a length is almost right. */
static size_t change_number(char *p, size_t n, uint64_t *random)
{
    size_t at = below(random, n);

    for (size_t i = 0; i < n; i++) {
        char *c = &p[(at + i) % n];
        if (*c >= '1' && *c <= '8') {
            *c = (char)(*c + (below(random, 2) ? 1 : -1));
            break;
        }
    }
    return n;
}

size_t mutate_once(char *p, size_t n, size_t cap, const struct seeds *s, uint64_t *random)
{
    if (!n)
        return n;
    switch (below(random, 8)) {
    case 0:
    case 1:
    case 2: return change_bytes(p, n, cap, random);
    case 3: return change_number(p, n, random);
    default: return change_lines(p, n, cap, s, random);
    }
}

size_t mutant(char *out, const struct seeds *s, uint64_t number)
{
    uint64_t random = number * UINT64_C(0xd1342543de82ef95) + 1;
    size_t n = 0, parts = 1 + below(&random, 4), times = below(&random, 6);

    for (size_t i = 0; i < parts; i++) {
        size_t k = below(&random, s->n);
        if (n + s->size[k] > MUTANT_BYTES)
            continue;
        memcpy(out + n, s->begin[k], s->size[k]);
        n += s->size[k];
    }
    for (size_t i = 0; i < times; i++)
        n = mutate_once(out, n, MUTANT_BYTES, s, &random);
    return n;
}
