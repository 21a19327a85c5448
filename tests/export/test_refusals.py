# SPDX-License-Identifier: Apache-2.0
"""What cannot be scored identically is refused, with stage, uid, reason and cure."""

from __future__ import annotations

import pytest
from pyspark.ml import Pipeline, PipelineModel, Transformer
from pyspark.ml import feature as f
from pyspark.ml import regression as r
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions as F
from scored_export import Refused, export
from scored_export.exactness import exactness

PLATFORM = {"blas": "java11", "libm": "hotspot-x86", "cpu_vendor": "AuthenticAMD", "jdk": "17.0.15", "locale": "en"}


def refusal(model, sample, folder, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        export(model, folder, sample=sample, **{"name": "m", **more})
    assert not list(folder.glob("bundle.json")), "a refused export publishes nothing"
    return caught.value


def assembler(*columns, **more):
    return f.VectorAssembler(inputCols=list(columns), outputCol="v", **more)


class OwnModel(Transformer):
    """A stage that no bundle holds."""

    def _transform(self, dataset):
        return dataset


def test_unknown_stage_is_named(sample, tmp_path):
    stage = OwnModel()
    error = refusal(PipelineModel(stages=[stage]), sample, tmp_path)
    assert (error.stage, error.uid) == ("OwnModel", stage.uid)
    assert "cannot be exported" in str(error) and "registers one" in error.cure


CASES = {
    "missing column": (lambda s: s.drop("age"), ("age",), "neither in the sample"),
    "case of a name": (lambda s: s.withColumnRenamed("age", "AGE"), ("age",), "byte for byte"),
    "date": (
        lambda s: s.withColumn("age", F.lit("2026-11-30").cast("date")),
        ("age",),
        "cast column age",
    ),
    "string in a vector": (lambda s: s, ("make",), "vector_assembler takes"),
    "names equal but for case": (
        lambda s: s.withColumn("V", F.lit(1.0)),
        ("age", "V"),
        "differ only in case",
    ),
    "control character": (lambda s: s.withColumn("a\tb", F.lit(1.0)), ("a\tb",), "no control characters"),
    "empty sample": (lambda s: s.limit(0), ("age",), "no rows"),
    "no passing row": (
        lambda s: s.limit(30).withColumn("x", F.lit(None).cast("double")),
        ("x",),
        "no row of the sample",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_samples(sample, tmp_path, case):
    change, columns, text = CASES[case]
    error = refusal(assembler(*columns), change(sample), tmp_path)
    assert text in str(error), str(error)


def test_missing_label_column_is_dropped_but_not_under_skip(cars, sample, tmp_path):
    for invalid in ("error", "skip"):
        indexer = f.StringIndexer(inputCols=["fuel", "band"], outputCols=["i", "j"], handleInvalid=invalid)
        model = Pipeline(stages=[indexer]).fit(cars)
        if invalid == "skip":
            assert "throws" in str(refusal(model, sample, tmp_path / invalid))
        else:
            export(model, tmp_path / invalid, sample=sample, name="m")


def test_names_and_outputs(sample, tmp_path):
    model = assembler("age")
    assert "name 'a b'" in str(refusal(model, sample, tmp_path, name="a b"))
    assert "'nix' is not a column" in str(refusal(model, sample, tmp_path, output=["nix"]))
    assert "no key 'colour'" in str(refusal(model, sample, tmp_path, lineage={"colour": "red"}))
    assert "not a fitted model" in str(refusal(r.LinearRegression(), sample, tmp_path))


def test_version_is_taken_once(sample, tmp_path):
    model = assembler("age")
    export(model, tmp_path, sample=sample, name="m", version="1")
    with pytest.raises(Refused, match="version 1 is taken"):
        export(model, tmp_path, sample=sample, name="other", version="1")


def test_lower_case_of_other_rules(spark, tmp_path):
    words = spark.createDataFrame([(["I", "i"],)], ["w"])
    stage = f.StopWordsRemover(inputCol="w", outputCol="x", locale="th")
    assert "locale='th'" in str(refusal(PipelineModel(stages=[stage]), words, tmp_path))
    stage.setCaseSensitive(True)
    export(PipelineModel(stages=[stage]), tmp_path / "case", sample=words, name="m")


def test_unsized_vector_under_keep(spark, tmp_path):
    sample = spark.createDataFrame([(Vectors.dense([1.0, 2.0]),)], ["x"])
    assert "width of vector column x is unknown" in str(
        refusal(assembler("x", handleInvalid="keep"), sample, tmp_path)
    )


@pytest.mark.parametrize(
    ("needs", "change", "text"),
    [
        ({"blas"}, {"blas": "vector8"}, "vector8"),
        ({"exp"}, {"libm": "other"}, "HotSpot"),
        ({"pow"}, {"cpu_vendor": "HygonGenuine"}, "HygonGenuine"),
        ({"exp"}, {"cpu_vendor": "HygonGenuine"}, None),
        ({"lower"}, {"jdk": "11.0.22"}, "JDK 11.0.22"),
        ({"locale"}, {"locale": "th_TH"}, "th_TH"),
        ({"lower", "locale"}, {"locale": "tr_TR"}, None),
        (set(), {"blas": "native", "libm": "other"}, None),
    ],
)
def test_platforms(needs, change, text):
    platform = {**PLATFORM, **change}
    if text is None:
        assert exactness({"p": needs}, platform, None)["p"]["tier"] != "ulp"
        return
    with pytest.raises(Refused, match=text):
        exactness({"p": needs}, platform, None)
    declared = exactness({"p": needs}, platform, 4)["p"]
    assert (declared["tier"], declared["n"]) == ("ulp", 4)
    assert exactness({"p": needs}, PLATFORM, None)["p"]["tier"] == "exact-on-platform"
