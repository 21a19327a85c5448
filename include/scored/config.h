/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of the daemon, from util/config.def. */
#ifndef SCORED_CONFIG_H
#define SCORED_CONFIG_H

#include "scored/log.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_NUMBER  uint64_t
#define CONFIG_SECONDS uint64_t /* milliseconds */
#define CONFIG_TEXT    const char *
#define CONFIG_SWITCH  bool
#define CONFIG_CHOICE  unsigned

enum unknown_fields { UNKNOWN_IGNORE, UNKNOWN_REJECT };
enum missing_fields { MISSING_NULL, MISSING_REJECT };

/* Names in the order of their enumeration; NULL ends a list. */
#define CHOICES_kernel         "auto", "walk", "avx2", "avx512", NULL
#define CHOICES_sandbox        "auto", "on", "off", NULL
#define CHOICES_unknown_fields "ignore", "reject", NULL
#define CHOICES_missing_fields "null", "reject", NULL
#define CHOICES_log_level      "error", "warn", "info", "debug", NULL
#define CHOICES_log_format     "logfmt", "json", NULL

struct config {
#define SETTING(kind, field, flag, value, low, high, help) CONFIG_##kind field;
#include "../../src/util/config.def"
#undef SETTING
};

#endif
