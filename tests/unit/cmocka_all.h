/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka wants these headers in front of its own. */
#ifndef SCORED_CMOCKA_ALL_H
#define SCORED_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#endif
