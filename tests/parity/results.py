# SPDX-License-Identifier: Apache-2.0
"""The tally of a run, and its results as JSON lines: of each pipeline what was compared and what differs."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import compare
from content import digest

TOP = Path(__file__).resolve().parents[2]


def commit() -> str:
    """Return which commit runs, with a plus where files differ from it."""
    git = ["git", "-C", str(TOP)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    return (head.stdout.strip() or "unknown") + ("+" if changed.stdout.strip() else "")


@dataclass
class Result:
    """The tally of a run; threads share it."""

    passed: int = 0
    failed: int = 0
    file: Path | None = None
    run: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, ok: bool) -> str:
        """Count a test and return its mark."""
        with self.lock:
            self.passed += ok
            self.failed += not ok
        return "ok   " if ok else "FAIL "

    def begin(self, file: Path | None, run: dict[str, Any]) -> None:
        """Write results to a file from now on, each with what the run is."""
        self.file, self.run = file, run
        if file:
            file.write_text("", encoding="utf-8")

    def write(self, line: dict[str, Any]) -> None:
        """Write a line of results."""
        if self.file:
            with self.lock, self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**line, **self.run}) + "\n")


def _twist(params: dict[str, Any]) -> str:
    """Return which parameters but columns and seeds are set to what."""
    kept = {k: v for k, v in params.items() if not k.endswith(("Col", "Cols")) and k not in ("seed", "columnsToPrune")}
    return digest(json.dumps(kept, sort_keys=True))


def stages_of(model: Path) -> list[dict[str, Any]]:
    """Return class and twist of each saved stage, those within stages too."""
    found = []
    for part in sorted(model.rglob("metadata/part-00000")):
        saved = json.loads(part.read_text("utf-8"))
        if "paramMap" not in saved:  # of what a stage keeps beside
            continue
        name = saved["class"].rpartition(".")[2]
        found.append({"class": name, "twist": _twist(saved["paramMap"])})
    return found


def _makers(manifest: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return which stage makes each answered column, and the tier that the bundle promises."""
    tiers = {name: promise["tier"] for name, promise in manifest["exactness"].items()}
    made = {
        column: {"class": stage["class"].rpartition(".")[2], "op": stage["op"]}
        for stage in manifest["stages"]
        for columns in stage["outputs"].values()
        for column in ([columns] if isinstance(columns, str) else columns)
    }
    return {column: {**made[column], "tier": tier} for column, tier in tiers.items() if column in made}


def _column(found: Sequence[compare.Difference], maker: dict[str, str], cells: int) -> dict[str, Any]:
    """Return what is to say of a column: a difference is counted once, whichever way it was asked."""
    ulps = [compare.ulps(d.expected, d.got) for d in found]
    differing = len({d.row for d in found})
    far = None if None in ulps else max(ulps, default=0)
    return {**maker, "cells": cells, "differing": differing, "max_ulp": far}


def line_of(case: Any, pipeline: Any, bundle: Path, found: Sequence[compare.Difference]) -> dict[str, Any]:
    """Return a pipeline's line."""
    lost = Counter(a for a in case.answers if isinstance(a, str))
    answered = len(case.answers) - sum(lost.values())
    manifest = json.loads((bundle / "bundle.json").read_text("utf-8"))
    makers = _makers(manifest)
    columns = {
        c: _column([d for d in found if d.column == c], makers[c], answered) for c in case.kinds if c in makers
    }
    return {
        "pipeline": pipeline.name,
        "twist": pipeline.twist,
        "stages": stages_of(case.folder / "model"),
        "ops": sorted({stage["op"] for stage in manifest["stages"]}),
        "rows": len(case.answers),
        "errors": lost["error"],
        "skipped": lost["skipped"],
        "differing": len({(d.row, d.column) for d in found}),
        "columns": columns,
    }
