/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    const char *folder, *limit, *usage, *cache;
};
static const struct names version_2 = {"", "memory.max", "memory.current", "inactive_file "};
static const struct names version_1 = {"/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                       "total_inactive_file "};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);

    return n < (int)sizeof path ? fopen(path, "re") : NULL;
}

/* The number in a file of one number; UINT64_MAX where it says "max", or there is no such file. */
static uint64_t read_number(const char *folder, const char *name)
{
    char text[64];
    uint64_t n = UINT64_MAX;
    FILE *f = open_in(folder, name);

    if (!f)
        return n;
    if (fgets(text, sizeof text, f) && text[0] >= '0' && text[0] <= '9')
        n = strtoull(text, NULL, 10);
    fclose(f);
    return n;
}

/* The number behind a key of memory.stat; 0 where there is none. */
static uint64_t read_key(const char *folder, const char *key)
{
    char line[128];
    uint64_t n = 0;
    FILE *f = open_in(folder, "memory.stat");

    if (!f)
        return 0;
    while (!n && fgets(line, sizeof line, f))
        if (!strncmp(line, key, strlen(key)))
            n = strtoull(line + strlen(key), NULL, 10);
    fclose(f);
    return n;
}

static uint64_t limit_of(const char *folder, const struct names *names)
{
    return read_number(folder, names->limit);
}

static uint64_t left_of(const char *folder, const struct names *names)
{
    uint64_t max = limit_of(folder, names), used = read_number(folder, names->usage);

    if (max == UINT64_MAX || used == UINT64_MAX)
        return UINT64_MAX;
    used -= least(used, read_key(folder, names->cache));
    return used < max ? max - used : 0;
}

typedef uint64_t (*figure)(const char *folder, const struct names *names);

/* The least of a group and all above it. A container may see its own group as the root, by another
 * name or by none: then there is nothing at its path, and the root has the limit. */
static uint64_t least_above(const char *mount, const char *path, const struct names *names,
                            figure of)
{
    char folder[PATH_MAX];
    uint64_t all = UINT64_MAX;
    int n = snprintf(folder, sizeof folder, "%s%s%s", mount, names->folder, path);
    size_t root = strlen(mount) + strlen(names->folder);

    if (n >= (int)sizeof folder || strstr(path, "/.."))
        folder[root] = '\0';
    for (;;) {
        all = least(all, of(folder, names));
        char *slash = strrchr(folder + root, '/');
        if (!slash)
            return all;
        *slash = '\0';
    }
}

/* A line is "number:controllers:path"; version 2 has the number 0 and names no controllers. */
static const struct names *names_of(char *line, char **path)
{
    char *controllers = strchr(line, ':'), *end = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!end)
        return NULL;
    *end = '\0';
    *path = end + 1;
    (*path)[strcspn(*path, "\n")] = '\0';
    if (!controllers[1])
        return &version_2;
    for (char *c = strtok_r(controllers + 1, ",", &end); c; c = strtok_r(NULL, ",", &end))
        if (!strcmp(c, "memory"))
            return &version_1;
    return NULL;
}

static uint64_t least_of_all(const struct cgroup_files *files, figure of)
{
    char line[PATH_MAX + 64], *path;
    uint64_t all = least(least_above(files->mount, "", &version_2, of),
                         least_above(files->mount, "", &version_1, of));
    FILE *f = fopen(files->self, "re");

    while (f && fgets(line, sizeof line, f)) {
        const struct names *names = names_of(line, &path);
        if (names)
            all = least(all, least_above(files->mount, path, names, of));
    }
    if (f)
        fclose(f);
    return all;
}

uint64_t cgroup_memory_limit(const struct cgroup_files *files)
{
    return least_of_all(files, limit_of);
}

uint64_t cgroup_memory_left(const struct cgroup_files *files)
{
    return least_of_all(files, left_of);
}
