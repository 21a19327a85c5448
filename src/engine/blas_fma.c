/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mfma -mavx2: used only where the CPU has both. */
#define BLAS_TABLE blas_java11_fma
#include "blas_java11.h"
