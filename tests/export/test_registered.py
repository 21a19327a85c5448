# SPDX-License-Identifier: Apache-2.0
"""Stages of other libraries: a registered op exports them; without one the refusal says how there could be."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml import feature as f
from pyspark.ml.linalg import Vectors
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from scored_export import Refused, export, ops
from scored_export.ops.base import Built, Op
from scored_export.ops.scalers import elementwise_product

WEIGHTS = [2.0, 0.5]


class Weighed(Transformer, HasInputCol, HasOutputCol, DefaultParamsReadable, DefaultParamsWritable):
    """A stage of another library, which happens to compute what one of Spark's does."""

    def __init__(self, source: str = "v", out: str = "w") -> None:
        super().__init__()
        self._set(inputCol=source, outputCol=out)

    def _transform(self, dataset):
        columns = {"inputCol": self.getInputCol(), "outputCol": self.getOutputCol()}
        return f.ElementwiseProduct(scalingVec=Vectors.dense(WEIGHTS), **columns).transform(dataset)


NAME = f"{Weighed.__module__}.Weighed"


def weighed(reading) -> Built:
    """Return what the daemon's elementwise_product reads."""
    reading.saved.params["scalingVec"] = {"type": 1, "values": WEIGHTS}
    return elementwise_product(reading)


def op(**changes) -> Op:
    columns = (("inputCols",), ("outputCols",), ("vector",), weighed)
    given = dict(zip(("ins", "outs", "accepts", "build"), columns))
    return Op(**{"name": "elementwise_product", "java_class": NAME, "package": "", **given, **changes})


OP = op()


@pytest.fixture
def model():
    return PipelineModel(stages=[f.VectorAssembler(inputCols=["age", "doors"], outputCol="v"), Weighed()])


def installed(monkeypatch, *names: str) -> None:
    """Have packages installed that name these ops, and one that has to do with others."""
    other = EntryPoint("pytest", "pytest:main", "console_scripts")
    found = EntryPoints([other, *(EntryPoint("weighed", name, ops.GROUP) for name in names)])
    monkeypatch.setattr(ops, "entry_points", lambda: found)


@pytest.fixture(autouse=True)
def table(monkeypatch):
    """The table as it is, whatever is registered meanwhile."""
    installed(monkeypatch)
    before = dict(ops.OPS)
    yield
    ops.OPS.clear()
    ops.OPS.update(before)


def test_without_an_op_the_refusal_says_how_there_could_be_one(model, sample, tmp_path):
    with pytest.raises(Refused, match="Weighed cannot be exported: no op is registered for it; install a package"):
        export(model, tmp_path / "b", sample=sample, name="m")


def test_a_registered_op_exports_it(model, sample, tmp_path):
    """The stage is one of the daemon's, and the golden rows are what it answers itself."""
    ops.register(OP)
    export(model, tmp_path / "b", sample=sample.select("age", "doors").dropna(), name="m")
    stage = json.loads((tmp_path / "b" / "bundle.json").read_text())["stages"][1]
    assert (stage["op"], stage["inputs"]["inputCols"]) == ("elementwise_product", ["v"])
    golden = next((tmp_path / "b").glob("golden-*.jsonl")).read_text().splitlines()
    rows = [json.loads(line) for line in golden]
    dense = [row for row in rows if isinstance(row.get("out", {}).get("w"), list)]
    assert len(dense) > 10
    for row in dense:
        assert row["out"]["w"] == [row["in"]["age"] * WEIGHTS[0], row["in"]["doors"] * WEIGHTS[1]]


def test_an_installed_package_names_its_op(model, sample, tmp_path, monkeypatch):
    installed(monkeypatch, f"{__name__}:OP")
    assert export(model, tmp_path / "b", sample=sample.select("age", "doors"), name="m")


def test_a_package_that_cannot_be_used_is_named(model, sample, tmp_path, monkeypatch):
    installed(monkeypatch, "no_such_module:OP")
    with pytest.raises(Refused, match="no_such_module:OP, an op named by an installed package, cannot be used"):
        export(model, tmp_path / "b", sample=sample, name="m")


@pytest.mark.parametrize(
    "changes",
    [{"name": "no_such_op"}, {"package": "org.apache.spark.ml.", "java_class": "feature.IDFModel"}],
    ids=["an op that the daemon has not", "a class of Spark's own"],
)
def test_what_is_not_taken(changes):
    with pytest.raises(ValueError, match="there is no op|has an op of its own"):
        ops.register(op(**changes))
    assert NAME not in ops.OPS
