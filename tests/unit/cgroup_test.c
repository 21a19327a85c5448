/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of control groups, in trees of files as the kernel shows them. */
#include "cmocka_all.h"

#include "scored/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    const char *name, *self; /* /proc/self/cgroup */
    const char *files[8][2]; /* below /sys/fs/cgroup, and what they hold */
    uint64_t limit, left;
} rows[] = {
    {"none", "0::/\n", {{0}}, UINT64_MAX, UINT64_MAX},
    {"not told", "", {{"memory.max", "500"}, {"memory.current", "100"}}, 500, 400},
    {"a container's own",
     "0::/\n",
     {{"memory.max", "500\n"},
      {"memory.current", "300"},
      {"memory.stat", "anon 9\ninactive_file 50\n"}},
     500,
     250},
    {"a service's",
     "0::/system.slice/scored.service\n",
     {{"system.slice/scored.service/memory.max", "500\n"},
      {"system.slice/scored.service/memory.current", "100\n"},
      {"system.slice/memory.max", "max\n"}},
     500,
     400},
    {"a slice's above it",
     "0::/a/b\n",
     {{"a/b/memory.max", "900"},
      {"a/b/memory.current", "10"},
      {"a/memory.max", "700"},
      {"a/memory.current", "650"}},
     700,
     50},
    {"the usage above the limit", "0::/\n", {{"memory.max", "5"}, {"memory.current", "9"}}, 5, 0},
    {"seen from outside", "0::/../../pod\n", {{"memory.max", "500"}}, 500, UINT64_MAX},
    {"a path that is not mounted", "0::/kubepods/pod1\n", {{"memory.max", "500"}}, 500, UINT64_MAX},
    {"version 1",
     "5:cpu:/x\n4:memory:/a\n0::/\n",
     {{"memory/a/memory.limit_in_bytes", "800"},
      {"memory/a/memory.usage_in_bytes", "300"},
      {"memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 100\n"},
      {"memory/memory.limit_in_bytes", "9223372036854771712"}},
     800,
     600},
    {"version 1 beside others",
     "3:cpu,memory:/a\n",
     {{"memory/a/memory.limit_in_bytes", "800"}},
     800,
     UINT64_MAX},
    {"lines that say nothing", "x\n1:\n:::::\n\n", {{"memory.max", "500"}}, 500, UINT64_MAX},
};

static void put(const char *root, const char *path, const char *text)
{
    char full[512];

    snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *f = fopen(full, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void limits_are_the_least_of_a_group_and_all_above(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char root[] = "/tmp/scored-cgroup-XXXXXX", mount[64], self[64], command[64];
        assert_non_null(mkdtemp(root));
        snprintf(mount, sizeof mount, "%s/mount", root);
        snprintf(self, sizeof self, "%s/self", root);
        mkdir(mount, 0700);
        put(root, "self", rows[i].self);
        for (unsigned f = 0; rows[i].files[f][0]; f++)
            put(mount, rows[i].files[f][0], rows[i].files[f][1]);
        const struct cgroup_files files = {.self = self, .mount = mount};
        if (cgroup_memory_limit(&files) != rows[i].limit ||
            cgroup_memory_left(&files) != rows[i].left)
            fail_msg("%s: limit %llu, left %llu", rows[i].name,
                     (unsigned long long)cgroup_memory_limit(&files),
                     (unsigned long long)cgroup_memory_left(&files));
        snprintf(command, sizeof command, "rm -r %s", root);
        assert_int_equal(system(command), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_the_least_of_a_group_and_all_above),
    };
    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
