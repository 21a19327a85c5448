/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "scored/distance.h"
#include "scored/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREFIX = sizeof "SCORED_" - 1 };

/* "SCORED_" and the field in capitals. */
static const char *const variables[] = {
#define SETTING(kind, field, flag, value, low, high, help) "SCORED_" #field,
#include "../util/config.def"
#undef SETTING
};

static const char *variable(unsigned i, char out[VARIABLE_MAX])
{
    snprintf(out, VARIABLE_MAX, "%s", variables[i]);
    for (char *p = out; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    return out;
}

/* What help calls a value. */
static const char *option_value(enum option_kind kind)
{
    static const char *const values[] = {[OPTION_CHOICE] = "NAME",
                                         [OPTION_TEXT] = "TEXT",
                                         [OPTION_NUMBER] = "N",
                                         [OPTION_SECONDS] = "SECONDS"};

    return kind < countof(values) ? values[kind] : NULL;
}

/* The choices of each setting, NULL where it has none. */
static const char *const *const choices[] = {
#define NAMES_NUMBER(field)  NULL
#define NAMES_SECONDS(field) NULL
#define NAMES_TEXT(field)    NULL
#define NAMES_SWITCH(field)  NULL
#define NAMES_CHOICE(field) \
    (const char *const[])   \
    {                       \
        CHOICES_##field     \
    }
#define SETTING(kind, field, flag, value, low, high, help) NAMES_##kind(field),
#include "../util/config.def"
#undef SETTING
};

/* The value of a setting as its flag takes it. */
static const char *show(const struct option *o, char out[64])
{
    const uint64_t *n = o->target;

    if (o->kind == OPTION_CHOICE)
        return o->choices[*(const unsigned *)o->target];
    if (o->kind == OPTION_TEXT)
        return *(const char *const *)o->target;
    if (o->kind == OPTION_SWITCH)
        return *(const bool *)o->target ? "true" : "false";
    if (o->kind == OPTION_SECONDS)
        snprintf(out, 64, "%" PRIu64 ".%03" PRIu64, *n / 1000, *n % 1000);
    else
        snprintf(out, 64, "%" PRIu64, *n);
    return out;
}

static void describe(struct settings *s, struct option options[SETTING_COUNT])
{
    char text[VARIABLE_MAX];

    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        variable(i, s->variables[i]);
        snprintf(s->initial[i], VARIABLE_MAX, "%s", show(&options[i], text));
        options[i].variable = s->variables[i];
        options[i].initial = s->initial[i];
    }
}

void settings_init(struct settings *s, struct option options[SETTING_COUNT])
{
    unsigned i = 0;

    *s = (struct settings){.config = {
#define SETTING(kind, field, flag, value, low, high, help) .field = (value),
#include "../util/config.def"
#undef SETTING
                           }};
#define SETTING(kind_, field, name, value_, low_, high_, help_)         \
    options[i] = (struct option){.flag = (name),                        \
                                 .kind = OPTION_##kind_,                \
                                 .target = &s->config.field,            \
                                 .value = option_value(OPTION_##kind_), \
                                 .help = (help_),                       \
                                 .low = (low_),                         \
                                 .high = (high_),                       \
                                 .choices = choices[i],                 \
                                 .given = &s->by_flag[i]};              \
    i++;
#include "../util/config.def"
#undef SETTING
    describe(s, options);
}

bool settings_finish(struct settings *s, const struct option options[SETTING_COUNT], struct err *e)
{
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
    return true;
}

/* What people write, as it stands for every other flag. */
static const struct {
    const char *variable, *instead;
} no_variables[] = {
    {"SCORED_TRUST", "--trust"},
    {"SCORED_PRINT_CONFIG", "--print-config"},
    {"SCORED_PORT", "SCORED_LISTEN"},
};

/* Kubernetes says SCORED_PORT=tcp://10.0.0.1:80 of a service that is named "scored". */
static bool is_a_port(const char *value)
{
    return *value >= '0' && *value <= '9';
}

/* Read elsewhere, or put there by others: by Kubernetes, for a service that is named "scored". */
static bool is_known(const struct settings *s, const char *name, size_t n)
{
    static const char *const others[] = {"SCORED_SERVICE_", "SCORED_PORT_", "SCORED_S3_",
                                         "SCORED_STOP_AT", "SCORED_MODEL="};

    for (size_t i = 0; i < countof(others); i++)
        if (!strncmp(name, others[i], strlen(others[i])))
            return true;
    if (!strncmp(name, "SCORED_PORT=", n + 1) && !is_a_port(name + n + 1))
        return true;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        if (strlen(s->variables[i]) == n && !memcmp(s->variables[i], name, n))
            return true;
    return false;
}

/* NULL where none is near. */
static const char *nearest(const struct settings *s, const char *name)
{
    const char *best = NULL;

    for (size_t i = 0; i < countof(no_variables); i++)
        if (!strcmp(name, no_variables[i].variable))
            return no_variables[i].instead;
    for (unsigned i = 0; i < SETTING_COUNT; i++)
        text_nearer(name + PREFIX, s->variables[i] + PREFIX, &best);
    return best ? best - PREFIX : NULL;
}

void settings_warn(const struct settings *s)
{
    char name[VARIABLE_MAX];

    for (char **v = environ; *v; v++) {
        size_t n = strcspn(*v, "=");
        if (strncmp(*v, "SCORED_", PREFIX) != 0 || is_known(s, *v, n))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)n, *v);
        log_with(LOG_WARN, "no setting has this environment variable", log_text("variable", name),
                 log_text("nearest", nearest(s, name)));
    }
}

void settings_print(const struct settings *s, const struct option options[SETTING_COUNT])
{
    char name[VARIABLE_MAX], value[64];

    for (unsigned i = 0; i < SETTING_COUNT; i++)
        printf("%-20s %-24s %s\n", options[i].flag, show(&options[i], value),
               s->by_flag[i]          ? "flag"
               : s->by_environment[i] ? variable(i, name)
                                      : "default");
}
