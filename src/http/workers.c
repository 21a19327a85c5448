/* SPDX-License-Identifier: Apache-2.0 */
/* How many processors this process may use: its affinity, and the quota of its control group. */
#include "scored/server.h"

#include <sched.h>
#include <stdio.h>

/* Of "QUOTA PERIOD" in one file (version 2) or in two (version 1); 0 where there is no limit. */
static unsigned quota(const char *quota_path, const char *period_path)
{
    long long us = 0, period = 0;
    FILE *f = fopen(quota_path, "re");

    if (!f)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
    int n = fscanf(f, "%19lld %19lld", &us, &period);
    fclose(f);
    if (n == 1 && period_path && (f = fopen(period_path, "re"))) {
        /* NOLINTNEXTLINE(cert-err34-c) */
        n += fscanf(f, "%19lld", &period);
        fclose(f);
    }
    if (n != 2 || us <= 0 || period <= 0)
        return 0;
    return (unsigned)((us + period - 1) / period);
}

static unsigned cgroup_quota(void)
{
    unsigned n = quota("/sys/fs/cgroup/cpu.max", NULL);

    if (!n)
        n = quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (!n)
        n = quota("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us",
                  "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us");
    return n;
}

unsigned server_workers(const struct config *config)
{
    enum { MAX_WORKERS = 256 };
    cpu_set_t set;

    if (config->workers)
        return (unsigned)config->workers;
    unsigned n = sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
    unsigned allowed = cgroup_quota();
    if (allowed && allowed < n)
        n = allowed;
    return n > MAX_WORKERS ? MAX_WORKERS : n ? n : 1;
}
