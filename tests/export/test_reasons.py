# SPDX-License-Identifier: Apache-2.0
"""Whatever cannot be read ends with one sentence that names stage, class, Spark and cure; nothing else is raised."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from pyspark.ml import Pipeline, PipelineModel, Transformer
from pyspark.ml import feature as f
from pyspark.ml import regression as r
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from scored_export import Refused, Unavailable, export
from scored_export.cli import main
from scored_export.spark_says import refusal, said, unexpected

FOREST = "org.apache.spark.ml.regression.RandomForestRegressionModel"


@pytest.fixture(scope="session")
def whole(cars, tmp_path_factory):
    """A saved pipeline, for copies of it to be damaged, and a sample beside it."""
    path = tmp_path_factory.mktemp("whole")
    forest = r.RandomForestRegressor(featuresCol="v", labelCol="price", numTrees=2, maxDepth=2, seed=1)
    stages = [f.VectorAssembler(inputCols=["age", "doors"], outputCol="v"), forest]
    Pipeline(stages=stages).fit(cars).save(str(path / "model"))
    cars.select("age", "doors").limit(40).write.parquet(str(path / "rows"))
    return path


def rewrite(stage: Path, **changes) -> None:
    """Change keys of a stage's metadata."""
    part = next(stage.glob("metadata/part-*"))
    part.write_text(json.dumps({**json.loads(part.read_text()), **changes}))
    (part.parent / f".{part.name}.crc").unlink(missing_ok=True)


def newer(stage: Path, spark) -> None:
    """Make the stage what Spark 4.1 saves: another name of each column of treesMetadata."""
    table = stage / "treesMetadata"
    rows = [tuple(row) for row in spark.read.parquet(str(table)).collect()]
    shutil.rmtree(table)
    spark.createDataFrame(rows, "_1 int, _2 string, _3 double").write.parquet(str(table))
    rewrite(stage, sparkVersion="4.1.0")


def renamed(stage: Path, spark) -> None:
    """Make the same of a Spark whose number is not known to read otherwise: Spark itself must throw."""
    newer(stage, spark)
    rewrite(stage, sparkVersion="3.9.0")


def no_parquet(stage: Path, _) -> None:
    shutil.rmtree(stage / "data")


def bad_parquet(stage: Path, _) -> None:
    for part in (stage / "data").glob("part-*"):
        part.write_bytes(b"PAR1 and then nothing PAR1")
    for check in (stage / "data").glob(".*.crc"):
        check.unlink()


def cut(stage: Path, _) -> None:
    next(stage.glob("metadata/part-*")).write_text('{"class":"org.apa')


def no_class(stage: Path, _) -> None:
    next(stage.glob("metadata/part-*")).write_text("[1]")


