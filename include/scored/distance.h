/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_DISTANCE_H
#define SCORED_DISTANCE_H

/* How many letters must be added, removed or changed to make one text of the other; of long texts
 * the first 32 bytes count. For "did you mean". */
unsigned text_distance(const char *a, const char *b);

#endif
