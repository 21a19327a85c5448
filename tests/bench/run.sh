#!/usr/bin/env bash
# Prints what predictions cost on this machine, each figure beside a check that the answers are right.
#
#   tests/bench/run.sh [--quick] [BUNDLE ...]
#
# The first bundle is also served over HTTP. --quick shortens the long runs; the figures to quote
# come from a run without it, on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=build/bench
quick=()
bundles=()
for arg in "$@"; do
    case "$arg" in
    --quick) quick=(--requests 20000 --pairs 3 --seconds 3) ;;
    -h | --help) sed -n '2,7p' "$0" | cut -c3-; exit 0 ;;
    *) bundles+=("$arg") ;;
    esac
done
[ ${#bundles[@]} -gt 0 ] || bundles=(models/days_to_sell/bundle)

mkdir -p build
cmake -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >"$build.log" 2>&1 &&
    cmake --build "$build" --target scored rows_bench open_loop noop_server >>"$build.log" 2>&1 ||
    { tail -20 "$build.log"; exit 1; }

echo "processor:  $(lscpu | sed -n 's/^Model name: *//p' | head -1), $(nproc) of them"
echo "load:       $(cut -d' ' -f1-3 /proc/loadavg) before the run"
echo "kernel:     $(uname -sr)"
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
echo "compiler:   $("$compiler" --version | head -1)"
echo "libraries:  $(pkg-config --modversion libmicrohttpd | sed 's/^/libmicrohttpd /'), $(getconf GNU_LIBC_VERSION)"
echo "scored:     $("$build/scored" --version)"
echo
taskset -c 0 "$build/rows_bench" "${bundles[@]}"
echo
python3 tests/bench/serve_bench.py "$build" --bundle "${bundles[0]}" "${quick[@]}"
