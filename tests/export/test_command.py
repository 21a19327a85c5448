# SPDX-License-Identifier: Apache-2.0
"""The command: saved models of every kind, samples of every format, and exit codes."""

from __future__ import annotations

import json

import pytest
from format_check import Bundle
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml import feature as f
from pyspark.ml import regression as r
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from scored_export import export
from scored_export.cli import main


@pytest.fixture(scope="session")
def saved(cars, tmp_path_factory):
    """A saved pipeline with a pipeline inside."""
    inner = Pipeline(stages=[f.VectorAssembler(inputCols=["age", "km"], outputCol="v", handleInvalid="skip")])
    model = Pipeline(stages=[inner, r.LinearRegression(featuresCol="v", labelCol="price")]).fit(cars)
    path = tmp_path_factory.mktemp("saved") / "model"
    model.save(str(path))
    return path


@pytest.fixture(scope="session")
def files(sample, tmp_path_factory):
    """The sample in three formats and its schema."""
    folder = tmp_path_factory.mktemp("files")
    few = sample.select("age", "km").limit(50).collect()
    (folder / "rows.jsonl").write_text("".join(json.dumps(row.asDict()) + "\n" for row in few))
    (folder / "rows.csv").write_text("age,km\n" + "".join(f"{row.age},{row.km}\n" for row in few))
    (folder / "schema.json").write_text(sample.select("age", "km").schema.json())
    sample.select("age", "km").limit(50).write.parquet(str(folder / "rows.parquet"))
    return folder


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_formats(saved, files, tmp_path, capsys, kind):
    schema = [] if kind == "parquet" else ["--schema", str(files / "schema.json")]
    args = ["--pipeline", str(saved), "--sample", str(files / f"rows.{kind}"), "--out", str(tmp_path / "b")]
    more = [
        "--name",
        "cars",
        "--lineage",
        "git_commit=abc",
        "--lineage",
        "metrics.rmse=1.5",
        "--description",
        "km=way",
    ]
    assert main([*args, *schema, *more]) == 0
    manifest = Bundle(tmp_path / "b").manifest
    assert [(c["name"], c["type"]) for c in manifest["input"]] == [("age", "int"), ("km", "bigint")]
    assert manifest["lineage"]["metrics"] == {"rmse": 1.5} and manifest["lineage"]["git_commit"] == "abc"
    assert manifest["input"][1]["description"] == "way"
    assert [s["op"] for s in manifest["stages"]] == ["vector_assembler", "linear_regression"]


def test_refused_is_3_with_the_reason_last(saved, files, tmp_path, capsys):
    (tmp_path / "rows.csv").write_text("age\n1\n")
    args = ["--pipeline", str(saved), "--sample", str(tmp_path / "rows.csv"), "--infer-schema"]
    assert main([*args, "--out", str(tmp_path / "b"), "--name", "cars"]) == 3
    last = capsys.readouterr().err.rstrip("\n").split("\n")[-1]
    assert last.startswith("scored-export: refused: VectorAssembler") and "'km'" in last
    assert not (tmp_path / "b").exists()


def test_a_broken_row_is_refused(saved, files, tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text('{"age": "old"}\n')
    args = ["--pipeline", str(saved), "--sample", str(tmp_path / "rows.jsonl"), "--out", str(tmp_path / "b")]
    assert main([*args, "--name", "cars", "--schema", str(files / "schema.json")]) == 3
    assert "the sample cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more", [["--name", "a b"], ["--name", "m"], ["--name", "m", "--infer-schema", "--lineage", "x"]]
)
def test_usage_is_2(saved, tmp_path, more):
    with pytest.raises(SystemExit) as caught:
        main(["--pipeline", str(saved), "--sample", "rows.jsonl", "--out", str(tmp_path / "b"), *more])
    assert caught.value.code == 2


@pytest.mark.parametrize("tuner", [CrossValidator, TrainValidationSplit])
def test_tuned_models(cars, sample, tmp_path, tuner):
    assembler = f.VectorAssembler(inputCols=["age", "km"], outputCol="features")
    regression = r.LinearRegression(labelCol="price")
    grid = ParamGridBuilder().addGrid(regression.regParam, [0.0, 0.1]).build()
    model = tuner(
        estimator=Pipeline(stages=[assembler, regression]),
        estimatorParamMaps=grid,
        evaluator=RegressionEvaluator(labelCol="price"),
        seed=1,
    ).fit(cars)
    model.save(str(tmp_path / "saved"))
    pinned = {"name": "m", "version": "1", "created": "2026-01-31T10:20:30.123Z"}
    live = export(model, tmp_path / "live", sample=sample, **pinned)
    assert live == export(str(tmp_path / "saved"), tmp_path / "again", sample=sample, **pinned)
    assert live == export(model.bestModel, tmp_path / "best", sample=sample, **pinned)


def test_a_single_stage(sample, tmp_path):
    stage = f.VectorAssembler(inputCols=["age"], outputCol="v")
    export(stage, tmp_path / "live", sample=sample, name="m")
    stage.save(str(tmp_path / "saved"))
    export(str(tmp_path / "saved"), tmp_path / "again", sample=sample, name="m")
    assert Bundle(tmp_path / "again").manifest["output"] == [{"name": "v", "type": "vector", "size": 1}]
    assert Bundle(tmp_path / "live").golden == Bundle(tmp_path / "again").golden


def test_saved_by_scala(cars, sample, tmp_path, spark):
    """Spark's own writer, as a Scala program calls it."""
    model = PipelineModel(stages=[f.VectorAssembler(inputCols=["age"], outputCol="v")])
    model._to_java().save(str(tmp_path / "saved"))
    assert (
        '"class":"org.apache.spark.ml.PipelineModel"'
        in next((tmp_path / "saved" / "metadata").glob("part-*")).read_text()
    )
    export(str(tmp_path / "saved"), tmp_path / "b", sample=sample, name="m")
    Bundle(tmp_path / "b")
