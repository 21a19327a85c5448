/* SPDX-License-Identifier: Apache-2.0 */
/* scored inspect: a bundle for people. */
#include "commands.h"
#include "open_model.h"

#include "scored/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 22 }; /* wide at least */

static int width_of_keys(const struct json *object)
{
    struct json_iter it = {0};
    int width = KEYS;

    while (json_next(object, &it))
        if ((int)strlen(it.value.key) > width)
            width = (int)strlen(it.value.key);
    return width;
}

static void print_value(const struct json *v)
{
    char *text = json_print(v);

    puts(text ? text : "?");
    free(text);
}

/* A line a member, its value by `print`, which ends it. */
static void print_members(const char *title, const struct json *object,
                          void (*print)(const struct json *v))
{
    struct json_iter it = {0};
    int width = width_of_keys(object);

    if (!json_size(object))
        return;
    printf("\n%s\n", title);
    while (json_next(object, &it)) {
        printf("  %-*s ", width, it.value.key);
        print(&it.value);
    }
}

/* {"tier":"exact-on-platform","why":"sums"}: exact on platform   sums */
static void print_promise(const struct json *v)
{
    const char *tier, *why;
    struct err ignored;
    uint32_t ulp;

    if (!json_get_string(v, "tier", &tier, &ignored) ||
        !json_get_string(v, "why", &why, &ignored)) {
        print_value(v);
        return;
    }
    char text[40];
    if (json_get_u32(v, "n", UINT32_MAX, &ulp, &ignored))
        snprintf(text, sizeof text, "%.20s: %u", tier, (unsigned)ulp);
    else
        snprintf(text, sizeof text, "%.39s", tier);
    printf("%-17s   %s\n", text, why);
}

/* [3,4]: 3 of 4 */
static void print_coverage(const struct json *v)
{
    struct json_iter it = {0};
    struct err ignored;
    uint32_t n[2];

    for (unsigned i = 0; i < 2; i++) {
        if (json_size(v) != 2 || !json_next(v, &it) ||
            !json_as_u32(&it.value, UINT32_MAX, &n[i], &ignored)) {
            print_value(v);
            return;
        }
    }
    printf("%u of %u\n", (unsigned)n[0], (unsigned)n[1]);
}

/* A line a column: 0 "setosa", 1 "versicolor". */
static void print_labels(const struct bundle *b)
{
    struct json_iter column = {0};
    int width = width_of_keys(&b->labels);

    if (!b->labels.node)
        return;
    printf("\nlabels of classes\n");
    while (json_next(&b->labels, &column)) {
        struct json_iter label = {0};
        printf("  %-*s", width, column.value.key);
        while (json_next(&column.value, &label)) {
            char *text = json_print(&label.value);
            printf("%s %u %s", label.n > 1 ? "," : "", (unsigned)label.n - 1, text ? text : "?");
            free(text);
        }
        putchar('\n');
    }
}

static void print_files(const struct bundle *b)
{
    printf("\nfiles\n");
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        printf("  %-8s %12llu bytes  %s\n", bundle_role_name((enum bundle_role)role),
               (unsigned long long)b->files[role].size, b->files[role].name);
}

static void print_memory(const struct model *m)
{
    printf("\nmemory\n");
    printf("  a frame of %u rows: %zu KiB a worker; %zu bytes a row%s\n", m->plan.frame_rows,
           m->plan.frame_size / 1024, m->plan.row_size,
           m->plan.bounded ? "" : ", and what texts, arrays and vectors of any size need");
    printf("  columns: %u of the request, %u made by %u stages\n", (unsigned)m->plan.n_inputs,
           (unsigned)(m->plan.n_columns - m->plan.n_inputs - m->plan.n_labels),
           (unsigned)m->plan.n_stages);
}

static void print_model(const struct model *m)
{
    const struct bundle *b = m->bundle;
    struct buf tree = {0};
    struct json platform;
    struct err ignored;

    printf("%s version %s\n  created %s\n  sha256  %s\n\n", b->name, b->version, b->created,
           b->sha256);
    plan_draw(&m->plan, &tree);
    fputs(tree.data ? tree.data : "", stdout);
    buf_done(&tree);
    print_labels(b);
    print_members("exactness", &b->exactness, print_promise);
    print_members("lineage", &b->lineage, print_value);
    if (json_get_object(&b->root, "platform", &platform, &ignored))
        print_members("platform whose answers are promised", &platform, print_value);
    print_members("golden rows", &b->golden_coverage, print_coverage);
    print_files(b);
    print_memory(m);
}

static const char above[] =
    "usage: scored inspect URI\n\n"
    "Shows a bundle as a tree of stages with the columns they read and make, and its lineage,\n"
    "exactness, files and memory. The bundle is checked first, golden rows included.\n";
static const char below[] = "example:\n"
                            "  scored inspect models/days_to_sell/bundle\n";

int cmd_inspect(int argc, char **argv)
{
    return show_model("inspect", above, below, argc, argv, print_model);
}
