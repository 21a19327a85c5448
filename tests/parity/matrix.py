#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes models/STAGES.md of what runs of the harness have compared: `matrix.py RESULTS...`, one table a platform.

With `--add` only stages that the page does not have yet get rows; nothing else changes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "models" / "export"))

from scored_export.ops import OPS as OPS_BY_CLASS  # noqa: E402

OPS = {name.rpartition(".")[2]: op.name for name, op in OPS_BY_CLASS.items()}
PAGE = TOP / "models" / "STAGES.md"
ABOUT = """# Stages, and what was compared

Written by `tests/parity/matrix.py` of the results of `tests/parity/run.py --full`, never by hand. Spark fits a pipeline, it
answers generated rows, ordinary ones, ones at the edges of their types and ones that should fail; the pipeline is
exported, and scored answers the same rows, by `scored predict` and over HTTP. A cell is a column of an answered row: it is
identical where null, size, indices and all bits are Spark's. A row that Spark refuses or drops must be refused or dropped.

- **pipelines**: how many held the stage; **rows**: asked of these pipelines, those included on which Spark throws.
- **twists**: in how many settings of its parameters, names and seeds aside, but one column or several and outputs left out
  counted; in brackets, with types and sizes of the columns that it reads. `all`: its parameters allow no more settings, as
  of a stage that has none. `few`: fewer than ten, though they would allow more.
- **cells**: what the stage itself answered; **identical**: how many of them are Spark's, bit for bit; **max ulp**: how
  far the farthest number is from Spark's.
- **tier**: what the bundle promises of it (`FORMAT.md` 6).
- **commit**: which code was asked; a plus stands for changes beside it.
- **refused**: what the exporter says of a setting, or of the stage, that it does not take.
"""
HEAD = "| stage | op | pipelines | twists | rows | cells | identical | max ulp | tier | commit | refused |"
RULE = "|---|---|--:|--:|--:|--:|--:|--:|---|---|---|"


ENOUGH = 10
#: How many settings there are of stages that allow fewer than ENOUGH.
SETTINGS = {
    **dict.fromkeys(("ColumnPruner", "Interaction", "MaxAbsScalerModel", "PipelineModel", "Tokenizer"), 1),
    **{"VectorAttributeRewriter": 1, "DCT": 2, "VectorAssembler": 3, "StandardScalerModel": 4, "OneHotEncoderModel": 8},
}


@dataclass
class Row:
    """What is known of a stage on a platform."""

    pipelines: int = 0
    settings: set[str] = field(default_factory=set)
    twists: set[str] = field(default_factory=set)
    rows: int = 0
    cells: int = 0
    differing: int = 0
    far: int | None = 0
    tiers: set[str] = field(default_factory=set)
    commits: set[str] = field(default_factory=set)
    refused: dict[str, None] = field(default_factory=dict)

    def stage(self, line: dict[str, Any], name: str) -> None:
        """Take in a pipeline that holds the stage."""
        mine = [stage for stage in line["stages"] if stage["class"] == name]
        self.pipelines += 1
        self.settings.update(stage["setting"] for stage in mine)
        self.twists.update(stage["twist"] for stage in mine)
        self.rows += line["rows"]
        self.commits.add(line["commit"])

    def column(self, column: dict[str, Any]) -> None:
        """Take in a column that the stage makes."""
        self.cells += column["cells"]
        self.differing += column["differing"]
        self.far = None if None in (self.far, column["max_ulp"]) else max(self.far or 0, column["max_ulp"])
        self.tiers.add(column["tier"])

    def few(self, name: str) -> bool:
        """Say whether the stage was compared in fewer settings than are enough, or than there are."""
        return self.pipelines > 0 and len(self.settings) < SETTINGS.get(name, ENOUGH)

    def turns(self, name: str) -> str:
        """Return the cell of twists."""
        mark = ", few" if self.few(name) else ", all" if name in SETTINGS and self.pipelines else ""
        return f"{len(self.settings)}{mark} ({len(self.twists)})"

    def text(self, name: str) -> str:
        """Return the row of the table."""
        same = self.cells - self.differing
        share = "all" if not self.differing else f"{100 * same / self.cells:.4f} %"
        measured = [f"{self.cells:,}", share, "-" if self.far is None else str(self.far), ", ".join(sorted(self.tiers))]
        cells = [
            *(f"`{name}`", f"`{OPS[name]}`" if name in OPS else "-"),
            *(str(self.pipelines), self.turns(name), f"{self.rows:,}"),
            *(measured if self.cells else ["-"] * 4),
            *(", ".join(sorted(self.commits)), "<br>".join(self.refused)),
        ]
        return f"| {' | '.join(cells)} |"


