#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes tests/unit/jmath_vectors.h: a sample of Java's own results, and all arguments at which the makers' processors
# give different ones. Run with JDK 17 on an x86-64 processor; the other maker's results are jmath's.
#
# COMMONS_MATH is the path of commons-math3-3.6.1.jar, as PySpark has it in its jars.
#
#     COMMONS_MATH=... tests/jmath/vectors.sh > tests/unit/jmath_vectors.h
set -eu
cd "$(dirname "$0")"
root=../..
cpu=$(grep -q AuthenticAMD /proc/cpuinfo && echo amd || echo intel)
model=$(awk -F': *' '/^vendor_id|^cpu family|^model\t/ { printf " %s", $2 } /^flags/ { exit }' /proc/cpuinfo)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

cc -std=c17 -D_GNU_SOURCE -O2 -ffp-contract=off -I$root/include -o "$build/compare" compare.c $root/src/engine/jmath*.c \
    $root/src/engine/fastmath*.c -lm
javac --release 17 -d "$build" Vectors.java
cat <<END
/* SPDX-License-Identifier: Apache-2.0 */
/* Written by tests/jmath/vectors.sh. The column "$cpu" is Java's:
 * JDK $(java -XshowSettings:properties -version 2>&1 |
    awk '/java.runtime.version/ { print $3 }'), processor$model. */
/* clang-format off */
/* function, then the bits of x, of y (pow only), of the result on Intel's and of that on AMD's processor */
END
for row in exp:1 log:6 log10:6 pow:1 log1p:1 expm1:1 sin:1 cos:1 tan:1 tanh:1 cbrt:1 fm_exp:1 fm_log:1 fm_erf:1; do
    f=${row%:*}
    count=$((${row#*:} * 1000000))
    java -cp "$build:$COMMONS_MATH" Vectors "$f" "$count" 1 | "$build/compare" "$f" "$cpu" "$((count / 150))"
done
