#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes versions of one small model, for tests of how one takes another's place.

``make_versions.py DIR`` writes them into one folder: what is named by its content lies there once, and each
version's manifest is ``<version>.json``. All but those named for what is wrong are good bundles. Version ``vN``
answers ``0.5 km + N year + 0.25``, exact in binary.
"""

from __future__ import annotations

import copy
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from make_good import Block, Draft, Json, assemble, assembler_stage, dot, draft, linear_stage

ROWS: list[tuple[float | None, int]] = [(2.0, 1), (0.5, -3), (-1.0, 2020), (4096.0, 7), (None, 1), (0.0, 0)]
INTERCEPT = 0.25


def golden_line(coefficients: list[float], columns: list[str], km: float | None, year: int) -> Json:
    """Return a row and its answer; without km it has none."""
    row: Json = {"km": km, "year": year, "spare": "x"}
    if km is None:
        return {"in": row, "error": True}
    features = assemble([float(row[column]) for column in columns])
    answer = dot(features, coefficients) + INTERCEPT
    return {"in": row, "out": {"prediction": answer, "features": features.json()}}


def version(n: int, columns: list[str] | None = None) -> Draft:
    """Return version `n`; the columns are those that are assembled."""
    columns = columns or ["km", "year"]
    coefficients = [0.5, float(n), 1.0][: len(columns)]
    linear = linear_stage(len(columns))
    linear["params"]["intercept"] = INTERCEPT
    made = draft(
        "cars",
        [
            {"name": "km", "type": "double", "nullable": True},
            {"name": "year", "type": "int", "nullable": False},
            {"name": "spare", "type": "string", "nullable": True},
        ],
        [
            {"name": "prediction", "type": "double"},
            {"name": "features", "type": "vector", "size": len(columns)},
        ],
        [assembler_stage(columns, [1] * len(columns)), linear],
        ["features", "prediction"],
        {"s001.coefficients": Block("F64", coefficients)},
        [golden_line(coefficients, columns, km, year) for km, year in ROWS],
    )
    made.manifest["version"] = f"v{n}"
    made.manifest["created"] = f"2026-11-21T10:{n:02d}:00.000Z"
    return made


def edited(label: str, edit: Callable[[Draft], None], n: int = 2, columns: list[str] | None = None) -> Draft:
    """Return version `n`, changed, under a label of its own."""
    made = version(n, columns)
    made.manifest["version"] = label
    edit(made)
    made.manifest["example"] = next(line for line in made.golden if "out" in line)
    return made


def set_input(name: str, **values: object) -> Callable[[Draft], None]:
    """Return what changes the declaration of an input."""

    def edit(made: Draft) -> None:
        next(column for column in made.manifest["input"] if column["name"] == name).update(values)

    return edit


def drop_input(made: Draft) -> None:
    """Take away the input that no stage reads."""
    made.manifest["input"].pop()
    for line in made.golden:
        del line["in"]["spare"]


def drop_output(made: Draft) -> None:
    """Answer the prediction only."""
    made.manifest["output"].pop()
    for line in made.golden:
        line.get("out", {}).pop("features", None)


def change_answer(made: Draft) -> None:
    """Let a golden row say what the model does not."""
    made.golden[1] = copy.deepcopy(made.golden[1])
    made.golden[1]["out"]["prediction"] += 1.0


VERSIONS: dict[str, Callable[[], Draft]] = {
    "v1": lambda: version(1),
    "v2": lambda: version(2),
    "v3": lambda: version(3),
    "input_dropped": lambda: edited("input_dropped", drop_input),
    "input_retyped": lambda: edited("input_retyped", set_input("year", type="bigint")),
    "input_not_nullable": lambda: edited("input_not_nullable", set_input("km", nullable=False)),
    "input_nullable": lambda: edited("input_nullable", set_input("year", nullable=True)),
    "output_dropped": lambda: edited("output_dropped", drop_output),
    "output_resized": lambda: edited("output_resized", lambda _: None, columns=["km", "year", "km"]),
    "name_changed": lambda: edited("name_changed", lambda made: made.manifest.update(name="vans")),
    "label_reused": lambda: edited("v1", lambda _: None),
    "bad_golden": lambda: edited("bad_golden", change_answer),
    "bad_op": lambda: edited("bad_op", lambda made: made.manifest["stages"][0].update(op="teleporter")),
}


def write(folder: Path) -> None:
    """Write all versions."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in VERSIONS.items():
        with tempfile.TemporaryDirectory() as work:
            make().write(Path(work))
            for path in Path(work).iterdir():
                if path.name.startswith("bundle-"):
                    continue
                target = f"{name}.json" if path.name == "bundle.json" else path.name
                (folder / target).write_bytes(path.read_bytes())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
