/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "scored/decimal.h"
#include "scored/distance.h"

#include <stdio.h>
#include <string.h>

enum { FLAG_MAX = 32 };

static const char *nearest(const struct option *options, unsigned n, const char *flag)
{
    const char *best = NULL;

    for (unsigned i = 0; i < n; i++)
        text_nearer(flag, options[i].flag, &best);
    text_nearer(flag, "help", &best);
    return best;
}

static bool set_number(const struct option *o, const char *name, const char *text, struct err *e)
{
    return decimal_read(text, strlen(text), o->low, o->high, o->target) ||
           err_set(e, ERR_USAGE, "%s takes a number from %llu to %llu, not \"%.100s\"", name,
                   (unsigned long long)o->low, (unsigned long long)o->high, text);
}

/* "30", "0.25": at most three decimals. */
static bool set_seconds(const struct option *o, const char *name, const char *text, struct err *e)
{
    size_t whole = strspn(text, "0123456789"), point = whole + (text[whole] == '.');
    size_t decimals = strspn(text + point, "0123456789");
    char ms[16] = "";

    bool good = whole && whole < 10 && decimals <= 3 && !text[point + decimals];
    if (good)
        snprintf(ms, sizeof ms, "%.*s%.*s%.*s", (int)whole, text, (int)decimals, text + point,
                 (int)(3 - decimals), "000");
    return decimal_read(ms, strlen(ms), o->low, o->high, o->target) ||
           err_set(e, ERR_USAGE, "%s takes seconds from %g to %g, not \"%.100s\"", name,
                   (double)o->low / 1000, (double)o->high / 1000, text);
}

static bool set_switch(const struct option *o, const char *name, const char *text, struct err *e)
{
    bool on = !text || !strcmp(text, "true");

    if (!on && strcmp(text, "false") != 0)
        return err_set(e, ERR_USAGE, "%s is true or false, not \"%.100s\"", name, text);
    *(bool *)o->target = on;
    return true;
}

static bool set_choice(const struct option *o, const char *name, const char *text, struct err *e)
{
    for (unsigned i = 0; o->choices[i]; i++) {
        if (!strcmp(text, o->choices[i])) {
            *(unsigned *)o->target = i;
            return true;
        }
    }
    err_set(e, ERR_USAGE, "%s takes", name);
    for (unsigned i = 0; o->choices[i]; i++) {
        size_t len = strlen(e->msg);
        snprintf(e->msg + len, sizeof e->msg - len, "%s %s", i ? "," : "", o->choices[i]);
    }
    return false;
}

bool option_set(const struct option *o, const char *name, const char *text, struct err *e)
{
    struct option_list *list = o->target;

    switch (o->kind) {
    case OPTION_SWITCH: return set_switch(o, name, text, e);
    case OPTION_CHOICE: return set_choice(o, name, text, e);
    case OPTION_TEXT: *(const char **)o->target = text; return true;
    case OPTION_NUMBER: return set_number(o, name, text, e);
    case OPTION_SECONDS: return set_seconds(o, name, text, e);
    case OPTION_LIST:
        if (list->n == OPTION_LIST_MAX)
            return err_set(e, ERR_USAGE, "%s stands more than %d times", name, OPTION_LIST_MAX);
        list->items[list->n++] = text;
        return true;
    }
    return false;
}

static const struct option *find(const struct option *options, unsigned n, const char *flag,
                                 size_t len)
{
    for (unsigned i = 0; i < n; i++)
        if (strlen(options[i].flag) == len && !memcmp(options[i].flag, flag, len))
            return &options[i];
    return NULL;
}

/* Takes argv[*at], a flag, and its value; moves *at behind them. */
static bool take(const struct option *options, unsigned n, char **argv, int *at, struct err *e)
{
    const char *name = argv[(*at)++], *flag = name + 2;
    size_t len = strcspn(flag, "=");
    const char *text = flag[len] ? flag + len + 1 : NULL;
    const struct option *o = find(options, n, flag, len);
    char bare[FLAG_MAX + 3];

    if (!o) {
        char typed[FLAG_MAX + 1], meant[MEANT];
        snprintf(typed, sizeof typed, "%.*s", (int)(len < FLAG_MAX ? len : FLAG_MAX), flag);
        return err_set(e, ERR_USAGE, "there is no --%s%s", typed,
                       text_meant(meant, "--", nearest(options, n, typed)));
    }
    snprintf(bare, sizeof bare, "--%.*s", FLAG_MAX, o->flag);
    if (o->kind == OPTION_SWITCH && text)
        return err_set(e, ERR_USAGE, "%s takes no value", bare);
    if (o->kind != OPTION_SWITCH && !text) {
        if (!argv[*at])
            return err_set(e, ERR_USAGE, "%s needs a value: %s %s", bare, bare, o->value);
        text = argv[(*at)++];
    }
    if (o->given)
        *o->given = true;
    return option_set(o, bare, text, e);
}

static bool stands(const struct option *o)
{
    return o->kind == OPTION_LIST ? ((const struct option_list *)o->target)->n > 0
                                  : *(const char *const *)o->target != NULL;
}

bool options_unexpected(struct option_table table, const char *text, const char *instead,
                        struct err *e)
{
    const struct option *model = find(table.rows, table.n, "model", strlen("model"));

    if (model && !stands(model))
        return err_set(e, ERR_USAGE, "unexpected argument \"%.200s\"; did you mean --model %.200s?",
                       text, text);
    return err_set(e, ERR_USAGE, "unexpected argument \"%.200s\"%s%s", text, instead ? "; " : "",
                   instead ? instead : "");
}

static bool take_argument(struct option_list *rest, const char *text, struct err *e)
{
    const struct option o = {.flag = "", .kind = OPTION_LIST, .target = rest};

    return option_set(&o, "an argument", text, e);
}

bool options_parse(struct option_table table, int argc, char **argv, struct option_list *rest,
                   bool *help, struct err *e)
{
    bool flags = true, ok = true;
    int at = 1;

    *help = false;
    while (ok && at < argc) {
        const char *text = argv[at];
        if (!flags || text[0] != '-' || !text[1]) {
            ok = take_argument(rest, text, e);
            at++;
        } else if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
            *help = true;
            return true;
        } else if (!strcmp(text, "--")) {
            flags = false;
            at++;
        } else if (text[1] == '-') {
            ok = take(table.rows, table.n, argv, &at, e);
        } else {
            ok = err_set(e, ERR_USAGE, "there is no %.40s; flags begin with two dashes", text);
        }
    }
    return ok;
}

bool options_complete(struct option_table table, struct err *e)
{
    for (const struct option *o = table.rows; o < table.rows + table.n; o++)
        if (o->missing && !stands(o))
            return err_set(e, ERR_USAGE, "%s", o->missing);
    return true;
}

void options_print(struct option_table table)
{
    for (const struct option *o = table.rows; o < table.rows + table.n; o++) {
        char flag[2 * FLAG_MAX];
        snprintf(flag, sizeof flag, "--%s%s%s", o->flag, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-26s %s\n", flag, o->help);
        if (o->variable)
            printf("  %-26s (default: %s; %s)\n", "", *o->initial ? o->initial : "none",
                   o->variable);
    }
    printf("  %-26s %s\n", "--help", "this text");
}
