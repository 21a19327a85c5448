#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes tests/unit/jtext_vectors.h: numbers as Java writes them, from JDK 17.
#
#     tests/jmath/texts.sh [COUNT [SEED]] > tests/unit/jtext_vectors.h
#
# To compare millions, write a table of them, and build and run tests/unit/jtext_test.c with it.
set -eu
cd "$(dirname "$0")"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
javac --release 17 -d "$build" Texts.java
echo "/* SPDX-License-Identifier: Apache-2.0 */"
echo "/* Written by tests/jmath/texts.sh. */"
echo "/* clang-format off */"
java -cp "$build" Texts "${1:-250}" "${2:-1}"
