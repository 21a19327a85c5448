/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the daemon, from util/config.def. */
#ifndef SCORED_CONFIG_H
#define SCORED_CONFIG_H

#include <stdint.h>

struct config {
#define NUMBER(field, flag, value, low, high, help) uint64_t field;
#define TEXT(field, flag, value, help)              const char *field;
#include "../../src/util/config.def"
#undef NUMBER
#undef TEXT
};

#endif