DAMAGES = {
    "newer": (
        newer,
        f"{FOREST}, saved by Spark 4.1.0, is not read by Spark 3.5",
        "Spark 4.1 or newer",
    ),
    "renamed": (
        renamed,
        f"{FOREST}, saved by Spark 3.9.0, cannot be read: AnalysisException",
        "Spark 3.9",
    ),
    "scala": (
        lambda stage, _: rewrite(stage, **{"class": "com.acme.ml.Boost"}),
        "com.acme.ml.Boost, saved by Spark 3.5",
        "registers one",
    ),
    "python": (
        lambda stage, _: rewrite(stage, **{"class": "acme.Boost", "language": "Python"}),
        "acme.Boost, saved by Spark 3.5",
        "registers one",
    ),
    "estimator": (
        lambda stage, _: rewrite(stage, **{"class": FOREST.replace("RegressionModel", "Regressor")}),
        "is not fitted",
        "call fit",
    ),
    "no parquet": (no_parquet, f"{FOREST}, saved by Spark 3.5", "copied whole"),
    "bad parquet": (bad_parquet, f"{FOREST}, saved by Spark 3.5", "damaged"),
    "cut metadata": (cut, "metadata is damaged", "saved by Spark 3.5"),
    "no class": (no_class, "names no class", "save it again"),
    "no metadata": (
        lambda s, _: shutil.rmtree(s / "metadata"),
        "holds no model",
        "copy the model again",
    ),
    "no stage": (lambda s, _: shutil.rmtree(s), "holds no model", "saved by Spark 3.5"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_damaged_models(whole, spark, tmp_path, capsys, case):
    damage, *texts = DAMAGES[case]
    shutil.copytree(whole / "model", tmp_path / "model")
    stage = next((tmp_path / "model" / "stages").glob("1_*"))
    damage(stage, spark)
    args = ["--pipeline", str(tmp_path / "model"), "--sample", str(whole / "rows")]
    assert main([*args, "--out", str(tmp_path / "bundle"), "--name", "m"]) == 3
    err = capsys.readouterr().err
    last = err.rstrip("\n").split("\n")[-1]
    assert last.startswith("scored-export: refused: ") and "Traceback" not in err
    uid = stage.name.partition("_")[2]
    for text in (uid, *texts):
        assert text in last, last
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("uri", "code", "texts"),
    [
        (
            "s3a://bucket/model",
            3,
            (
                "S3AFileSystem not found",
                "spark.jars.packages=org.apache.hadoop:hadoop-aws:3",
            ),
        ),
        ("s3://bucket/model", 3, ('No FileSystem for scheme "s3"', "write s3a://")),
        ("dbfs:/models/m", 3, ('No FileSystem for scheme "dbfs"', "copy the folder")),
        ("hdfs:/models/m", 3, ("hdfs:/models/m", "hdfs://HOST/PATH")),
        ("hdfs://127.0.0.1:9/m", 1, ("Connection refused", "check the network")),
    ],
)
def test_places_that_spark_does_not_reach(whole, spark, tmp_path, capsys, uri, code, texts):
    rows = str(whole / "rows")
    assert (
        main(
            [
                "--pipeline",
                uri,
                "--sample",
                rows,
                "--out",
                str(tmp_path / "b"),
                "--name",
                "m",
            ]
        )
        == code
    )
    last = capsys.readouterr().err.rstrip("\n").split("\n")[-1]
    assert last.startswith(f"scored-export: {'not now' if code == 1 else 'refused'}: {uri}")
    assert all(text in last for text in texts), last
    with pytest.raises(Unavailable if code == 1 else Refused):
        export(uri, tmp_path / "b", sample=spark.range(1), name="m")


class Doubler(Transformer, DefaultParamsReadable, DefaultParamsWritable):
    """A stage that Python alone knows."""

    def _transform(self, dataset):
        return dataset.withColumn("twice", dataset.age * 2)


def test_a_stage_of_python(sample, tmp_path, monkeypatch):
    """Live or saved, and its module need not be there."""
    model = PipelineModel(stages=[Doubler()])
    model.save(str(tmp_path / "saved"))
    monkeypatch.setitem(sys.modules, Doubler.__module__, None)
    for given in (
        model,
        str(tmp_path / "saved"),
        str(next((tmp_path / "saved" / "stages").iterdir())),
    ):
        with pytest.raises(Refused, match="Doubler cannot be exported|Doubler, saved by Spark 3.5") as caught:
            export(given, tmp_path / "b", sample=sample, name="m")
        assert (caught.value.stage, caught.value.uid) == (
            "Doubler",
            model.stages[0].uid,
        )


def test_nothing_undocumented_leaves_export(sample, tmp_path, monkeypatch):
    """A folder that cannot be made, and a defect of ours, which says where it is."""
    (tmp_path / "file").write_text("")
    model = f.VectorAssembler(inputCols=["age"], outputCol="v")
    with pytest.raises(Refused, match="file"):
        export(model, tmp_path / "file" / "below", sample=sample, name="m")
    monkeypatch.setattr("scored_export.exporter.ask_platform", lambda _: {}["jdk"])
    with pytest.raises(Refused, match=r"KeyError: 'jdk' at exporter\.py:\d+; .*report"):
        export(model, tmp_path / "b", sample=sample, name="m")
    with pytest.raises(Refused, match="save it again|names no class|holds no model"):
        export(str(tmp_path), tmp_path / "b", sample=sample, name="m")


def test_an_mlflow_folder_says_where_the_model_is(whole, sample, tmp_path):
    shutil.copytree(whole / "model", tmp_path / "run" / "sparkml")
    with pytest.raises(Refused, match="run/sparkml"):
        export(str(tmp_path / "run"), tmp_path / "b", sample=sample, name="m")


class FakeJava:
    """A throwable of the JVM."""

    def __init__(self, text, cause=None):
        self._text, self._cause = text, cause

    def toString(self):
        return self._text

    def getCause(self):
        return self._cause


def thrown(*texts):
    """Return what py4j raises, causes outermost first."""
    java = None
    for text in reversed(texts):
        java = FakeJava(text, java)
    error = Exception("An error occurred while calling o1.load.\n: " + texts[0])
    error.java_exception = java
    return error


@pytest.mark.parametrize(
    ("texts", "kind", "words"),
    [
        (("org.apache.spark.SparkException: Job aborted", "java.lang.OutOfMemoryError: Java heap space"),
         Unavailable, ("OutOfMemoryError: Java heap space", "spark.driver.memory")),
        (("java.io.IOException: No space left on device",), Unavailable, ("make room",)),
        (("java.net.UnknownHostException: namenode",), Unavailable, ("namenode", "network")),
        (("java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext.\nstack\nstack",),
         Unavailable, ("stopped SparkContext", "memory")),
        (("org.apache.hadoop.security.AccessControlException: Permission denied: user=a",), Refused, ("allow",)),
        (("java.lang.RuntimeException: outer words", "com.acme.Strange"), Refused, ("outer words",)),
    ],
)  # fmt: skip
def test_what_the_jvm_throws(texts, kind, words):
    found = refusal(thrown(*texts), "It cannot be read")
    assert type(found) is kind and "\n" not in str(found)
    assert all(word in str(found) for word in ("It cannot be read", *words)), str(found)
    assert "An error occurred while calling" not in said(thrown(*texts))


def test_python_errors():
    assert type(unexpected(MemoryError())) is Unavailable
    assert type(unexpected(ConnectionResetError("gone"))) is Unavailable
    assert type(unexpected(PermissionError("no"))) is Refused
