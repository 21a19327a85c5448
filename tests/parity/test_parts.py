# SPDX-License-Identifier: Apache-2.0
"""The harness itself: what a fit is kept by, how far apart numbers are, what a sample and the page hold."""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "models" / "export"), str(HERE.parents[1] / "models")]

import compare  # noqa: E402
import content  # noqa: E402
import matrix  # noqa: E402
import results  # noqa: E402
from pyspark.ml.linalg import Vectors  # noqa: E402
from rows import Number  # noqa: E402

CODE = """
SPLITS = [0.0, {split}]
def helper(x):
    return [x, {constant}]
def stages(n=1):
    return helper(n), SPLITS
"""


def loaded(folder: Path, **numbers: float):
    """Return `stages` of a module of ours with these numbers."""
    file = folder / "rows_of_test.py"
    file.write_text(CODE.format(**{"split": 1.0, "constant": 2, **numbers}))
    spec = importlib.util.spec_from_file_location("rows.test", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.stages


def test_a_fit_is_kept_by_what_is_loaded(tmp_path):
    stages = loaded(tmp_path)
    key = content.content(stages)
    assert content.content(loaded(tmp_path)) == key
    for change in ({"split": 1.5}, {"constant": 3}):
        assert content.content(loaded(tmp_path, **change)) != key, "a constant or helper counts"
    assert content.content(stages) == key, "the file has changed, and what runs has not"
    twists = {content.content(functools.partial(stages, n=n)) for n in (1, 2)}
    assert len(twists) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Vectors.dense([1e-17]), Vectors.dense([2e-17])),  # equal in what vectors show of themselves
        (Vectors.dense([0.0]), Vectors.dense([-0.0])),
        (Vectors.sparse(2, [0], [1.0]), Vectors.sparse(3, [0], [1.0])),
        (Number("x"), Number("x", nan=True)),
        (0.0, -0.0),
        ("1", 1),
    ],
)
def test_values_that_differ_have_another_content(one, other):
    assert content.content(one) == content.content(one)
    assert content.content(one) != content.content(other)


def cell(value):
    return compare.cell(value, "vector" if isinstance(value, list) else "double")


@pytest.mark.parametrize(
    ("spark", "scored", "far"),
    [
        (1.0, math.nextafter(1.0, 2.0), 1),
        (0.0, -0.0, 0),
        (5e-324, -5e-324, 2),
        ([1.0, 2.0], [1.0, math.nextafter(math.nextafter(2.0, 3.0), 3.0)], 2),
        ([1.0], [1.0, 2.0], None),
        (math.nan, 1.0, None),
    ],
)
def test_ulps(spark, scored, far):
    assert compare.ulps(cell(spark), f"{cell(scored)} {scored}") == far


def line(name: str, differing: int, far: int | None) -> dict:
    stage = {"class": "IDFModel", "twist": name}
    column = {"class": "IDFModel", "op": "idf", "tier": "exact", "cells": 10, "differing": differing, "max_ulp": far}
    run = {"platform": "Spark 9", "commit": "c", "seed": 1}
    return {"pipeline": name, "stages": [stage], "rows": 12, "differing": differing, "columns": {"a": column}, **run}


def test_the_page_says_what_differs():
    refused = {"pipeline": "refused x", "class": "Bag", "refused": "Bag: no", "rows": 0, "commit": "c", "seed": 1}
    lines = [line("a", 0, 0), line("b", 1, 3), {**refused, "platform": "Spark 9"}]
    above, rows = matrix.sections(lines)["Spark 9"]
    assert rows["IDFModel"] == "| `IDFModel` | `idf` | 2 | 2 | 24 | 20 | 95.0000 % | 3 | exact | c |  |"
    assert rows["Bag"] == "| `Bag` | - | 0 | 0 | 0 | - | - | - | - | c | Bag: no |"
    assert above.startswith("2 pipelines, 24 rows; 0 mixes") and "1 of them differ" in above
    found = matrix.sections(lines)
    assert matrix.parsed(matrix.page(found)) == found
    assert matrix.added(found, {"Spark 9": ("", {"IDFModel": "", "PCAModel": "row"})})["Spark 9"] == (
        above,
        {**rows, "PCAModel": "row"},
    )


def test_what_was_run_again_counts_once(tmp_path):
    for name, differing in (("first", 1), ("again", 0)):
        (tmp_path / name).write_text(json.dumps(line("a", differing, 1)) + "\n")
    (only,) = matrix.read([tmp_path / "first", tmp_path / "again"])
    assert only["differing"] == 0


def test_a_difference_is_counted_once_a_cell(tmp_path):
    found = [compare.Difference(what, 3, "a", cell(1.0), cell(2.0)) for what in ("predict/64", "ndjson")]
    assert results._column(found, {"op": "idf"}, 10)["differing"] == 1
