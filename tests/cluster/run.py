#!/usr/bin/env python3
"""Applies all of k8s/ to a real control plane, and rolls out, evicts and is refused there: ``run.py TOOLS``.

Nodes and kubelets are kwok's: pods "run" without a process, probes and network policies hold nobody. Definitions of kinds
that are not Kubernetes' own are their projects', out of their Go modules. Closes with "N passed, N failed".
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from plane import Plane, until

K8S = Path(__file__).resolve().parents[2] / "k8s"
OVERLAYS = ("base", "s3", "s3-secret", "preproduction", "production", "canary", "kserve")
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"
# Where a slip is put, by kind; and the replicas that the autoscaler must bring about, by overlay.
SLIPS = {
    "Deployment": ("spec", "template", "spec"),
    "Service": ("spec",),
    "HorizontalPodAutoscaler": ("spec",),
    "PodDisruptionBudget": ("spec",),
    "NetworkPolicy": ("spec",),
    "ServiceMonitor": ("spec",),
    "PrometheusRule": ("spec",),
    "HTTPRoute": ("spec",),
    "ClusterServingRuntime": ("spec",),
    "InferenceService": ("spec", "predictor", "model"),
}
PODS = {"base": 2, "s3": 2, "s3-secret": 2, "preproduction": 1, "production": 3, "canary": 1}

Checks = Iterator[tuple[str, bool]]
Manifest = dict[str, Any]


def built(plane: Plane, folder: Path) -> str:
    """Return what a kustomization makes."""
    done = plane.kubectl("kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


def namespace_of(manifests: str, name: str) -> str:
    """Return the namespace that manifests say, or one for an overlay that says none."""
    said = {doc["metadata"].get("namespace") for doc in yaml.safe_load_all(manifests)} - {None}
    return said.pop() if said else f"test-{name}"


def make_namespace(plane: Plane, name: str) -> None:
    """Make a namespace for restricted pods, if it is not there."""
    plane.kubectl("create", "namespace", name)
    plane.kubectl("label", "--overwrite", "namespace", name, RESTRICTED)


def check_overlays(plane: Plane) -> Checks:
    """Each is taken without a warning, and its pods come up, as many as the autoscaler wants."""
    for name in OVERLAYS:
        manifests = built(plane, K8S / name)
        namespace = namespace_of(manifests, name)
        make_namespace(plane, namespace)
        done = plane.apply(manifests, f"--namespace={namespace}", "--force-conflicts")
        taken = len(done.stdout.splitlines())
        fine = done.returncode == 0 and taken == len(list(yaml.safe_load_all(manifests)))
        yield f"{name}: {taken} resources are taken {done.stderr[:600]}", fine and "Warning" not in done.stderr
        if name in PODS:
            deployment = "scored-canary" if name == "canary" else "scored"
            yield f"{name}: {PODS[name]} pods run", runs(plane, namespace, deployment, PODS[name])


def runs(plane: Plane, namespace: str, deployment: str, count: int) -> bool:
    """Wait until a deployment has so many pods, all of them ready."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = plane.kubectl("get", "deployment", deployment, f"--namespace={namespace}", "-o", "json")
        status = json.loads(found.stdout or "{}").get("status", {})
        if status.get("readyReplicas") == status.get("replicas") == status.get("updatedReplicas") == count:
            return True
        time.sleep(0.5)
    return False


def check_rules(plane: Plane) -> Checks:
    """The one file of rules as the operator's resource."""
    made = subprocess.run([str(K8S / "monitoring/prometheusrule.sh")], capture_output=True, text=True, check=True)
    done = plane.apply(made.stdout)
    yield f"the operator's rules are taken {done.stderr[:300]}", done.returncode == 0


def check_in_flight(plane: Plane, folder: Path) -> Checks:
    """The component that scales by requests in flight, upon the base."""
    relative = os.path.relpath(K8S, folder)
    (folder / "kustomization.yaml").write_text(f"resources: [{relative}/base]\ncomponents: [{relative}/in-flight]\n")
    done = plane.apply(built(plane, folder), "--namespace=test-base", "--force-conflicts")
    metrics = plane.get("hpa", "--namespace=test-base")[0]["spec"]["metrics"]
    yield f"requests in flight: taken {done.stderr[:300]}", done.returncode == 0
    yield "requests in flight: beside the processors", [m["type"] for m in metrics] == ["Resource", "Pods"]


def everything(plane: Plane) -> dict[str, Manifest]:
    """Return the first manifest of each kind."""
    texts = [built(plane, K8S / name) for name in OVERLAYS]
    texts.append(subprocess.run([str(K8S / "monitoring/prometheusrule.sh")], capture_output=True, text=True, check=True).stdout)
    found: dict[str, Manifest] = {}
    for doc in (doc for text in texts for doc in yaml.safe_load_all(text)):
        found.setdefault(doc["kind"], doc)
    return found


