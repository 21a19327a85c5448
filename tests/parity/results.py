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
#: Parameters that are no setting: names of stages and columns, and random numbers.
UNCOUNTED = {"seed", "columnsToPrune", "stageUids", "language"}
FITTED = ("rank",)  # what an estimator's parameter has become, where the model has no such parameter
READ = ("inputCol", "inputCols", "featuresCol", "offsetCol", "userCol", "itemCol", "itemsCol", "vectorCol")
TRIED = ("classifier", "estimator")  # what models that hold models were fitted by: a setting of theirs


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


def _form(names: str | list[str]) -> str:
    """Return in which form a column parameter is given, whatever the names."""
    return "many" if isinstance(names, list) else "one" if names else "none"


def _setting(saved: dict[str, Any]) -> dict[str, Any]:
    """Return what a stage's parameters are, given or by default; of columns in which form they are given."""
    params = {**saved.get("defaultParamMap", {}), **saved["paramMap"]}
    fitted = {k: saved[k] for k in FITTED if k in saved}
    return fitted | {k: _form(v) if k.endswith(("Col", "Cols")) else v for k, v in params.items() if k not in UNCOUNTED}


def _read(saved: dict[str, Any], shapes: dict[str, str]) -> list[str]:
    """Return types and sizes of the columns that a stage reads; those within an RFormulaModel are not known."""
    params = {**saved.get("defaultParamMap", {}), **saved["paramMap"]}
    given = [params[k] for k in READ if params.get(k)]
    return [shapes.get(name, "") for names in given for name in ([names] if isinstance(names, str) else names)]


def stages_of(model: Path, shapes: dict[str, str]) -> list[dict[str, Any]]:
    """Return of each saved stage, those within stages too, its class, its setting, and the setting with what it reads."""
    parts = {part.parents[1]: json.loads(part.read_text("utf-8")) for part in sorted(model.rglob("metadata/part-00000"))}
    stages = {folder: saved for folder, saved in parts.items() if "paramMap" in saved}  # others: what a stage keeps beside
    found = []
    for folder, saved in stages.items():
        tried = [_setting(other) for within, other in stages.items() if {folder / n for n in TRIED} & {within, *within.parents}]
        setting = json.dumps([_setting(saved), tried], sort_keys=True)
        twist = digest(setting, *_read(saved, shapes))
        found.append({"class": saved["class"].rpartition(".")[2], "setting": digest(setting), "twist": twist})
    return found


def _size(answer: Any) -> int:
    """Return the size of a vector of Spark's JSON, 0 of anything else."""
    if not isinstance(answer, dict) or "values" not in answer:
        return 0
    return len(answer["values"]) if answer["size"] is None else answer["size"]


def shapes_of(case: Any) -> dict[str, str]:
    """Return type and size of each column of a case, given or added."""
    first = next((a for a in case.answers if not isinstance(a, str)), {})
    given = {c.name: f"{c.kind} {getattr(c, 'size', 0)}" for c in case.columns}
    return given | {name: f"{kind} {_size(first.get(name))}" for name, kind in case.kinds.items()}


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
        "stages": stages_of(case.folder / "model", shapes_of(case)),
        "ops": sorted({stage["op"] for stage in manifest["stages"]}),
        "rows": len(case.answers),
        "errors": lost["error"],
        "skipped": lost["skipped"],
        "differing": len({(d.row, d.column) for d in found}),
        "columns": columns,
    }
