/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in settings: the one reader of them, so that all are read as strictly. */
#ifndef SCORED_DECIMAL_H
#define SCORED_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n decimal digits and nothing else, as a number from low to high. False: *out stays. */
bool decimal_read(const char *p, size_t n, uint64_t low, uint64_t high, uint64_t *out);

/* The number of a port, from 0 to 65535. */
bool decimal_port(const char *text, uint16_t *port);

#endif
