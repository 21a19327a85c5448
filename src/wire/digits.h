/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals as texts: exact, whatever their length. */
#ifndef WIRE_DIGITS_H
#define WIRE_DIGITS_H

#include "scored/buf.h"
#include "scored/frame.h"

enum digits_fit { DIGITS_FIT, DIGITS_FRACTION, DIGITS_TOO_LARGE };

/* A number of JSON, which has been scanned: its exact value as a decimal of the type. FRACTION:
 * more digits behind the point than there are. */
enum digits_fit digits_read(const char *number, size_t n, struct digits type, struct decimal *out);

/* With as many digits behind the point as the scale says. */
void digits_put(struct buf *out, const struct decimal *d);

#endif
