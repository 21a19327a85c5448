#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares jmath with the Java found as $JAVA (default: java), function by function.
#
#     tests/jmath/run.sh [SCALE [SEED]]     SCALE times a million arguments for each function (default 1)
#
# FUNCTIONS names them (default: all but fm_exp, fm_log and fm_erf, which are commons-math's and need its jar's path in
# COMMONS_MATH). JAVA_OPTIONS is handed to Java, e.g. -Xint. The reference is JDK 17 on
# x86-64; CPU (intel or amd) is taken from /proc/cpuinfo unless set.
set -eu
cd "$(dirname "$0")"
root=../..
scale=${1:-1}
seed=${2:-1}
java=${JAVA:-java}
cpu=${CPU:-$(grep -q AuthenticAMD /proc/cpuinfo && echo amd || echo intel)}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

${CC:-cc} -std=c17 -D_GNU_SOURCE -O2 -ffp-contract=off -Wall -Wextra -I$root/include -o "$build/compare" compare.c \
    $root/src/engine/jmath*.c $root/src/engine/fastmath*.c -lm
${JAVAC:-javac} --release 17 -d "$build" Vectors.java
status=0
for f in ${FUNCTIONS:-exp log log10 pow log1p expm1 sin cos tan tanh cbrt}; do
    # shellcheck disable=SC2086
    "$java" ${JAVA_OPTIONS:-} -cp "$build:${COMMONS_MATH:-}" Vectors "$f" "$((scale * 1000000))" "$seed" |
        "$build/compare" "$f" "$cpu" || status=1
done
exit $status
