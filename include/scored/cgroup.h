/* SPDX-License-Identifier: Apache-2.0 */
/* What the control groups of this process allow it, of both versions: its own group and all above.
 */
#ifndef SCORED_CGROUP_H
#define SCORED_CGROUP_H

#include <stdint.h>

/* Where the kernel tells; CGROUP_KERNEL, but in tests. */
struct cgroup_files {
    const char *self;  /* which groups this process is in */
    const char *mount; /* where they are; those of version 1 in "memory" below */
};
#define CGROUP_KERNEL                                          \
    (struct cgroup_files)                                      \
    {                                                          \
        .self = "/proc/self/cgroup", .mount = "/sys/fs/cgroup" \
    }

/* Bytes. UINT64_MAX: there is no limit, or none can be seen. */
uint64_t cgroup_memory_limit(const struct cgroup_files *files);

/* What the limits leave: file caches can be given back and count as free. */
uint64_t cgroup_memory_left(const struct cgroup_files *files);

#endif
