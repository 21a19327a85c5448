/* SPDX-License-Identifier: Apache-2.0 */
#include "strict.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TARGET = 8192, MAX_HEAD = 16 * 1024, MAX_FIELDS = 64, MAX_METHOD = 32 };

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"
#define HEX     DIGITS "abcdefABCDEF"
#define TOKEN   LETTERS DIGITS "!#$%&'*+-.^_`|~"
#define NAME    LETTERS DIGITS "-._~!$&'()*+;="

static bool only(const char *text, const char *allowed)
{
    return *text && text[strspn(text, allowed)] == '\0';
}

static bool escapes(const char *p)
{
    for (; (p = strchr(p, '%')) != NULL; p++) {
        char code[3] = {p[1], p[1] ? p[2] : '\0', '\0'};
        if (strlen(code) != 2 || !only(code, HEX))
            return false;
        long c = strtol(code, NULL, 16);
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_port(const char *p)
{
    return *p == '\0' || (only(p, DIGITS) && strtoul(p, NULL, 10) <= 65535);
}

static bool is_host(char *p)
{
    size_t n = strcspn(p, ":");

    if (*p == '[') {
        char *end = strchr(p, ']');
        if (!end || end - p < 3)
            return false;
        *end = '\0';
        return only(p + 1, HEX ":.") && (!end[1] || (end[1] == ':' && is_port(end + 2)));
    }
    if (p[n] && !is_port(p + n + 1))
        return false;
    p[n] = '\0';
    return only(p, NAME "%") && escapes(p);
}

static bool is_target(char *p, const char *method)
{
    if (strlen(p) > MAX_TARGET || !only(p, NAME "%,:/?[]@^`{|}") || !escapes(p))
        return false;
    if (*p == '/' || (!strcmp(p, "*") && !strcmp(method, "OPTIONS")))
        return true;
    if (strncasecmp(p, "http://", 7) != 0)
        return false;
    p += 7;
    p[strcspn(p, "/?")] = '\0';
    return is_host(p);
}

static bool start_request(struct message *m, char *line)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version)
        return false;
    *target++ = '\0';
    *version++ = '\0';
    m->head = !strcmp(line, "HEAD");
    m->http10 = !strcmp(version, "HTTP/1.0");
    m->status = m->head || !strcmp(line, "GET"); /* has no body */
    return strlen(line) <= MAX_METHOD && only(line, TOKEN) && strlen(version) == 8 &&
           !strncmp(version, "HTTP/1.", 7) && isdigit((unsigned char)version[7]) &&
           is_target(target, line);
}

static bool start_reply(struct message *m, const char *line)
{
    if (strncmp(line, "HTTP/1.1 ", 9) != 0 || strspn(line + 9, DIGITS) != 3 || line[12] != ' ')
        return false;
    m->status = (unsigned)strtoul(line + 9, NULL, 10);
    return true;
}

static bool field_length(struct message *m, char *value)
{
    m->lengths++;
    m->has_length = true;
    m->length = strtoull(value, NULL, 10);
    return only(value, DIGITS) && strlen(value) <= 15 && (*value != '0' || !value[1]);
}

static bool field_coding(struct message *m, char *value)
{
    m->codings++;
    m->chunked = true;
    return !strcasecmp(value, "chunked");
}

static char *trim(char *value)
{
    size_t n = strlen(value);

    while (n && strchr(" \t", value[n - 1]))
        value[--n] = '\0';
    return value;
}

static bool field_host(struct message *m, char *value)
{
    m->hosts++;
    return is_host(trim(value));
}

/* As the daemon repeats it: others it replaces. */
static bool field_id(struct message *m, char *value)
{
    if (only(trim(value), LETTERS DIGITS "._-") && strlen(value) < sizeof m->id)
        memcpy(m->id, value, strlen(value) + 1);
    return true;
}

static bool field_connection(struct message *m, char *value)
{
    for (char *next, *p = strtok_r(value, ", \t", &next); p; p = strtok_r(NULL, ", \t", &next))
        m->close |= !strcasecmp(p, "close");
    return true;
}

static bool field_type(struct message *m, char *value)
{
    m->lines = !strcasecmp(trim(value), "application/x-ndjson");
    return true;
}

static bool field_expect(struct message *m, char *value)
{
    m->expects = !strcasecmp(trim(value), "100-continue");
    return true;
}

static bool read_field(struct message *m, char *line)
{
    static const struct {
        const char *name;
        bool (*read)(struct message *m, char *value);
    } known[] = {
        {"Content-Length", field_length},
        {"Transfer-Encoding", field_coding},
        {"Host", field_host},
        {"X-Request-Id", field_id},
        {"Connection", field_connection},
        {"Content-Type", field_type},
        {"Expect", field_expect},
    };
    char *value = strchr(line, ':');

    if (!value || ++m->fields > MAX_FIELDS)
        return false;
    *value++ = '\0';
    value += strspn(value, " \t");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(line, known[i].name) && !known[i].read(m, value))
            return false;
    return only(line, TOKEN);
}

