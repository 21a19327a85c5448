#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds scored, serves the example bundle, asks it one question, and keeps serving until Ctrl-C.
#
#   models/run.sh [--port N] [--once]
#
#   --port N   port on 127.0.0.1 (default: SCORED_PORT, else 8080)
#   --once     stop the server after the answer; exit 0 if it came
#
# Installs by apt what a bare Debian 12 lacks, as root or by sudo. Later runs take seconds.
set -eu
script=$(cd "$(dirname "$0")" && pwd)/${0##*/}
cd "${script%/*}/.."

port=${SCORED_PORT:-8080}
once=
bundle=models/days_to_sell/bundle
packages="gcc libc6-dev cmake ninja-build pkg-config libmicrohttpd-dev libcjson-dev libssl-dev libcurl4-openssl-dev curl
          ca-certificates"

say() { printf '%s\n' "run.sh: $*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n '3,11s/^# \{0,1\}//p' "$script"; exit "$1"; }

while [ $# -gt 0 ]; do
    case $1 in
    --port) [ $# -ge 2 ] || usage 2 >&2; port=$2; shift ;;
    --port=*) port=${1#*=} ;;
    --once) once=1 ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done
case $port in *[!0-9]* | '') usage 2 >&2 ;; esac

missing() {
    for package in $packages; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; return; fi
    command -v sudo >/dev/null || die "cannot install packages: neither root nor sudo; install them and come back: $packages"
    sudo "$@"
}

install() {
    wanted=$(missing)
    [ -n "$wanted" ] || return 0
    say "installing: $wanted"
    as_root apt-get update -qq
    # shellcheck disable=SC2086  # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null
}

build() {
    say "building build/release/scored"
    log=build/release.log
    mkdir -p build
    if ! { cmake -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release && cmake --build build/release --target scored; } >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        die "the build failed; the whole log is $log"
    fi
}

alive() { kill -0 "$server" 2>/dev/null; }

ready() {
    tries=0
    until curl -fsS -o /dev/null --max-time 2 "$url/readyz" 2>/dev/null; do
        alive || die "the server ended before it was ready"
        tries=$((tries + 1))
        [ "$tries" -lt 150 ] || die "$url/readyz was not ready within 15 s"
        sleep 0.1
    done
    alive || die "the server ended: something else answers at $url"
}

# The manifest's example has one question and Spark's answer: print {"make":...} of {"in":{"make":...},"out":{...}}.
question() {
    tr -d '\n' <$bundle/bundle.json | sed 's/.*"example"[ ]*:[ ]*{[ ]*"in"[ ]*:[ ]*\({[^{}]*}\).*/\1/'
}

spark_said() {
    tr -d '\n' <$bundle/bundle.json |
        sed 's/.*"example"[ ]*:[ ]*{[ ]*"in"[ ]*:[ ]*{[^{}]*}[ ]*,[ ]*"out"[ ]*:[ ]*\({[^{}]*}\).*/\1/'
}

pretty() { printf '%s\n' "$1" | sed 's/^{ */{\n    /; s/, *"/,\n    "/g; s/ *}$/\n}/; s/": */": /g'; }

stop() {
    trap - EXIT INT TERM
    if alive; then
        kill "$server"
        wait "$server" || :
    fi
}

install
build
url=http://127.0.0.1:$port
say "serving $bundle at $url"
build/release/scored serve --model $bundle --listen "127.0.0.1:$port" --admin-listen off &
server=$!
trap stop EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM
ready

row=$(question)
say "POST $url/predict"
pretty "$row"
answer=$(curl -fsS --max-time 10 -H 'Content-Type: application/json' --data-binary "$row" "$url/predict") ||
    die "no answer to the example row"
say "scored answers, in days:"
pretty "$answer"
say "Spark said when the bundle was made:"
pretty "$(spark_said)"

[ -z "$once" ] || exit 0
say "serving until Ctrl-C; try: curl $url/models/days_to_sell"
wait "$server"
