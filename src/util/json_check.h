/* SPDX-License-Identifier: Apache-2.0 */
/* The strict check in front of cJSON. */
#ifndef SCORED_JSON_CHECK_H
#define SCORED_JSON_CHECK_H

#include "scored/json.h"

/* True if the n bytes are one strict JSON text within the limits, without duplicate keys, \u0000,
 * lone surrogates and malformed UTF-8. Allocates only to compare keys. */
bool json_check(const char *text, size_t n, const struct json_limits *limits, struct err *e);

#endif