static bool ends_well(const struct message *m, bool reply)
{
    if (m->lengths + m->codings > 1)
        return false;
    if (reply)
        return true;
    if (m->status && (m->length || m->codings))
        return false;
    return m->hosts <= 1 && (m->hosts || m->http10) && !(m->codings && m->http10);
}

static bool wrong(struct stream *s)
{
    s->at = AT_WRONG;
    return false;
}

static void end_message(struct stream *s)
{
    struct message m = s->now;

    s->at = AT_START;
    s->now = (struct message){0};
    if (s->replies && m.status < 200)
        return;
    s->ended++;
    if (s->ended_one)
        s->ended_one(s->context, &m);
}

static bool end_head(struct stream *s)
{
    struct message *m = &s->now;
    bool bodiless = s->replies && (m->status < 200 || m->status == 204 || m->head);

    if (!ends_well(m, s->replies))
        return wrong(s);
    if (!s->replies || m->status >= 200)
        s->began++;
    s->left = bodiless ? 0 : m->length;
    s->at = m->chunked ? AT_SIZE : AT_LENGTH;
    if (s->began_one && !(s->replies && m->status < 200))
        s->began_one(s->context, m);
    if (!m->chunked && !s->left)
        end_message(s);
    return true;
}

static bool read_start(struct stream *s)
{
    if (s->replies) {
        s->now.head = s->reply_to_head && s->reply_to_head(s->context);
        s->at = AT_LINE;
        return start_reply(&s->now, s->line) || wrong(s);
    }
    if (!s->line_len)
        return true; /* RFC 9112, 2.2: empty lines in front are ignored */
    s->at = AT_LINE;
    return start_request(&s->now, s->line) || wrong(s);
}

/* A size, and extensions that begin with a semicolon. */
static bool read_size(struct stream *s)
{
    size_t n = strspn(s->line, HEX);

    if (!n || n > 15 || (s->line[n] && s->line[n] != ';'))
        return wrong(s);
    s->left = strtoull(s->line, NULL, 16);
    s->at = s->left ? AT_DATA : AT_TRAILER;
    return true;
}

/* Trailers mean nothing to anybody; they only must be lines of fields. */
static bool read_trailer(struct stream *s)
{
    if (s->line_len)
        return strchr(s->line, ':') != NULL || wrong(s);
    end_message(s);
    return true;
}

static bool end_line(struct stream *s)
{
    switch (s->at) {
    case AT_START: return read_start(s);
    case AT_LINE:
        if (!s->line_len)
            return end_head(s);
        return read_field(&s->now, s->line) || wrong(s);
    case AT_SIZE: return read_size(s);
    case AT_TRAILER: return read_trailer(s);
    case AT_DATA_END: s->at = AT_SIZE; return !s->line_len || wrong(s);
    case AT_LENGTH:
    case AT_DATA:
    case AT_WRONG: break;
    }
    return wrong(s);
}

/* A byte of a line: no control characters but the tab, and each line feed behind a return, but that
 * of an empty line in front of a request, which may end so. */
static bool read_byte(struct stream *s, char c)
{
    bool returned = s->returned, in_head = s->at == AT_START || s->at == AT_LINE;

    if ((in_head && ++s->now.size > MAX_HEAD) || s->line_len + 1 >= STRICT_LINE)
        return wrong(s);
    s->returned = c == '\r';
    if (c == '\n' && (returned || (!s->line_len && s->at == AT_START && !s->replies))) {
        s->line[s->line_len] = '\0';
        bool ok = end_line(s);
        s->line_len = 0;
        return ok;
    }
    if (returned || ((unsigned char)c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
        return wrong(s);
    if (c != '\r')
        s->line[s->line_len++] = c;
    return true;
}

static size_t read_body(struct stream *s, const char *p, size_t n)
{
    size_t taken = n < s->left ? n : (size_t)s->left;

    for (size_t i = 0; i < taken; i++) {
        if (p[i] == '\n')
            s->now.newlines++;
        else if (p[i] != '\r')
            s->now.rows = s->now.newlines + 1;
    }
    s->left -= taken;
    if (!s->left && s->at == AT_DATA)
        s->at = AT_DATA_END;
    else if (!s->left)
        end_message(s);
    return taken;
}

bool stream_read(struct stream *s, const char *p, size_t n)
{
    while (n && s->at != AT_WRONG) {
        size_t taken = 1;
        if (s->at == AT_LENGTH || s->at == AT_DATA)
            taken = read_body(s, p, n);
        else if (!read_byte(s, *p))
            return false;
        p += taken;
        n -= taken;
    }
    return s->at != AT_WRONG;
}
