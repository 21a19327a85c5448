/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/fault.h"

#ifdef SCORED_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fault_point(const char *name)
{
    static atomic_ulong passed;
    /* nothing changes the environment */
    const char *at = getenv("SCORED_STOP_AT"); /* NOLINT(concurrency-mt-unsafe) */
    const char *colon = at ? strchr(at, ':') : NULL;

    if (!at ||
        (colon && (strncmp(at, name, (size_t)(colon - at)) != 0 || name[colon - at] != '\0')))
        return;
    if (atomic_fetch_add(&passed, 1) + 1 == strtoul(colon ? colon + 1 : at, NULL, 10))
        kill(getpid(), SIGKILL);
}

#else

extern int scored_no_faults; /* a file must declare something */

#endif
