#!/bin/sh
# build.sh DIR: a Kubernetes control plane, kubectl, kustomize and kwok from their Go modules into DIR, and into DIR/crds what defines the
# kinds of others that k8s/ has: Prometheus's operator's, the Gateway API's and KServe's. What is there stays.
set -eu
dir=$(mkdir -p "$1" && cd "$1" && pwd)
version=v1.34.4
staging=v0.34.4 # what k8s.io/kubernetes calls ./staging/src/k8s.io/X, published
kwok=v0.7.0
kustomize=v5.7.1 # what this kubectl has in it
PATH=$PATH:/usr/local/go/bin

# unpacked MODULE@VERSION
unpacked() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; }

# The module is no library: its go.mod points at directories of its repository. This one says where they are published.
module() {
    from=$(unpacked "k8s.io/kubernetes@$version")
    cp "$from/go.mod" "$from/go.sum" .
    chmod u+w go.mod go.sum
    sed -i -e 's|^module .*|module control-plane|' \
        -e "s|\(k8s.io/[a-z0-9-]* =>\) ./staging/src/\(k8s.io/[a-z0-9-]*\)|\1 \2 $staging|" \
        -e "s|\(k8s.io/[a-z0-9-]*\) v0.0.0\$|\1 $staging|" go.mod
    echo "require k8s.io/kubernetes $version" >>go.mod
}

kubernetes() {
    [ -x "$dir/$1" ] && return
    said=k8s.io/component-base/version
    CGO_ENABLED=0 GOFLAGS=-mod=mod go build -p 2 -o "$dir/$1" -ldflags "-s -w -X $said.gitVersion=$version
        -X $said.gitMajor=1 -X $said.gitMinor=34" "k8s.io/kubernetes/cmd/$1"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
module
for program in kube-apiserver kube-controller-manager kube-scheduler kubectl; do kubernetes $program; done
[ -x "$dir/kustomize" ] || GOBIN=$dir go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize"
[ -x "$dir/kwok" ] || GOBIN=$dir go install "sigs.k8s.io/kwok/cmd/kwok@$kwok"

# definitions MODULE@VERSION FILE...
definitions() {
    from=$(unpacked "$1")
    shift
    for file in "$@"; do install -D -m 644 "$from/$file" "$dir/crds/${file##*/}"; done
}
[ -f "$dir/crds/serving.kserve.io_inferenceservices.yaml" ] || {
    of=example/prometheus-operator-crd/monitoring.coreos.com
    definitions github.com/prometheus-operator/prometheus-operator@v0.85.0 ${of}_servicemonitors.yaml ${of}_prometheusrules.yaml
    definitions sigs.k8s.io/gateway-api@v1.3.0 config/crd/standard/gateway.networking.k8s.io_httproutes.yaml
    of=config/crd/full/serving.kserve.io
    definitions github.com/kserve/kserve@v0.15.2 ${of}_clusterservingruntimes.yaml ${of}_inferenceservices.yaml
}
