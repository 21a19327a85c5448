# SPDX-License-Identifier: Apache-2.0
"""Rules of an FPGrowthModel: in the order of the session that exports, and only of items that can be told apart."""

from __future__ import annotations

import json
import random

import pytest
from pyspark.ml.fpm import FPGrowth, FPGrowthModel
from scored_export import Refused, export
from scored_export.ops.patterns import places_of

ITEMS = [f"item {i}" for i in range(9)]


def baskets(spark, count=120, partitions=3):
    r = random.Random(3)
    rows = [(r.sample(ITEMS, r.randint(1, 6)),) for _ in range(count)]
    return spark.createDataFrame(rows, "items array<string>").repartition(partitions)


def answered(folder):
    """Return the answers of the golden rows by their items."""
    (golden,) = folder.glob("golden-*.jsonl")
    lines = [json.loads(line) for line in golden.read_bytes().splitlines()]
    return {json.dumps(line["in"]["items"]): line["out"]["prediction"] for line in lines}


def in_order(rules, items):
    found = [y for antecedent, (y,) in rules if set(antecedent) <= set(items) and y not in items]
    return list(dict.fromkeys(found))


def test_the_order_is_that_of_the_model_given(spark, tmp_path):
    """A fitted model and the same one loaded have their rules in orders of their own; each bundle has its model's."""
    data = baskets(spark)
    fitted = FPGrowth(minSupport=0.05, minConfidence=0.2).fit(data)
    fitted.save(str(tmp_path / "model"))
    loaded = FPGrowthModel.load(str(tmp_path / "model"))
    orders = [m.associationRules.select("antecedent", "consequent").collect() for m in (fitted, loaded)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])
    for name, model, rules in (("fitted", fitted, orders[0]), ("loaded", loaded, orders[1])):
        done = export(model, tmp_path / name, sample=data, name="m")
        for items, prediction in answered(tmp_path / name).items():
            assert prediction == in_order(rules, json.loads(items) or [])
        told = json.loads((tmp_path / name / "bundle.json").read_text())["exactness"]["prediction"]
        assert told["tier"] == "exact-on-platform" and "order" in told["why"]
        assert done.name == "m"


def test_nulls_in_rules(spark, tmp_path):
    data = spark.createDataFrame([(["a", None],)] * 3, "items array<string>")
    model = FPGrowth(minConfidence=0.0).fit(data)
    with pytest.raises(Refused, match="an item of the model is None") as refused:
        export(model, tmp_path, sample=data, name="m")
    assert (refused.value.stage, refused.value.uid) == ("FPGrowthModel", model.uid) and refused.value.cure


def test_a_type_that_no_bundle_holds(spark, tmp_path):
    data = spark.createDataFrame([([1, 2],)] * 3, "items array<bigint>")
    with pytest.raises(Refused, match="items has type array<bigint>"):
        export(FPGrowth(minConfidence=0.0).fit(data), tmp_path, sample=data, name="m")


def test_items_that_sets_cannot_tell_apart():
    """No fit of Spark's makes them: it finds NaN in no set, and 0.0 and -0.0 are one to it."""
    with pytest.raises(Refused, match="is nan"):
        places_of([1.0, float("nan")])
    with pytest.raises(Refused, match=r"0\.0 and -0\.0"):
        places_of([0.0, 1.0, -0.0])
    assert places_of([-0.0, 1.0, -0.0]) == {0.0: 0, 1.0: 1}


def test_items_of_another_type(spark, tmp_path):
    model = FPGrowth(minConfidence=0.0).fit(spark.createDataFrame([([1, 2],)] * 3, "items array<int>"))
    sample = spark.createDataFrame([(["1"],)], "items array<string>")
    with pytest.raises(Refused, match="rules of array<int>, column items has type array<string>"):
        export(model, tmp_path, sample=sample, name="m")
