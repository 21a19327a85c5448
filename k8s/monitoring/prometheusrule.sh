#!/bin/sh
# prometheusrule.sh [NAMESPACE]: rules.yaml as a PrometheusRule of Prometheus's operator, on standard output:
#   k8s/monitoring/prometheusrule.sh | kubectl apply --server-side -f -
set -eu
cat <<HEAD
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: scored
  namespace: ${1:-default}
  labels:
    app.kubernetes.io/name: scored
spec:
HEAD
sed 's/^\(.\)/  \1/' "$(dirname "$0")/rules.yaml"
