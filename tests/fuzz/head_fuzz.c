/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the head of a request. What head_judge says is held against a second reading of the
 * same rules, line by line and by regular expressions; and each prefix must say the same or "go
 * on".
 */
#include "../../src/http/head.h"
#include "scored/err.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define ESCAPE     "%([2-689A-Fa-f][0-9A-Fa-f]|7[0-9A-Ea-e])"
#define NAME       "([A-Za-z0-9._~!$&'()*+;=-]|" ESCAPE ")+"
#define AUTHORITY  "(\\[[0-9A-Fa-f:.]{2,}]|" NAME ")(:([0-9]*))?"
#define TOKEN_TEXT "[!#$%&'*+.^_`|~0-9A-Za-z-]"

enum pattern { LINE, TARGET, ABSOLUTE, FIELD, HOST, LENGTH, CHUNKED, LAYERED, ONCE, PATTERNS };
static regex_t compiled[PATTERNS];
static const char *const sources[PATTERNS] = {
    [LINE] = "^(" TOKEN_TEXT "{1,32}) ([^ ]+) HTTP/([0-9])[.]([0-9])$",
    [TARGET] = "^([]!$&'()*+,./0-9:;=?@A-Z[^_`a-z{|}~-]|" ESCAPE ")+$",
    [ABSOLUTE] = "^[Hh][Tt][Tt][Pp]://" AUTHORITY "([/?].*)?$",
    [FIELD] = "^(" TOKEN_TEXT "+):[ \t]*(([^ \t].*)?[^ \t])?[ \t]*$",
    [HOST] = "^" AUTHORITY "$",
    [LENGTH] = "^(0|[1-9][0-9]{0,14})$",
    [CHUNKED] = "^[Cc][Hh][Uu][Nn][Kk][Ee][Dd]$",
    [LAYERED] = "^(" TOKEN_TEXT "+[ \t]*,[ \t]*)+[Cc][Hh][Uu][Nn][Kk][Ee][Dd]$",
    [ONCE] = "(^|,)[ \t]*([Cc][Hh][Uu][Nn][Kk][Ee][Dd]|[Ii][Dd][Ee][Nn][Tt][Ii][Tt][Yy])[ \t]*,",
};

struct plain {
    unsigned status, hosts, lengths, codings, fields;
    bool chunked, options, bodyless, http10;
    uint64_t length;
};

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < PATTERNS; i++)
        require(regcomp(&compiled[i], sources[i], REG_EXTENDED) == 0, sources[i]);
    return 0;
}

static bool matches(enum pattern p, const char *text, regmatch_t groups[8])
{
    regmatch_t unused[8];

    return regexec(&compiled[p], text, 8, groups ? groups : unused, 0) == 0;
}

static bool is_authority(enum pattern p, const char *text)
{
    regmatch_t g[8];

    return matches(p, text, g) &&
           (g[5].rm_so < 0 || strtoull(text + g[5].rm_so, NULL, 10) <= 65535);
}

static unsigned read_line(struct plain *out, char *line)
{
    regmatch_t g[8];

    if (!matches(LINE, line, g))
        return 400;
    char *method = line, *target = line + g[2].rm_so;
    method[g[1].rm_eo] = '\0';
    line[g[2].rm_eo] = '\0';
    if (!matches(TARGET, target, NULL))
        return 400;
    if (line[g[3].rm_so] != '1')
        return 505;
    out->http10 = line[g[4].rm_so] == '0';
    out->bodyless = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    bool asterisk = !strcmp(target, "*") && !strcmp(method, "OPTIONS");
    return *target == '/' || asterisk || is_authority(ABSOLUTE, target) ? 0 : 400;
}

