# SPDX-License-Identifier: Apache-2.0
"""Degenerate models are exported as Spark scores them, or refused by stage and reason; no limit of a reader is met."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from format_check import Bundle
from pyspark.ml import classification as c
from pyspark.ml import feature as f
from pyspark.ml.linalg import Vectors, VectorUDT
from pyspark.sql.types import StructField, StructType
from scored_export import Refused, export
from scored_export.limits import BOUNDS, check_plan
from scored_export.ops.base import Op
from scored_export.plan import Plan, Stage

TOP = Path(__file__).resolve().parents[2]
CLASSES = ["rawPrediction", "probability", "prediction"]


@pytest.fixture(scope="session")
def one_class(spark):
    """Rows of one class."""
    rows = [(Vectors.dense([float(i), 1.0]), 0.0) for i in range(8)]
    return spark.createDataFrame(rows, ["features", "label"])


@pytest.mark.parametrize(("family", "width", "declared"), [("auto", 2, None), ("multinomial", 1, 1)])
def test_one_class(one_class, tmp_path, family, width, declared):
    """A binomial model has two probabilities, whatever the metadata of its columns says."""
    model = c.LogisticRegression(family=family).fit(one_class)
    assert model.numClasses == 1
    export(model, tmp_path, sample=one_class.drop("label"), name="m", output=CLASSES)
    bundle = Bundle(tmp_path)
    assert bundle.manifest["stages"][0]["params"]["numClasses"] == 1
    assert [column.get("size") for column in bundle.manifest["output"]] == [declared, declared, None]
    answered = [line["out"]["probability"] for line in bundle.golden if "out" in line]
    assert answered[0] == [1.0, 0.0][:width] and all(len(p) == width for p in answered)


def indexer(labels, kind="s"):
    return f.StringIndexerModel.from_labels(labels, kind, "i", "keep")


REFUSALS = {
    "null label": (lambda: indexer(["a", None, "b"]), "label 1 of 3 is null"),
    "null label of numbers": (lambda: indexer(["1.0", None], "d"), "label 1 of 2 is null"),
    "NaN threshold": (lambda: f.Binarizer(inputCol="v", outputCol="o", threshold=float("nan")), "v is NaN"),
    "no row passes": (lambda: indexer(["z"]).setHandleInvalid("error"), "Spark answers no row"),
}


@pytest.fixture(scope="session")
def few(spark):
    """Two rows of a string, a double and a vector of unknown size."""
    return spark.createDataFrame(
        [("a", 1.0, Vectors.dense([1.0])), ("b", 2.0, Vectors.dense([2.0]))], ["s", "d", "v"]
    )


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_by_stage_and_reason(few, tmp_path, case):
    make, text = REFUSALS[case]
    model = make()
    with pytest.raises(Refused, match=text) as caught:
        export(model, tmp_path, sample=few, name="m")
    assert caught.value.uid == model.uid and caught.value.stage and caught.value.cure


def test_a_model_without_input(few, tmp_path):
    with pytest.raises(Refused, match="no stage reads a column"):
        export(f.VectorAssembler(inputCols=[], outputCol="o"), tmp_path, sample=few, name="m")


def test_a_vector_of_no_declared_size(spark, tmp_path):
    """A reader takes any length: it stands in the request's memory, not in a row's."""
    rows = [(Vectors.dense([0.25] * 4097),), (Vectors.sparse(9000, [8999], [1.0]),), (None,)]
    sample = spark.createDataFrame(rows, StructType([StructField("v", VectorUDT())]))
    export(f.Binarizer(inputCol="v", outputCol="o", threshold=0.5), tmp_path, sample=sample, name="m")
    answered = [line for line in Bundle(tmp_path).golden if "out" in line]
    assert {4097, 9000} <= {_size(line["in"]["v"]) for line in answered}


def _size(vector):
    return vector["size"] if isinstance(vector, dict) else len(vector or ())


def test_the_limits_are_those_of_the_reader():
    text = (TOP / "include" / "scored" / "bounds.h").read_text()
    found = dict(re.findall(r"BOUND_(\w+) = (\d+(?: << \d+)?)", text))
    for name, value in BOUNDS.items():
        base, _, shift = found[name].partition(" << ")
        assert value == int(base) << int(shift or 0), name


class Named:
    """The part of a saved stage that limits look at."""

    name, uid = "Stage", "stage_1"


def plan_of(inputs=1, stages=1, **params):
    op = Op("binarizer", "feature.Binarizer", (), (), (), lambda _: None)
    made = [Stage(op, Named(), None, {}, {}, params, {}, 0, {}) for _ in range(stages)]
    return Plan(made, [None] * inputs)


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (plan_of(inputs=2049), "input columns: 2049"),
        (plan_of(stages=1001), "stages: 1001"),
        (plan_of(inputs=2000, stages=1000, numClasses=2), "columns: 4000"),
        (plan_of(numClasses=65537), "Stage stage_1: classes: 65537"),
        (plan_of(numFeatures=2**31 - 1), "Stage stage_1: slots of a vector: 2147483647"),
        (
            plan_of(v={"kind": "sparse", "size": (1 << 24) + 1}),
            "Stage stage_1: entries of the sparse v: 16777217",
        ),
    ],
)
def test_limits(plan, text):
    if text == "columns: 4000":
        plan.added.update({f"c{i}": None for i in range(97)})
        text = "columns: 4097"
    with pytest.raises(Refused, match=text):
        check_plan(plan)
