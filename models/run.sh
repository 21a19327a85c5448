#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds scored, serves the example bundle, asks it one question, and keeps serving until Ctrl-C.
#
#   models/run.sh [--port N] [--once]
#
#   --port N   port on 127.0.0.1 (default: SCORED_PORT, else 8080; 0 takes a free one)
#   --once     stop the server after the answer; exit 0 if it came
#
# Installs by apt what a bare Debian 12 lacks, as root or by sudo. Later runs take seconds.
set -eu
script=$(cd "$(dirname "$0")" && pwd)/${0##*/}
cd "${script%/*}/.."

port=${SCORED_PORT:-8080}
once=
bundle=models/days_to_sell/bundle
packages="gcc libc6-dev cmake ninja-build pkg-config libmicrohttpd-dev libcjson-dev libssl-dev libcurl4-openssl-dev libpcre2-dev zlib1g-dev libzstd-dev libseccomp-dev
          curl ca-certificates"

say() { printf '%s\n' "run.sh: $*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n '3,11s/^# \{0,1\}//p' "$script"; exit 0; }
wrong() { say "$*"; say "models/run.sh --help tells more"; exit 2; }

while [ $# -gt 0 ]; do
    case $1 in
    --port) [ $# -ge 2 ] || wrong "--port needs a number"; port=$2; shift ;;
    --port=*) port=${1#*=} ;;
    --once) once=1 ;;
    -h | --help) usage ;;
    *) wrong "there is no $1; there are --port N and --once" ;;
    esac
    shift
done
case $port in *[!0-9]* | '' | ??????*) false ;; *) [ "$port" -le 65535 ] ;; esac ||
    wrong "--port (or SCORED_PORT) takes a number from 0 to 65535, not '$port'"

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
    if ! { cmake -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DTESTS=OFF && cmake --build build/release --target scored; } >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        die "the build failed; the whole log is $log"
    fi
}

alive() { kill -0 "$server" 2>/dev/null; }

ended() {
    ! grep -q 'cannot listen: Address already in use' "$log" || die "port $port is taken: --port N takes another, --port 0 a free one"
    die "the server ended before it was ready"
}

# Whatever else may answer on the port: only this server's own line says that it has it.
ready() {
    tries=0
    until listening=$(sed -n 's/.* listen=\(127\.0\.0\.1:[0-9]*\) .*/\1/p' "$log") && [ -n "$listening" ]; do
        alive || ended
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || die "the server does not serve within 30 s"
        sleep 0.1
    done
    url=http://$listening
}

# Version and digest that the server names are those of the bundle here.
check_model() {
    version=$(sed -n 's/^ *"version" *: *"\([^"]*\)".*/\1/p' $bundle/bundle.json | head -n 1)
    digest=$(sha256sum $bundle/bundle.json | cut -d ' ' -f 1)
    served=$(curl -fsS --max-time 10 "$url/models/days_to_sell") || die "$url/models/days_to_sell does not answer"
    case $served in *"\"version\":\"$version\",\"sha256\":\"$digest\""*) ;; *)
        die "$url serves something else than $bundle, version $version" ;;
    esac
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
    wait "$shown" || :
    rm -f "$log"
}

install
build
say "serving $bundle on port $port of 127.0.0.1"
log=$(mktemp)
build/release/scored serve --model $bundle --listen "127.0.0.1:$port" --admin-listen off --lame-duck 0 2>"$log" &
server=$!
tail -n +1 -s 0.1 -f --pid="$server" "$log" >&2 &
shown=$!
trap stop EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM
ready
check_model

row=$(question)
say "POST $url/predict"
pretty "$row"
answer=$(curl -fsS --max-time 10 -H 'Content-Type: application/json' --data-binary "$row" "$url/predict") ||
    die "no answer to the example row"
alive || die "the server ended"
say "scored answers, in days:"
pretty "$answer"
say "Spark said when the bundle was made:"
pretty "$(spark_said)"

[ -z "$once" ] || exit 0
say "serving until Ctrl-C; try: curl $url/models/days_to_sell"
wait "$server"
