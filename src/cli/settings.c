/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "SCORED_" and the field in capitals. */
static const char *const variables[] = {
#define NUMBER(field, flag, value, low, high, help) "SCORED_" #field,
#define TEXT(field, flag, value, help)              "SCORED_" #field,
#include "../util/config.def"
#undef NUMBER
#undef TEXT
};

enum { VARIABLE_MAX = 64 };

static const char *variable(unsigned i, char out[VARIABLE_MAX])
{
    snprintf(out, VARIABLE_MAX, "%s", variables[i]);
    for (char *p = out; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    return out;
}

void settings_init(struct settings *s, struct option options[SETTING_COUNT])
{
    unsigned i = 0;

    *s = (struct settings){.config = {
#define NUMBER(field, flag, value, low, high, help) .field = (value),
#define TEXT(field, flag, value, help)              .field = (value),
#include "../util/config.def"
#undef NUMBER
#undef TEXT
                           }};
#define NUMBER(field, name, value_, low_, high_, help_)      \
    options[i] = (struct option){.flag = (name),             \
                                 .kind = OPTION_NUMBER,      \
                                 .target = &s->config.field, \
                                 .value = "N",               \
                                 .help = (help_),            \
                                 .low = (low_),              \
                                 .high = (high_),            \
                                 .given = &s->by_flag[i]};   \
    i++;
#define TEXT(field, name, value_, help_)                     \
    options[i] = (struct option){.flag = (name),             \
                                 .kind = OPTION_TEXT,        \
                                 .target = &s->config.field, \
                                 .value = "TEXT",            \
                                 .help = (help_),            \
                                 .given = &s->by_flag[i]};   \
    i++;
#include "../util/config.def"
#undef NUMBER
#undef TEXT
}

static bool one_of(const char *flag, const char *text, const char *const *allowed, size_t n,
                   struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(text, allowed[i]))
            return true;
    err_set(e, ERR_USAGE, "%s takes", flag);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(e->msg);
        snprintf(e->msg + len, sizeof e->msg - len, "%s %s", i ? "," : "", allowed[i]);
    }
    return false;
}

bool settings_finish(struct settings *s, const struct option options[SETTING_COUNT], struct err *e)
{
    static const char *const unknown[] = {"ignore", "reject"};
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    char name[VARIABLE_MAX];

    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        /* no thread runs yet */
        const char *text =
            s->by_flag[i] ? NULL : getenv(variable(i, name)); /* NOLINT(concurrency-mt-unsafe) */
        if (!text)
            continue;
        if (!option_set(&options[i], name, text, e))
            return false;
        s->by_environment[i] = true;
    }
    return one_of("--unknown-fields", s->config.unknown_fields, unknown, countof(unknown), e) &&
           one_of("--log-level", s->config.log_level, levels, countof(levels), e);
}

void settings_print(const struct settings *s)
{
    char name[VARIABLE_MAX];
    unsigned i = 0;

#define SOURCE (s->by_flag[i] ? "flag" : s->by_environment[i] ? variable(i, name) : "default")
#define NUMBER(field, flag, value, low, high, help)                     \
    printf("%-16s %-24" PRIu64 " %s\n", flag, s->config.field, SOURCE); \
    i++;
#define TEXT(field, flag, value, help)                         \
    printf("%-16s %-24s %s\n", flag, s->config.field, SOURCE); \
    i++;
#include "../util/config.def"
#undef NUMBER
#undef TEXT
#undef SOURCE
}
