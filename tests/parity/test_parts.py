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
from pipelines import table  # noqa: E402
from pyspark.ml.linalg import Vectors  # noqa: E402
from rows import Number, Vec  # noqa: E402

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


def test_no_two_pipelines_have_a_name():
    names = [p.name for p in table.PIPELINES]
    assert len(set(names)) == len(names), "a name says where its fit is kept, and which rows it gets"


def test_columns_may_be_made_of_a_twist(monkeypatch):
    monkeypatch.setattr(table, "PIPELINES", [])
    made = table.turned(Number("x"), lambda size, **_: [Vec("v", size=size)], twists=[{"size": 2}, {"size": 5}], ci=())
    made(lambda size: [size])
    assert [p.columns[1].size for p in table.PIPELINES] == [2, 5]
    assert [p.stages() for p in table.PIPELINES] == [[2], [5]]


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
    stage = {"class": "IDFModel", "setting": "same", "twist": name}
    column = {"class": "IDFModel", "op": "idf", "tier": "exact", "cells": 10, "differing": differing, "max_ulp": far}
    run = {"platform": "Spark 9", "commit": "c", "seed": 1}
    return {"pipeline": name, "stages": [stage], "rows": 12, "differing": differing, "columns": {"a": column}, **run}


def test_the_page_says_what_differs():
    refused = {"pipeline": "refused x", "class": "Bag", "refused": "Bag: no", "rows": 0, "commit": "c", "seed": 1}
    lines = [line("a", 0, 0), line("b", 1, 3), {**refused, "platform": "Spark 9"}]
    above, rows = matrix.sections(lines)["Spark 9"]
    assert rows["IDFModel"] == "| `IDFModel` | `idf` | 2 | 1, few (2) | 24 | 20 | 95.0000 % | 3 | exact | c |  |"
    assert rows["Bag"] == "| `Bag` | - | 0 | 0 (0) | 0 | - | - | - | - | c | Bag: no |"
    assert above.startswith("2 pipelines, 24 rows; 0 mixes") and "1 of them differ" in above
    assert "few of their settings: IDFModel." in above
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


@pytest.mark.parametrize(
    ("name", "settings", "cell"),
    [
        ("IDFModel", 10, "10 (10)"),
        ("IDFModel", 9, "9, few (9)"),
        ("DCT", 2, "2, all (2)"),
        ("DCT", 1, "1, few (1)"),
        ("Tokenizer", 1, "1, all (1)"),
    ],
)
def test_the_page_marks_stages_of_few_settings(name, settings, cell):
    row = matrix.Row()
    for i in range(settings):
        row.stage({"stages": [{"class": name, "setting": str(i), "twist": str(i)}], "rows": 1, "commit": "c"}, name)
    assert row.turns(name) == cell


def saved_stage(folder: Path, name: str, given: dict, default: dict | None = None) -> None:
    """Save a stage's metadata as Spark does."""
    (folder / "metadata").mkdir(parents=True)
    saved = {"class": f"org.apache.spark.ml.{name}", "paramMap": given, "defaultParamMap": default or {}}
    (folder / "metadata" / "part-00000").write_text(json.dumps(saved))


def twists(folder: Path, *, shapes: dict[str, str] | None = None, **given: object) -> list[dict]:
    """Return what is said of a stage of these parameters, saved in the folder."""
    saved_stage(folder, "Binned", given, {"k": 2, "seed": 7, "outputCol": "Binned_1"})
    return results.stages_of(folder, shapes or {"a": "double 0", "b": "double 0", "v": "vector 3"})


def test_a_setting_is_what_parameters_are(tmp_path):
    (plain,) = twists(tmp_path / "0", inputCol="a")
    (again,) = twists(tmp_path / "1", inputCol="b", k=2, seed=9, outputCol="c")
    assert again == plain, "neither names, nor seeds, nor whether the default was given"
    others = [
        twists(tmp_path / "2", inputCol="a", k=3),
        twists(tmp_path / "3", inputCols=["a", "b"]),
        twists(tmp_path / "4", inputCol="a", outputCol=""),
    ]
    assert len({plain["setting"], *(stage["setting"] for (stage,) in others)}) == 4


def test_a_twist_is_a_setting_and_what_it_reads(tmp_path):
    (number,), (vector,) = twists(tmp_path / "0", inputCol="a"), twists(tmp_path / "1", inputCol="v")
    (wider,) = twists(tmp_path / "2", inputCol="v", shapes={"v": "vector 4"})
    assert number["setting"] == vector["setting"] == wider["setting"]
    assert len({number["twist"], vector["twist"], wider["twist"]}) == 3


def test_what_a_model_was_tried_with_is_its_setting(tmp_path):
    settings = set()
    for i, depth in enumerate((1, 2, 2)):
        saved_stage(tmp_path / str(i), "RestModel", {})
        saved_stage(tmp_path / str(i) / "classifier", "Tree", {"maxDepth": depth})
        settings |= {s["setting"] for s in results.stages_of(tmp_path / str(i), {}) if s["class"] == "RestModel"}
    assert len(settings) == 2


def test_a_difference_is_counted_once_a_cell(tmp_path):
    found = [compare.Difference(what, 3, "a", cell(1.0), cell(2.0)) for what in ("predict/64", "ndjson")]
    assert results._column(found, {"op": "idf"}, 10)["differing"] == 1