def read(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the lines of results; of a pipeline that was run again, the last."""
    found = {}
    for file in files:
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            found[line["platform"], line["pipeline"]] = line
    return list(found.values())


def fitted(name: str) -> bool:
    """Say whether a class is scored, or holds others that are; estimators are saved within what they have fitted."""
    return name in OPS or name.endswith("Model")


def rows_of(lines: Iterable[dict[str, Any]]) -> dict[str, Row]:
    """Return the rows of a platform by stage."""
    found: dict[str, Row] = {}
    for line in lines:
        for name in {stage["class"] for stage in line.get("stages", ()) if fitted(stage["class"])}:
            found.setdefault(name, Row()).stage(line, name)
        for column in line.get("columns", {}).values():
            found.setdefault(column["class"], Row()).column(column)
        if "refused" in line:
            row = found.setdefault(line["class"], Row())
            row.refused[line["refused"]] = None
            row.commits.add(line["commit"])
    return found


def _sum(lines: list[dict[str, Any]], rows: dict[str, Row]) -> str:
    """Return what stands above a platform's table."""
    few = [name for name, row in rows.items() if row.few(name)]
    cases = [line for line in lines if "stages" in line]
    mixes = [line for line in lines if line["pipeline"].startswith("mix ")]
    bad = sum(bool(line.get("differing")) for line in [*cases, *mixes])
    asked = sum(line["rows"] for line in cases), sum(line["rows"] for line in mixes)
    seeds = ", ".join(sorted({str(line["seed"]) for line in lines}))
    return (
        f"{len(cases)} pipelines, {asked[0]:,} rows; {len(mixes)} mixes of two and three stages under error, skip and keep, "
        f"{asked[1]:,} rows; {bad} of them differ. Seed {seeds}.\n"
        f"Stages compared in few of their settings: {', '.join(sorted(few)) or 'none'}.\n"
    )


def sections(lines: list[dict[str, Any]]) -> dict[str, tuple[str, dict[str, str]]]:
    """Return for each platform what stands above its table, and the table's rows by stage."""
    found = {}
    for platform in sorted({line["platform"] for line in lines}):
        mine = [line for line in lines if line["platform"] == platform]
        stages = rows_of(mine)
        rows = sorted(stages.items(), key=lambda item: (item[0] not in OPS, OPS.get(item[0]), item[0]))
        found[platform] = (_sum(mine, stages), {name: row.text(name) for name, row in rows})
    return found


def parsed(text: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Return the sections of a page."""
    found = {}
    for part in text.split("\n## ")[1:]:
        title, _, rest = part.partition("\n")
        above = rest.partition("| stage")[0].strip() + "\n"
        found[title] = (above, {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \|.*$", rest, re.M)})
    return found


def page(found: dict[str, tuple[str, dict[str, str]]]) -> str:
    """Return the page."""
    tables = ["\n".join([f"\n## {title}\n\n{above}\n{HEAD}\n{RULE}", *rows.values()]) for title, (above, rows) in found.items()]
    return ABOUT + "\n".join(tables) + "\n"


def added(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the old sections with the stages that they lack; those that were refused until they were ops are left out."""
    found = {}
    for title in {**old, **new}:
        above, rows = old.get(title, (new.get(title, ("", {}))[0], {}))
        kept = {name: row for name, row in rows.items() if name not in OPS or f"| `{name}` | - |" not in row}
        found[title] = (above, {**kept, **{name: row for name, row in new.get(title, ("", {}))[1].items() if name not in kept}})
    return found


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=Path, help="files of tests/parity/run.py")
    parser.add_argument("--add", action="store_true", help="only rows of stages that are not there yet")
    args = parser.parse_args()
    found = sections(read(args.results))
    PAGE.write_text(page(added(parsed(PAGE.read_text("utf-8")), found) if args.add else found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
