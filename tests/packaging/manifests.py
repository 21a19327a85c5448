#!/usr/bin/env python3
"""Holds k8s/ to the schemas of Kubernetes, strictly and without a cluster.

Whole manifests as they stand, patches merged into what they change; of kinds that Kubernetes does not have only
that they are named where they must be (the stage `cluster` applies everything to a real API server, with the
definitions of those kinds). Closes with "N passed, N failed".
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

TOP = Path(__file__).resolve().parents[2]
K8S = TOP / "k8s"
VERSION = "1.34"
OTHERS = {"monitoring.coreos.com", "serving.kserve.io", "gateway.networking.k8s.io"}

Checks = Iterator[tuple[str, bool]]
Manifest = dict[str, Any]


def load(path: Path) -> list[Manifest]:
    """Return the documents of a file."""
    return [doc for doc in yaml.safe_load_all(path.read_text()) if doc]


def merged(under: Any, over: Any) -> Any:
    """Merge a patch as Kubernetes does: maps by key, lists of named things by name, all else is replaced."""
    if isinstance(under, dict) and isinstance(over, dict):
        return under | {key: merged(under.get(key), value) for key, value in over.items()}
    named = [item for some in (under, over) if isinstance(some, list) for item in some]
    if isinstance(under, list) and isinstance(over, list) and all(isinstance(i, dict) and "name" in i for i in named):
        by_name = {item["name"]: item for item in under}
        for item in over:
            by_name[item["name"]] = merged(by_name.get(item["name"]), item)
        return list(by_name.values())
    return copy.deepcopy(over)


def fault(manifest: Manifest) -> str:
    """Return what is wrong with a manifest; empty where nothing is."""
    try:
        kubernetes_validate.validate(manifest, VERSION, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return str(error.message)[:300]
    return ""


class Overlay:
    """A folder with a kustomization."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: Manifest = load(folder / "kustomization.yaml")[0]

    def files(self) -> set[Path]:
        """Return the files that it names."""
        named = [r for r in self.told.get("resources", []) if r.endswith(".yaml")]
        named += [p["path"] for p in self.told.get("patches", []) if "path" in p]
        named += [f for g in self.told.get("configMapGenerator", []) for f in g["files"]]
        return {self.folder / name for name in named} | {self.folder / "kustomization.yaml"}

    def manifests(self) -> dict[tuple[str, str], Manifest]:
        """Return what it makes, by kind and name, patches of files merged."""
        found: dict[tuple[str, str], Manifest] = {}
        for name in self.told.get("resources", []):
            path = (self.folder / name).resolve()
            if path.is_dir():
                found |= Overlay(path).manifests()
            else:
                found |= {(doc["kind"], doc["metadata"]["name"]): doc for doc in load(path)}
        for patch in self.told.get("patches", []):
            for doc in load(self.folder / patch["path"]) if "path" in patch else []:
                key = (doc["kind"], doc["metadata"]["name"])
                found[key] = merged(found[key], doc)
        return found


def check_overlay(overlay: Overlay) -> Checks:
    """Its manifests, against the schemas of their kinds."""
    for (kind, name), manifest in overlay.manifests().items():
        if manifest["apiVersion"].partition("/")[0] not in OTHERS:
            wrong = fault(manifest)
            yield f"{overlay.folder.name}: {kind} {name}{': ' if wrong else ''}{wrong}", not wrong


def check_typos() -> Checks:
    """A slip is seen: else nothing above says anything."""
    for path, slip in (
        (("spec", "template", "spec", "containers", 0), "readynessProbe"),
        (("spec", "strategy"), "rollingUpdates"),
        (("metadata",), "label"),
    ):
        manifest = copy.deepcopy(Overlay(K8S / "base").manifests()["Deployment", "scored"])
        place: Any = manifest
        for step in path:
            place = place[step]
        place[slip] = {}
        yield f"a slip is seen: {slip}", slip in fault(manifest)


def check_files(overlays: list[Overlay]) -> Checks:
    """No file lies about unused, and the operator's rules are those of the one file."""
    used = set().union(*(overlay.files() for overlay in overlays))
    monitoring = K8S / "monitoring"
    others = {monitoring / "rules.yaml", monitoring / "prometheusrule.sh", K8S / "README.md"}
    unused = {path for path in K8S.rglob("*") if path.is_file()} - used - others
    yield f"all files are used{[str(p.relative_to(K8S)) for p in unused] or ''}", not unused
    made = subprocess.run([str(monitoring / "prometheusrule.sh"), "here"], capture_output=True, text=True, check=True).stdout
    rule = yaml.safe_load(made)
    yield "the operator's rules are rules.yaml", rule["spec"] == load(monitoring / "rules.yaml")[0]
    yield "they go where they are said to", (rule["kind"], rule["metadata"]["namespace"]) == ("PrometheusRule", "here")
    dashboard = json.loads((monitoring / "dashboard.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]}
    yield "the dashboard's panels are apart", len(set(ids)) == len(places) == len(ids) > 10


def main() -> int:
    """Run it."""
    overlays = [Overlay(path.parent) for path in sorted(K8S.glob("*/kustomization.yaml"))]
    counts = {True: 0, False: 0}
    for checks in (*(check_overlay(o) for o in overlays), check_typos(), check_files(overlays)):
        for name, fine in checks:
            print("ok   " if fine else "FAIL ", name)
            counts[fine] += 1
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
