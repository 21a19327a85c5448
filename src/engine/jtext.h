/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as Java writes them, until JDK 18: not always the shortest digits. */
#ifndef SCORED_JTEXT_H
#define SCORED_JTEXT_H

#include <stdint.h>

enum { JTEXT_MAX = 32 }; /* of bytes of any number */

/* Double.toString, Float.toString and Long.toString; return how many bytes they wrote. */
unsigned jtext_double(double d, char out[JTEXT_MAX]);
unsigned jtext_float(float f, char out[JTEXT_MAX]);
unsigned jtext_long(int64_t i, char out[JTEXT_MAX]);

#endif
