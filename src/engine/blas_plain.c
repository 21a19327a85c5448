/* SPDX-License-Identifier: Apache-2.0 */
/* For CPUs without fused multiply-add: the C library makes the same bits, slowly. */
#define BLAS_TABLE blas_java11_plain
#include "blas_java11.h"
