/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/log.h"

#include "log_writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static enum log_level max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
    max_level = level;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char line[LOG_LINE_MAX];
    va_list args;

    if (level > max_level)
        return;
    int head = snprintf(line, sizeof line, "%s ", names[level]);
    va_start(args, fmt);
    int body = vsnprintf(line + head, sizeof line - (unsigned)head - 1, fmt, args);
    va_end(args);
    if (body < 0)
        return;
    unsigned n = (unsigned)head + (unsigned)body;
    if (n > sizeof line - 2)
        n = sizeof line - 2;
    line[n++] = '\n';
    log_put(line, n);
}

unsigned log_drops(char *out, unsigned size, uint64_t n)
{
    int len = snprintf(out, size, "warn dropped=%" PRIu64 " msg=\"nobody read the log\"\n", n);

    return (unsigned)len;
}

const char *log_value(char *out, unsigned size, const char *p, unsigned n)
{
    static const char hex[] = "0123456789abcdef";
    unsigned at = 0;

    for (unsigned i = 0; i < n && at + 5 < size; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            out[at++] = (char)c;
        } else {
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = hex[c >> 4];
            out[at++] = hex[c & 15];
        }
    }
    out[at] = '\0';
    return out;
}
