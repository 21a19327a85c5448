# SPDX-License-Identifier: Apache-2.0
"""Scoring many rows at once gives what each row gives alone; values are written by their own digits."""

from __future__ import annotations

import json

import numpy as np
import pytest
from format_check import Bundle
from pyspark.ml import PipelineModel
from pyspark.ml import feature as f
from pyspark.ml.linalg import Vectors
from scored_export import export
from scored_export.blocks import string_list
from scored_export.golden import choose, make_rows, shuffled
from scored_export.score import Outcome, Scorer
from scored_export.values import encode


def steps(*stages):
    return PipelineModel(stages=list(stages))


@pytest.mark.parametrize("count", [1, 65, 400, 1000, 2111])
def test_batch_equals_single(spark, count):
    """Rows that answer, throw and are dropped, mixed so that partitions of every size fail."""
    frame = spark.createDataFrame([(0.0, 0.0)], "a double, b double")
    model = steps(
        f.VectorAssembler(inputCols=["a"], outputCol="v", handleInvalid="skip"),
        f.Bucketizer(splits=[0.0, 1.0, 2.0], inputCol="b", outputCol="c", handleInvalid="error"),
    )
    rows = [(None if i % 11 == 3 else float(i), 5.0 if i % 283 == 5 else i % 3 * 0.7) for i in range(count)]
    scorer = Scorer(spark, model, frame.schema.fields, ["v", "c"])
    together = scorer.score(rows)
    for i, answer in enumerate(together):
        if i % 283 == 5 or i % 11 == 3:
            assert answer is (Outcome.SKIPPED if i % 11 == 3 else Outcome.ERROR), i
        else:
            assert answer == (Vectors.dense([float(i)]), float(i % 3 == 2)), i
    for i in {0, 3, 5, count // 2} & set(range(count)):
        assert together[i] == scorer.score([rows[i]])[0], i


def test_a_time_limit_leaves_rows_unknown(spark):
    """Beyond the first part, rows are neither answers nor errors; without a limit every row is known."""
    frame = spark.createDataFrame([(0.0,)], "b double")
    model = steps(f.Bucketizer(splits=[0.0, 1.0, 2.0], inputCol="b", outputCol="c"))
    scorer = Scorer(spark, model, frame.schema.fields, ["c"])
    rows = [(9.0,)] * 20
    assert scorer.score(rows, 0.0) == [Outcome.ERROR] + [Outcome.UNKNOWN] * 19
    assert set(scorer.score(rows)) == {Outcome.ERROR}


def test_vectors_of_unknown_width(spark, tmp_path):
    """Spark reads a frame's first row there: dropped rows are skipped, not errors, as behind a row that passes."""
    rows = [(Vectors.dense([float(i), 1.0]) if i % 4 else None, float(i)) for i in range(40)]
    sample = spark.createDataFrame(rows[1:] + rows[:1], ["x", "y"])
    model = steps(f.VectorAssembler(inputCols=["x", "y"], outputCol="v", handleInvalid="skip"))
    export(model, tmp_path, sample=sample, name="m")
    bundle = Bundle(tmp_path)
    nulls = [line for line in bundle.golden if line["in"]["x"] is None]
    assert len(nulls) >= 10 and all(line.get("skipped") for line in nulls)
    assert bundle.manifest["stages"][0]["params"]["lengths"] == [None, 1]
    assert any(isinstance(line["in"]["x"], dict) for line in bundle.golden), "a made sparse row"


def test_no_sample_rows(sample, tmp_path):
    model = steps(f.VectorAssembler(inputCols=["age", "km", "litres"], outputCol="v"))
    export(model, tmp_path, sample=sample, name="m", no_sample_rows=True)
    real = {(row.age, row.km) for row in sample.collect()}
    golden = [line for line in Bundle(tmp_path).golden if line["in"]["km"] is not None]
    assert sum((line["in"]["age"], line["in"]["km"]) in real for line in golden) < len(golden) / 10


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (float(np.float32(0.1)), "float", "0.1"),
        (float(np.float32(16777216)), "float", "16777216.0"),
        (float(np.finfo(np.float32).smallest_subnormal), "float", "1e-45"),
        (-0.0, "double", "-0.0"),
        (1e22, "double", "1e+22"),
        (float("-inf"), "double", '"-Infinity"'),
        (float("nan"), "float", '"NaN"'),
        (2**53 + 1, "bigint", "9007199254740993"),
        (Vectors.dense([1.0, -0.0]), "vector", "[1.0, -0.0]"),
        (Vectors.sparse(3, [1], [2.0]), "vector", '{"size": 3, "indices": [1], "values": [2.0]}'),
        (None, "vector", "null"),
    ],
)
def test_values(value, kind, text):
    assert json.dumps(encode(value, kind)) == text


def test_string_lists():
    assert string_list("t", ["b", "ü"]) == (["b", "ü"], {})
    for entries in (["x"] * 65, ["a\0"], ["é" * 600]):
        inline, table = string_list("t", entries)
        offsets = table["t.offsets"].tolist()
        data = table["t.bytes"].tobytes()
        assert inline is None
        assert [data[a:b].decode() for a, b in zip(offsets, offsets[1:])] == entries  # noqa: RUF007


def test_choose_is_greedy_then_random():
    codes = [np.array(c) for c in ([0, 1], [0, 1, 2], [3], [2], [1])]
    assert choose(codes, 2) == [1, 2]
    assert sorted(choose(codes, 5)) == [0, 1, 2, 3, 4] and len(choose(codes, 4)) == 4


def test_made_rows_change_one_field(cars):
    fields = [cars.schema[name] for name in ("make", "age", "slope")]
    base = ("bmw", 7, 0.5)
    rows = make_rows(base, fields)
    assert all(sum(a is not b for a, b in zip(base, row)) == 1 for row in rows)
    assert {row[1] for row in rows} >= {None, 2**31 - 1, -(2**31)}
    assert all(sum(row[i] is not base[i] for row in rows) >= 2 for i in range(3))
    assert sorted(shuffled([(1, 2), (3, 4)])[0]) != []
