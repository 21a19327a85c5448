# SPDX-License-Identifier: Apache-2.0
"""Rules of an FPGrowthModel that no exporter wrote, and answers that are too large."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("SCORED_BIN", TOP / "build" / "release" / "scored")).resolve()
sys.path.insert(0, str(TOP / "tests" / "bundles"))

from make_good import Block, draft  # noqa: E402

NAN = float("nan")
GOOD: dict[str, Sequence[Any]] = {
    "numbers": [1.0, 2.0, 3.0],
    "rules.ends": [0, 1, 3],
    "rules.antecedents": [0, 1, 2],
    "rules.consequents": [1, 0],
}
WRONG: list[tuple[dict[str, Sequence[Any]], str]] = [
    ({"rules.ends": []}, "rules.ends"),
    ({"rules.ends": [0, 3]}, "rules.ends"),
    ({"rules.ends": [0, 1, 2]}, "rules.ends"),
    ({"rules.ends": [1, 1, 3]}, "rules.ends"),
    ({"rules.ends": [0, 4, 3]}, "rules.ends: element 2 falls"),
    ({"rules.ends": [0, 1, 3, 3]}, "rules.ends"),
    ({"rules.antecedents": [0, 1, 3]}, "rules.antecedents: element 2"),
    ({"rules.antecedents": [0, 1]}, "rules.ends"),
    ({"rules.consequents": [3, 0]}, "rules.consequents: element 0"),
    ({"rules.consequents": [2**32 - 1, 0]}, "rules.consequents"),
    ({"rules.consequents": []}, "rules.ends"),
    ({"numbers": [1.0, 2.0]}, "rules.antecedents"),
    ({"numbers": [1.0, 2.5, 3.0]}, "numbers: element 1"),
    ({"numbers": [1.0, 2.0, 2.0**31]}, "numbers: element 2"),
    ({"numbers": [NAN, 2.0, 3.0]}, "numbers: element 0"),
    ({"numbers": []}, "rules."),
]


def write(folder: Path, golden: list[dict[str, Any]], kind: str = "array<int>", **blocks: Sequence[Any]) -> Path:
    """Write a bundle of rules 1 -> 2 and 2, 3 -> 1, but for the blocks given."""
    growth = {
        "op": "fp_growth",
        "uid": "rules",
        "class": "org.apache.spark.ml.fpm.FPGrowthModel",
        "inputs": {"itemsCol": ["a"]},
        "outputs": {"predictionCol": ["p"]},
        "params": {"items": []},
    }
    made = {
        f"s000.{name}": Block("F64" if name == "numbers" else "U32", list(values))
        for name, values in {**GOOD, **blocks}.items()
    }
    column = {"name": "a", "type": kind, "nullable": True, "containsNull": True}
    draft("rules", [column], [{"name": "p", "type": kind}], [growth], ["p"], made, golden).write(folder)
    return folder


def check(bundle: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN, "check", bundle], capture_output=True, text=True, check=False, timeout=60)


def test_the_bundle_is_good_but_for_what_is_changed(tmp_path: Path) -> None:
    golden = [{"in": {"a": [1, 3]}, "out": {"p": [2]}}, {"in": {"a": [2, 3, None]}, "out": {"p": [1]}}]
    done = check(write(tmp_path / "bundle", golden))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("blocks", "says"), WRONG)
def test_wrong_rules_are_refused(tmp_path: Path, blocks: dict[str, Sequence[Any]], says: str) -> None:
    done = check(write(tmp_path / "bundle", [{"in": {"a": []}, "out": {"p": []}}], **blocks))
    assert done.returncode == 1 and says in done.stderr, done


def test_types_that_are_not_the_items(tmp_path: Path) -> None:
    golden = [{"in": {"a": []}, "out": {"p": []}}]
    assert check(write(tmp_path / "float", golden, "array<float>", numbers=[0.1, 2.0, 3.0])).returncode == 1
    assert check(write(tmp_path / "double", golden, "array<double>", numbers=[0.1, 2.0, 3.0])).returncode == 0
    texts = check(write(tmp_path / "string", golden, "array<string>"))
    assert texts.returncode == 1, texts


def test_more_than_a_row_may_take(tmp_path: Path) -> None:
    """One item adds more than a thread's memory holds: that row fails, the others are answered, in any frame."""
    count = 2_200_000
    blocks = {
        "numbers": [float(i) for i in range(count)],
        "rules.ends": list(range(count)),
        "rules.antecedents": [0] * (count - 1),
        "rules.consequents": list(range(1, count)),
    }
    bundle = write(tmp_path / "bundle", [{"in": {"a": [7]}, "out": {"p": []}}], **blocks)
    lines = b'{"a":[7]}\n{"a":[0]}\n{"a":null}\n'
    for rows in ("1", "64"):
        command = [BIN, "predict", "--model", bundle, "--frame-rows", rows]
        done = subprocess.run(command, input=lines, capture_output=True, check=True, timeout=120)
        first, large, last = map(json.loads, done.stdout.splitlines())
        assert first == last == {"p": []}
        assert large["error"]["type"].endswith("row-too-large")
