#!/usr/bin/env bash
# Prints what predictions and loads cost on this machine, each figure beside a check that the answers are right.
#
#   tests/bench/run.sh [--quick] [rows] [serve] [load] [BUNDLE ...]
#
# rows: nanoseconds a row, without HTTP. serve: the first bundle over HTTP. load: a bundle of 1 GB, made
# once under build/, from files and over S3. Without a part all run. --quick shortens the long runs; the
# figures to quote come from a run without it, on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=build/bench
quick=()
quick_load=()
bundles=()
parts=
for arg in "$@"; do
    case "$arg" in
    --quick) quick=(--requests 20000 --pairs 3 --seconds 3) quick_load=(--bytes 200000000 --rounds 3) ;;
    -h | --help) sed -n '2,8p' "$0" | cut -c3-; exit 0 ;;
    rows | serve | load) parts="$parts $arg" ;;
    *) bundles+=("$arg") ;;
    esac
done
[ ${#bundles[@]} -gt 0 ] || bundles=(models/days_to_sell/bundle)

parts=${parts:-rows serve load}
has() { [[ " $parts " == *" $1 "* ]]; }

mkdir -p build
cmake -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >"$build.log" 2>&1 &&
    cmake --build "$build" --target scored rows_bench open_loop noop_server load_bench >>"$build.log" 2>&1 ||
    { tail -20 "$build.log"; exit 1; }

echo "processor:  $(lscpu | sed -n 's/^Model name: *//p' | head -1), $(nproc) of them"
echo "load:       $(cut -d' ' -f1-3 /proc/loadavg) before the run"
echo "kernel:     $(uname -sr)"
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
echo "compiler:   $("$compiler" --version | head -1)"
echo "libraries:  $(pkg-config --modversion libmicrohttpd | sed 's/^/libmicrohttpd /'), $(getconf GNU_LIBC_VERSION)"
echo "scored:     $("$build/scored" --version)"
echo
export PYTHONDONTWRITEBYTECODE=1
if has rows; then
    taskset -c 0 "$build/rows_bench" "${bundles[@]}"
    echo
fi
if has serve; then
    python3 tests/bench/serve_bench.py "$build" --bundle "${bundles[0]}" "${quick[@]}"
    echo
fi
if has load; then
    python3 tests/bench/load_bench.py "$build" "${quick_load[@]}"
fi