static unsigned read_field(struct plain *out, char *line)
{
    regmatch_t g[8];

    if (!matches(FIELD, line, g))
        return 400;
    char *value = g[2].rm_so < 0 ? line + strlen(line) : line + g[2].rm_so;
    line[g[1].rm_eo] = '\0';
    bool framing = !strcasecmp(line, "content-length") || !strcasecmp(line, "transfer-encoding");
    if (g[2].rm_so >= 0 && !framing) /* there a blank behind it is refused */
        line[g[2].rm_eo] = '\0';
    if (++out->fields > HEAD_LIMITS.fields)
        return 431;
    if (!strcasecmp(line, "host")) {
        out->hosts++;
        return is_authority(HOST, value) ? 0 : 400;
    }
    if (!strcasecmp(line, "content-length")) {
        out->lengths++;
        out->length = strtoull(value, NULL, 10);
        return matches(LENGTH, value, NULL) ? 0 : 400;
    }
    if (!strcasecmp(line, "transfer-encoding")) {
        out->codings++;
        out->chunked = matches(CHUNKED, value, NULL);
        bool layered = matches(LAYERED, value, NULL) && !matches(ONCE, value, NULL);
        return out->chunked ? 0 : layered ? 501 : 400;
    }
    return 0;
}

static unsigned read_end(const struct plain *out)
{
    bool twice = out->lengths + out->codings > 1;
    bool misplaced =
        (out->codings && (out->http10 || out->bodyless)) || (out->bodyless && out->length);
    bool homeless = out->hosts > 1 || (!out->hosts && !out->http10);

    return twice || misplaced || homeless ? 400 : 0;
}

/* A head of its own, NUL-terminated, from behind an empty line in front up to its last line's end.
 */
static struct plain read_plainly(char *head, size_t n)
{
    struct plain out = {0};
    char *line = head, *end = head + n;

    for (bool first = true; line < end && !out.status; first = false) {
        char *next = memmem(line, (size_t)(end - line), "\r\n", 2);
        require(next != NULL, "a line ends");
        *next = '\0';
        for (const char *p = line; p < next; p++)
            if (((unsigned char)*p < 0x20 && (*p != '\t' || first)) || *p == 0x7f)
                out.status = 400;
        if (!out.status)
            out.status = first ? read_line(&out, line) : read_field(&out, line);
        line = next + 2;
    }
    if (!out.status)
        out.status = read_end(&out);
    return out;
}

/* Status 100: the head has no end. */
static struct plain second_reading(const uint8_t *data, size_t size, size_t *head_size)
{
    char copy[16 * 1024 + 1];
    size_t skip = size >= 2 && !memcmp(data, "\r\n", 2) ? 2 : 0;
    const uint8_t *end = memmem(data + skip, size - skip, "\r\n\r\n", 4);

    if (!end || (size_t)(end - data) + 4 > HEAD_LIMITS.head)
        return (struct plain){.status = 100};
    *head_size = (size_t)(end - data) + 4;
    size_t n = *head_size - 2 - skip;
    memcpy(copy, data + skip, n);
    copy[n] = '\0';
    return read_plainly(copy, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct head_verdict v, part;
    size_t head_size = 0;
    enum head_state state = head_judge(bytes, size, true, &HEAD_LIMITS, &v);
    struct plain p = second_reading(data, size, &head_size);

    if (state == HEAD_PARTIAL)
        require(p.status == 100 && size < HEAD_LIMITS.head, "a partial head has no end");
    if (state == HEAD_WRONG)
        require(p.status != 0 && v.status == problem_status(v.problem) && v.status >= 400,
                "both refuse it");
    if (state == HEAD_WHOLE) {
        require(p.status == 0, "both take it");
        require(v.size == head_size && v.length == p.length && v.chunked == p.chunked, "alike");
        require(v.has_length == (p.lengths > 0) && v.http10 == p.http10, "to the end");
    }
    for (size_t n = 0; n < size; n += 1 + size / 64) {
        enum head_state early = head_judge(bytes, n, true, &HEAD_LIMITS, &part);
        if (early == HEAD_WHOLE)
            require(state == HEAD_WHOLE && part.size == v.size, "a head ends once");
        if (early == HEAD_WRONG)
            require(state == HEAD_WRONG && part.wrong == v.wrong, "a head is wrong once");
    }
    return 0;
}
