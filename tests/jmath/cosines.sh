#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares src/engine/dct.c with JTransforms, at every length from LEAST to MOST:
#
#     JARS=.../pyspark/jars tests/jmath/cosines.sh [LEAST [MOST [COUNT]]]     (default 1 320 60)
#
# JARS is a folder with the jars of JTransforms 3.1, JLargeArrays and commons-math, as PySpark has one.
set -eu
cd "$(dirname "$0")"
root=../..
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

${CC:-cc} -std=c17 -D_GNU_SOURCE -O2 -ffp-contract=off -Wall -Wextra -I$root/include -I$root/src/engine \
    -o "$build/cosines" cosines.c $root/src/engine/dct*.c $root/src/engine/fastmath*.c -lm
${JAVAC:-javac} --release 17 -cp "$JARS/*" -d "$build" Cosines.java
"${JAVA:-java}" -cp "$JARS/*:$build" Cosines "${1:-1}" "${2:-320}" "${3:-60}" | "$build/cosines"
