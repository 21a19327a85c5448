/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* vsnprintf whose cut is meant. A message is one line whatever names it quotes. */
__attribute__((format(printf, 3, 0))) static void format(char *out, size_t size, const char *fmt,
                                                         va_list args)
{
    if (vsnprintf(out, size, fmt, args) < 0)
        out[0] = '\0';
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

bool(err_set)(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list args;

    e->code = code;
    va_start(args, fmt);
    format(e->msg, sizeof e->msg, fmt, args);
    va_end(args);
    return false;
}

bool(err_wrap)(struct err *e, const char *fmt, ...)
{
    char context[sizeof e->msg];
    char inner[sizeof e->msg];
    va_list args;

    va_start(args, fmt);
    format(context, sizeof context, fmt, args);
    va_end(args);
    memcpy(inner, e->msg, sizeof inner);
    size_t room = sizeof e->msg - 1;
    size_t n = strnlen(context, room - 2);
    memcpy(e->msg, context, n);
    memcpy(e->msg + n, ": ", 2);
    n += 2;
    size_t m = strnlen(inner, room - n);
    memcpy(e->msg + n, inner, m);
    e->msg[n + m] = '\0';
    return false;
}

bool(err_memory)(struct err *e)
{
    return err_set(e, ERR_NO_MEMORY, "out of memory");
}

bool(err_errno)(struct err *e, const char *what)
{
    char text[128];

    return err_set(e, ERR_SYSTEM, "%s: %s", what, strerror_r(errno, text, sizeof text));
}

const char *err_code_text(enum err_code code)
{
    static const char *const texts[] = {
#define X(id, text) text,
        ERR_CODES(X)
#undef X
    };
    return texts[code];
}
