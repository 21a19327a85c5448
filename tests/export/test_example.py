# SPDX-License-Identifier: Apache-2.0
"""The example row is found where the typical row does not pass."""

from __future__ import annotations

import pytest
from format_check import Bundle
from pyspark.ml import Pipeline
from pyspark.ml import feature as f
from scored_export import export

UNSEEN = 6


@pytest.mark.parametrize("columns", [["make"], ["make", "fuel"]])
def test_the_most_frequent_string_is_unknown(spark, tmp_path, columns):
    """Also where each of two columns fails on other rows, and where numbers fail on most of them."""
    known = [("bmw", "gas", 1.0)] * 3 + [("audi", "oil", 2.0)] * 2
    schema = "make string, fuel string, age double"
    stages = [
        f.StringIndexer(inputCols=columns, outputCols=[f"{c}_i" for c in columns]),
        f.Bucketizer(splits=[0.0, 1.5, 3.0], inputCol="age", outputCol="age_b"),
    ]
    model = Pipeline(stages=stages).fit(spark.createDataFrame(known, schema))
    strange = [("fiat" if i % 2 else "bmw", "gas" if i % 2 else "sun", 99.0) for i in range(UNSEEN)]
    strange += [("fiat", "sun", 99.0)] * UNSEEN
    sample = spark.createDataFrame(strange + known, schema)
    export(model, tmp_path, sample=sample, name="m")
    example = Bundle(tmp_path).manifest["example"]
    assert example["in"]["make"] == "bmw" and example["in"].get("fuel", "gas") == "gas"
    assert example["in"]["age"] in (1.0, 2.0) and list(example["out"])[-1] == "age_b"
