# SPDX-License-Identifier: Apache-2.0
"""The worked example, days_to_sell: its pipelines fitted on generated rows; in full, its jobs' model too.

The jobs give the same model for the same data and seeds: the bundle in models/days_to_sell must answer as
that model does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import compare
import pipelines
import rows
from harness import TOP, Context, case_of, check, sources, summary
from results import Result

JOBS = ("generate", "check", "train")
BUNDLE = Path("models/days_to_sell/bundle")
IN_CI = ("linear",)
UNMADE = rows.Flag("unmade")


@dataclass(frozen=True)
class Field(rows.Column):
    """A column of the example: what its maker makes, and never null where it is required."""

    maker: rows.Column = UNMADE
    required: bool = False

    def clean(self, r: Any) -> Any:
        return self.maker.clean(r)

    def specials(self) -> list[Any]:
        return [v for v in self.maker.specials() if v is not None or not self.required]

    def bads(self) -> list[Any]:
        return self.specials()

    def signal(self, value: Any) -> float:
        return self.maker.signal(value)


def columns() -> tuple[rows.Column, ...]:
    """Return the example's inputs, with values around those that its bundle was trained on."""
    from days_to_sell.columns import COLUMNS

    manifest = json.loads((TOP / BUNDLE / "bundle.json").read_text("utf-8"))
    indexer = next(s for s in manifest["stages"] if s["op"] == "string_indexer")
    labels = dict(zip(indexer["inputs"]["inputCols"], indexer["params"]["labels"]))
    found: list[rows.Column] = []
    for c in COLUMNS:
        kind = c.kind.simpleString()
        if kind == "string":
            words = tuple(labels.get(c.name) or pipelines.MANY[:30])[:60]
            maker: rows.Column = rows.Text(c.name, null=True, unseen=True, labels=words)
        elif kind == "double":
            maker = rows.Number(
                c.name, kind, null=True, nan=True, low=0.5, high=1.5 if "ratio" in c.name else 5000.0
            )
        else:
            maker = rows.Number(c.name, kind, null=True, low=0, high=12 if "month" in c.name else 300)
        found.append(Field(c.name, kind, null=c.nullable, maker=maker, required=not c.nullable))
    return tuple(found)


def _stages(name: str) -> Any:
    """Return a function that makes the stages of one of the example's candidates."""

    from days_to_sell.columns import LABEL
    from days_to_sell.pipeline import candidates

    def stages() -> list[Any]:
        made = candidates()[name].getStages()
        return [
            s.copy({s.labelCol: "target_y"}) if s.hasParam("labelCol") and s.getLabelCol() == LABEL else s
            for s in made
        ]

    return stages


def its_pipelines(full: bool) -> list[pipelines.Pipeline]:
    """Return the example's pipelines, to be fitted on generated rows; in CI only the quickest."""
    from days_to_sell.pipeline import NAMES

    chosen = NAMES if full else IN_CI
    return [pipelines.Pipeline(f"example_{name}", columns(), _stages(name), True, (), 400) for name in chosen]


def trained(context: Context) -> Path:
    """Run the example's jobs, once; return the folder of the model."""
    folder: Path = context.work / f"example-{sources(TOP / 'models' / 'days_to_sell')}"
    for job in JOBS:
        done = folder / f"{job}.done"
        if done.exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", f"days_to_sell.{job}", "--out", str(folder)]
        subprocess.run(
            command,
            check=True,
            env={**os.environ, "PYTHONPATH": str(TOP / "models")},
            stdout=subprocess.DEVNULL,
        )
        done.touch()
    return folder


def run_bundle(context: Context, result: Result) -> None:
    """Check the bundle in the repository against the model that the jobs train."""
    start = time.monotonic()
    folder = trained(context)
    case = case_of(context, "example_bundle", columns(), folder)
    found = check(context, case, TOP / BUNDLE)
    text = summary(case) + (f"; {len(found)} cells differ" if found else "")
    print(f"{result.note(not found)} example_bundle: {text} ({time.monotonic() - start:.1f} s)", flush=True)
    for difference in found[: compare.SHOWN]:
        print(f"      {difference}", flush=True)


def run(context: Context, result: Result) -> None:
    """Check the bundle, in full."""
    try:
        run_bundle(context, result)
    except Exception as why:
        print(f"{result.note(False)} example_bundle: {type(why).__name__}: {str(why)[:1500]}", flush=True)
