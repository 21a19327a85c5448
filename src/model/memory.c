/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is there memory for one more model? Asked before its files are fetched: the kernel's answer to
 * too much is to kill the process, and the old model with it.
 */
#include "scored/model.h"

#include "scored/cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number behind a key of a file of "key number" lines; 0 where there is none. */
static uint64_t read_key(const char *path, const char *key)
{
    char line[128];
    uint64_t n = 0;
    size_t len = strlen(key);
    FILE *f = fopen(path, "re");

    if (!f)
        return 0;
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, key, len) == 0) {
            n = strtoull(line + len, NULL, 10);
            break;
        }
    }
    fclose(f);
    return n;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t memory_left(void)
{
    uint64_t left = read_key("/proc/meminfo", "MemAvailable:") * 1024;

    return least(left ? left : UINT64_MAX, cgroup_memory_left(&CGROUP_KERNEL));
}

uint64_t memory_resident(void)
{
    return read_key("/proc/self/status", "VmRSS:") * 1024;
}

uint64_t memory_limit(uint64_t setting)
{
    uint64_t limit = read_key("/proc/meminfo", "MemTotal:") * 1024;

    limit = least(limit ? limit : UINT64_MAX, cgroup_memory_limit(&CGROUP_KERNEL));
    return setting ? least(limit, setting) : limit;
}

bool memory_fits(uint64_t bytes, const struct model_options *options, struct err *e)
{
    uint64_t left = memory_left();

    if (options->memory) {
        uint64_t used = memory_resident();
        left = least(left, used < options->memory ? options->memory - used : 0);
    }
    return bytes <= left ||
           err_set(e, ERR_NO_MEMORY, "needs about %llu MiB more, %llu MiB are left",
                   (unsigned long long)((bytes >> 20) + 1), (unsigned long long)(left >> 20));
}

bool model_fits(const struct model *m, const struct model_options *options, struct err *e)
{
    const uint64_t base = (uint64_t)8 << 20;
    const struct bundle_file *f = m->bundle->files;
    uint64_t blocks = f[ROLE_BLOCKS].size, passing = f[ROLE_GOLDEN].size;

    if (passing < f[ROLE_PROFILE].size)
        passing = f[ROLE_PROFILE].size;
    return memory_fits(base + blocks + blocks / 5 + passing, options, e) ||
           err_wrap(e, "version %s", m->bundle->version);
}

/* A look-up by label goes through a table of texts and one of places; one by number through its
 * bits and places. Labels that stand in the manifest are few. */
static uint64_t table_size(const struct block *b)
{
    if (strstr(b->name, ".labels.") && b->type == BLOCK_U32)
        return b->n * sizeof(struct text) + dict_size(b->n);
    if (strstr(b->name, ".keys."))
        return b->n * sizeof(uint64_t) + bits_dict_size(b->n);
    return 0;
}

bool tables_fit(const struct model *m, const struct model_options *options, struct err *e)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < m->bundle->n_blocks; i++)
        bytes += table_size(&m->bundle->blocks[i]);
    return memory_fits(bytes, options, e) || err_wrap(e, "tables of its labels");
}
