#!/usr/bin/env bash
# Runs every fuzz target of a build folder for a while, on its seeds: 12 seconds each, with --full 10 minutes.
#
#   tests/fuzz/run.sh BUILD_DIR [--full]
#
# A finding is left in the build folder and fails; closes with "N passed, N failed".
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
seconds=12
[ "${2:-}" = --full ] && seconds=600
passed=0 failed=0

python3 "$here/seeds.py" "$build/seeds" || exit 1
python3 "$here/../conformance/cases.py" "$build/seeds/live" || exit 1

# fuzz TARGET: what it found in a line, or the end of its log
fuzz() {
    local target=$1 name stem dict dir options seeds=()
    name=$(basename "$target")
    stem=${name%_fuzz}
    mkdir -p "$build/corpus/$name"
    options=(-max_total_time=$seconds -print_final_stats=1 -artifact_prefix="$build/$name-" -timeout=20 -rss_limit_mb=2048)
    # a dictionary of its own, where it has one
    case $stem in json_in | csv) dict=json ;; live) dict=head ;; *) dict=$stem ;; esac
    [ -f "$here/$dict.dict" ] || dict=bundle
    options+=(-dict="$here/$dict.dict")
    for dir in "$here/$stem" "$build/seeds/$stem"; do
        [ -d "$dir" ] && seeds+=("$dir")
    done
    if "$target" "${options[@]}" "$build/corpus/$name" "${seeds[@]}" >"$build/$name.log" 2>&1; then
        echo "$name: $(grep -o 'number_of_executed_units: *[0-9]*' "$build/$name.log" | grep -o '[0-9]*') inputs, no finding"
    else
        echo "$name: a finding; the end of its log:"
        tail -30 "$build/$name.log"
        return 1
    fi
}

# in pairs: each takes one processor
targets=("$build"/*_fuzz)
for ((i = 0; i < ${#targets[@]}; i += 2)); do
    running=()
    for target in "${targets[@]:i:2}"; do
        fuzz "$target" &
        running+=($!)
    done
    for one in "${running[@]}"; do
        if wait "$one"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
