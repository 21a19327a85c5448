# SPDX-License-Identifier: Apache-2.0
"""Paths as people have them: Hive-style folders, blanks, plus signs, letters beyond ASCII; what Spark compressed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from format_check import Bundle
from pyspark.ml import PipelineModel
from pyspark.ml import feature as f
from scored_export import Refused, export
from scored_export.cli import _format, main
from scored_export.paths import local_path, qualified, scheme_of
from scored_export.store import open_store

ODD = "date=2026-11-27/mein größtes Modell + 100%20"


@pytest.fixture(scope="session")
def model(spark):
    return PipelineModel(stages=[f.VectorAssembler(inputCols=["age"], outputCol="v")])


def test_odd_names(model, sample, tmp_path):
    """Of the model, of the sample and of the bundle, from the command line."""
    folder = tmp_path / ODD
    model.save(str(folder / "model"))
    sample.select("age").limit(20).write.parquet(str(folder / "s a+b=c ü.parquet"))
    args = ["--pipeline", str(folder / "model"), "--sample", str(folder / "s a+b=c ü.parquet")]
    assert main([*args, "--out", str(folder / "bundle"), "--name", "m"]) == 0
    assert [s["op"] for s in Bundle(folder / "bundle").manifest["stages"]] == ["vector_assembler"]


def test_a_temporary_folder_of_an_odd_name(model, sample, tmp_path, monkeypatch):
    (tmp_path / ODD).mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ODD))
    export(model, tmp_path / "bundle", sample=sample, name="m")
    Bundle(tmp_path / "bundle")
    assert not list((tmp_path / ODD).iterdir()), "nothing is left behind"


@pytest.mark.parametrize(("codec", "suffix"), [("DefaultCodec", "deflate"), ("GzipCodec", "gz")])
def test_compressed_metadata(model, spark, sample, tmp_path, codec, suffix):
    """As Spark writes it where Hadoop compresses output; also within a pipeline."""
    conf = spark.sparkContext._jsc.hadoopConfiguration()
    key = "mapreduce.output.fileoutputformat.compress"
    conf.set(key, "true")
    conf.set(f"{key}.codec", f"org.apache.hadoop.io.compress.{codec}")
    try:
        model.save(str(tmp_path / "model"))
    finally:
        conf.unset(key)
        conf.unset(f"{key}.codec")
    assert list((tmp_path / "model" / "metadata").glob(f"part-*.{suffix}"))
    export(str(tmp_path / "model"), tmp_path / "bundle", sample=sample, name="m")
    Bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    ("path", "scheme", "spark"),
    [
        ("/a b/c=d", "", "file:///a b/c=d"),
        ("/größe+1/%41", "", "file:///größe+1/%41"),
        ("file:///a%20b/c/", "file", "file:///a%20b/c"),
        ("file:/a/b", "file", "file:///a/b"),
        ("FILE://localhost/a", "file", "file:///a"),
        ("dbfs:/models/m/", "dbfs", "dbfs:/models/m"),
        ("hdfs:/m", "hdfs", "hdfs:/m"),
        ("s3a://b/m", "s3a", "s3a://b/m"),
        ("C:/x", "", None),
        ("a:b/c", "", None),
    ],
)
def test_what_spark_is_given(path, scheme, spark):
    assert scheme_of(path) == scheme
    assert (local_path(path) is None) == (scheme not in ("", "file"))
    if spark is not None:
        assert qualified(path) == spark
    else:
        assert qualified(path).startswith("file:///") and qualified(path).endswith(path)


def test_encoded_uris_where_nothing_has_the_name_as_it_stands(tmp_path):
    (tmp_path / "a b").mkdir()
    assert local_path(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    (tmp_path / "a%20b").mkdir()
    assert local_path(f"file://{tmp_path}/a%20b") == Path(f"{tmp_path}/a%20b")


@pytest.mark.parametrize("character", "*?{}[],")
def test_patterns_are_refused_by_name(character):
    with pytest.raises(Refused, match="for a pattern"):
        qualified(f"/a/b{character}c")


def test_a_place_that_only_spark_knows_is_no_place_for_a_bundle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for uri in ("dbfs:/models/m", "hdfs://h/m", "gs://b/m"):
        with pytest.raises(Refused, match="no place to publish"):
            open_store(uri)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("r.jsonl", "json"),
        ("r.csv.gz", "csv"),
        ("r.JSON", "json"),
        ("s3a://b/r.parquet/", "parquet"),
        ("d", "parquet"),
    ],
)
def test_formats_by_name(name, kind):
    assert _format(name) == kind
