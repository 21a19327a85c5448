/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the bundle's Spark is of a version or later: some answers changed between releases. */
#ifndef SCORED_SPARK_VERSION_H
#define SCORED_SPARK_VERSION_H

#include "scored/bundle.h"

#include <stdlib.h>

static inline bool spark_at_least(const struct platform *p, unsigned long major,
                                  unsigned long minor)
{
    char *end;
    unsigned long m = strtoul(p->spark, &end, 10), n = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

    return m > major || (m == major && n >= minor);
}

#endif
