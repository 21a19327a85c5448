/* SPDX-License-Identifier: Apache-2.0 */
/* What Java makes of code points in upper case. */
#ifndef SCORED_UPPER_TABLES_H
#define SCORED_UPPER_TABLES_H

#include <stdint.h>

enum { UPPER_PAGE = 64, UPPER_MOST = 3 };

/* Code points from here on have no upper case. */
extern const uint32_t upper_end;
/* The page of 64 code points, in it the index of the difference to the upper case. */
extern const uint8_t upper_page_of[], upper_pages[];
extern const int32_t upper_differences[];

/* Those whose upper case is several code points, ascending; 0 fills up. */
struct upper_long {
    uint32_t point, upper[UPPER_MOST];
};
extern const struct upper_long upper_longs[];
extern const uint32_t upper_long_count;

#endif