def check_refusals(plane: Plane) -> Checks:
    """What is wrong is refused: a slip in each kind, fields that contradict each other, a pod that may too much."""
    manifests = everything(plane)
    for kind, path in SLIPS.items():
        manifest = copy.deepcopy(manifests[kind])
        manifest["metadata"].pop("namespace", None)
        place: Any = manifest
        for step in path:
            place = place[step]
        place["slipOfThePen"] = "x"
        done = plane.apply(yaml.safe_dump(manifest), "--namespace=test-base", "--force-conflicts")
        yield f"refused: a slip in a {kind}", done.returncode != 0 and "slipOfThePen" in done.stderr
    scaler = copy.deepcopy(manifests["HorizontalPodAutoscaler"])
    scaler["metadata"].pop("namespace", None)
    scaler["spec"] |= {"minReplicas": 9, "maxReplicas": 3}
    done = plane.apply(yaml.safe_dump(scaler), "--namespace=test-base", "--force-conflicts")
    yield "refused: more pods at least than at most", done.returncode != 0 and "maxReplicas" in done.stderr
    template = manifests["Deployment"]["spec"]["template"]["spec"]
    for what, change in (
        ("a pod as root", lambda pod: pod["securityContext"].update(runAsNonRoot=False, runAsUser=0)),
        ("a pod with capabilities", lambda pod: pod["containers"][0]["securityContext"]["capabilities"].update(drop=[])),
        ("a pod that may get privileges", lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation")),
        ("a pod without seccomp", lambda pod: pod["securityContext"].pop("seccompProfile")),
    ):
        spec = copy.deepcopy(template)
        change(spec)
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad"}, "spec": spec}
        done = plane.apply(yaml.safe_dump(pod), "--namespace=test-base")
        yield f"refused: {what}", done.returncode != 0 and 'violates PodSecurity "restricted' in done.stderr


def pods(plane: Plane, namespace: str) -> dict[str, Manifest]:
    """Return the pods that are not on their way out, nor a canary's, by name."""
    found = plane.get("pods", f"--namespace={namespace}", "--selector=app.kubernetes.io/name=scored")
    return {p["metadata"]["name"]: p["spec"] for p in found if "deletionTimestamp" not in p["metadata"]}


def check_rollout(plane: Plane) -> Checks:
    """Another image is another ReplicaSet, whose pods replace those before; back is back; no step lacks a pod."""
    where = "--namespace=scored-production"
    before = pods(plane, "scored-production")
    done = plane.kubectl("set", "image", "deployment/scored", "scored=days-to-sell:0.3.0", where)
    fewest = 99
    with subprocess.Popen(
        [str(plane.tools / "kubectl"), f"--kubeconfig={plane.config}", "rollout", "status", "deployment/scored",
         "--timeout=180s", where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as rollout:  # fmt: skip
        while rollout.poll() is None:
            status = json.loads(plane.kubectl("get", "deployment", "scored", "-o", "json", where).stdout)["status"]
            fewest = min(fewest, status.get("availableReplicas", 0))
    yield "roll-out: ends", done.returncode == rollout.returncode == 0
    yield f"roll-out: never fewer than {fewest} pods", fewest >= PODS["production"]
    sets = {s["spec"]["template"]["spec"]["containers"][0]["image"]: s for s in plane.get("replicasets", where)}
    yield "roll-out: a ReplicaSet an image", {"days-to-sell:0.1.0", "days-to-sell:0.3.0"} <= set(sets)
    until("old pods to go", lambda: not set(before) & set(pods(plane, "scored-production")))
    yield "roll-out: all pods are new", len(pods(plane, "scored-production")) == PODS["production"]
    places = {spec["nodeName"] for spec in pods(plane, "scored-production").values()}
    yield f"roll-out: a pod a zone {sorted(places)}", len(places) == 3
    undone = plane.kubectl("rollout", "undo", "deployment/scored", where)
    waited = plane.kubectl("rollout", "status", "deployment/scored", "--timeout=180s", where)
    images = {spec["containers"][0]["image"] for spec in pods(plane, "scored-production").values()}
    yield f"roll-back: to the image before {images}", undone.returncode == waited.returncode == 0 and images == {"days-to-sell:0.1.0"}


def evict(plane: Plane, namespace: str, pod: str) -> subprocess.CompletedProcess[str]:
    """Ask for a pod's eviction, as a drain does."""
    asked = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    return plane.kubectl("create", "--raw", path, "-f", "-", given=json.dumps(asked))


def check_evictions(plane: Plane) -> Checks:
    """One pod at a time may be driven away, as nodes are drained; when another is there, the next."""
    space = "scored-production"
    where = f"--namespace={space}"
    until("the budget", lambda: plane.get("pdb", where)[0]["status"]["disruptionsAllowed"] == 1)
    first, second, _ = pods(plane, space)
    plane.kubectl("cordon", "node-a", "node-b", "node-c")
    one, two = evict(plane, space, first), evict(plane, space, second)
    yield "eviction: one pod may go", one.returncode == 0
    yield (
        f"eviction: another may not meanwhile: {two.stderr.strip()[:120]}",
        two.returncode != 0 and "disruption budget" in two.stderr,
    )
    plane.kubectl("uncordon", "node-a", "node-b", "node-c")
    until("the budget again", lambda: plane.get("pdb", where)[0]["status"]["disruptionsAllowed"] == 1)
    yield "eviction: then it may", evict(plane, space, second).returncode == 0


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tools", type=Path)
    args = parser.parse_args()
    counts = {True: 0, False: 0}
    began = time.monotonic()
    with Plane(args.tools.resolve()) as plane, tempfile.TemporaryDirectory(prefix="overlay-") as folder:
        for definition in sorted((args.tools / "crds").iterdir()):
            done = plane.apply(definition.read_text())
            assert done.returncode == 0, done.stderr[:2000]
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        plane.nodes(["a", "b", "c"])
        print(f"a control plane and three nodes, {time.monotonic() - began:.0f} s", flush=True)
        for checks in (check_overlays(plane), check_rules(plane), check_in_flight(plane, Path(folder)),
                       check_refusals(plane), check_rollout(plane), check_evictions(plane)):  # fmt: skip
            for name, fine in checks:
                print("ok   " if fine else "FAIL ", name, flush=True)
                counts[fine] += 1
    print(f"{time.monotonic() - began:.0f} s\n{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
