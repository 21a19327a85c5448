# SPDX-License-Identifier: Apache-2.0
"""Bundles of every op: they obey FORMAT.md, and their golden rows say what Spark says of each row alone."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil

import numpy as np
import pytest
from format_check import Bad, Bundle, walk
from pyspark.ml import classification as c
from pyspark.ml import regression as r
from pyspark.ml.linalg import Vectors
from scored_export import export

ESTIMATORS = {
    "linear_regression": lambda: r.LinearRegression(labelCol="price"),
    "binomial": lambda: c.LogisticRegression(labelCol="dear", threshold=0.3),
    "multinomial": lambda: c.LogisticRegression(labelCol="band", thresholds=[0.2, 0.5, 0.3]),
    "tree_regression": lambda: r.DecisionTreeRegressor(labelCol="price", varianceCol="var", leafCol="leaf"),
    "forest_regression": lambda: r.RandomForestRegressor(labelCol="price", numTrees=7, seed=1),
    "gbt_regression": lambda: r.GBTRegressor(labelCol="price", maxIter=4, seed=1, leafCol="leaf"),
    "tree_classification": lambda: c.DecisionTreeClassifier(labelCol="band"),
    "forest_classification": lambda: c.RandomForestClassifier(
        labelCol="band", numTrees=5, seed=1, leafCol="leaf"
    ),
    "gbt_classification": lambda: c.GBTClassifier(labelCol="dear", maxIter=3, seed=1),
}


@pytest.fixture(scope="session")
def bundles(tmp_path_factory, fitted, sample):
    """Return a function that exports a pipeline once and reads it back."""
    done: dict[str, tuple] = {}

    def make(name):
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            model = fitted(ESTIMATORS[name]())
            digest = export(model, folder, sample=sample, name=name, created="2026-01-31T10:20:30.123Z")
            done[name] = (folder, model, Bundle(folder), digest)
        return done[name]

    return make


def cell(value):
    """Return a Spark value as golden rows write it, told apart by kind."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return (
            value
            if math.isfinite(value)
            else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        )
    if hasattr(value, "indices"):
        kept = {"indices": value.indices.tolist(), "values": [cell(v) for v in value.values.tolist()]}
        return {"size": value.size, **kept}
    return [cell(v) for v in value.values.tolist()]


def alone(spark, model, sample, bundle, line):
    """Ask Spark for one golden row in a frame of its own, through the public API."""
    text = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    row = []
    for column in bundle.manifest["input"]:
        value = line["in"][column["name"]]
        floating = column["type"] in ("double", "float")
        row.append(text[value] if floating and isinstance(value, str) else value)
    frame = spark.createDataFrame([tuple(row)], sample.select(*line["in"]).schema)
    names = [column["name"] for column in bundle.manifest["output"]]
    try:
        found = model.transform(frame).select(*names).collect()
    except Exception:  # noqa: BLE001 - whatever Spark throws is the answer
        return {"error": True}
    if not found:
        return {"skipped": True}
    return {"out": {name: cell(value) for name, value in zip(names, found[0])}}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_obeys_format(bundles, name):
    _, _, bundle, digest = bundles(name)
    assert len(digest) == 64
    assert bundle.manifest["golden"]["labels"][0] == bundle.manifest["golden"]["labels"][1] > 0
    reached, leaves = bundle.manifest["golden"]["leaves"]
    assert reached >= 0.9 * leaves
    assert 2 * len(bundle.manifest["input"]) > bundle.manifest["golden"]["made"] / 5


@pytest.mark.parametrize("name", ["linear_regression", "multinomial", "forest_regression"])
def test_golden_rows_are_what_spark_answers_alone(spark, bundles, sample, name):
    _, model, bundle, _ = bundles(name)
    made = bundle.manifest["golden"]["made"]
    lines = random.Random(3).sample(bundle.golden[:-made], 4) + random.Random(4).sample(
        bundle.golden[-made:], 8
    )
    kinds = set()
    for line in [bundle.manifest["example"], *lines]:
        answer = alone(spark, model, sample, bundle, line)
        want = {key: value for key, value in line.items() if key != "in"}
        assert json.dumps(answer) == json.dumps(want), line["in"]
        kinds |= set(answer)
    assert "skipped" in kinds


@pytest.mark.parametrize("name", ["forest_regression", "tree_regression", "gbt_regression"])
def test_forest_walks_to_the_leaves_of_spark(spark, bundles, sample, name):
    _, model, bundle, _ = bundles(name)
    prefix = next(b for b in bundle.blocks if b.endswith("forest.kind")).split(".")[0]
    prediction = bundle.blocks[f"{prefix}.forest.prediction"]
    assert (bundle.blocks[f"{prefix}.forest.kind"] > 1).any()
    vectors = []
    for row in model.stages[0].transform(sample).select("features").take(60):
        x = row.features.toArray()
        vectors += [x, np.where(np.arange(len(x)) < 2, 77.0, x)]
    frame = spark.createDataFrame([(Vectors.dense(x),) for x in vectors], ["features"]).coalesce(1).cache()
    trees = getattr(model.stages[-1], "trees", [model.stages[-1]])
    want = [[row[0] for row in tree.transform(frame).select(tree.getPredictionCol()).collect()] for tree in trees]
    for i, x in enumerate(vectors):
        assert [prediction[leaf] for leaf in walk(bundle, prefix, x)] == [answers[i] for answers in want]


def test_params_that_are_folded(bundles):
    manifest = bundles("binomial")[2].manifest
    params = manifest["stages"][-1]["params"]
    assert params["threshold"] == 0.3 and params["thresholds"] is None
    assert params["rawThreshold"] == pytest.approx(math.log(0.3 / 0.7), rel=1e-15)
    assert bundles("multinomial")[2].manifest["stages"][-1]["params"]["rawThreshold"] is None


def test_numeric_labels_have_keys(bundles):
    bundle = bundles("linear_regression")[2]
    labels = bundle.manifest["stages"][0]["params"]["labels"]
    by_name = {name: i for i, name in enumerate(bundle.manifest["stages"][0]["inputs"]["inputCols"])}
    for name, parse in (("grade", float), ("gears", int), ("litres", np.float32)):
        i = by_name[name]
        keys, index = bundle.blocks[f"s000.keys.{i}"], bundle.blocks[f"s000.key_index.{i}"]
        assert [float(parse(labels[i][k])) for k in index] == keys.tolist()
        assert len(keys) == len(labels[i])
    assert np.signbit(bundle.blocks[f"s000.keys.{by_name['litres']}"]).any(), "-0.0 is a key of its own"


def test_attributes_are_resolved(bundles):
    stages = {s["op"]: s for s in bundles("linear_regression")[2].manifest["stages"][:-2]}
    assert stages["vector_slicer"]["params"]["indices"] == [0, 7, 10]
    last = [s for s in bundles("linear_regression")[2].manifest["stages"] if s["op"] == "vector_assembler"][
        -1
    ]
    assert last["params"]["lengths"] == [11, 11, 3]
    strings = bundles("linear_regression")[2].manifest["stages"][-2]
    assert strings["params"]["labels"][0][-1] == "__unknown"


def test_default_outputs(bundles):
    def names(name):
        return [column["name"] for column in bundles(name)[2].manifest["output"]]

    assert names("linear_regression") == ["prediction"]
    assert names("multinomial") == ["prediction", "probability"]


def test_exactness(bundles):
    tiers = bundles("gbt_classification")[2].manifest["exactness"]
    assert tiers["probability"]["tier"] == "exact-on-platform" and "Math.exp" in tiers["probability"]["why"]
    assert "java11" in tiers["rawPrediction"]["why"] and tiers["features"]["tier"] == "exact"
    assert bundles("forest_regression")[2].manifest["exactness"]["prediction"]["tier"] == "exact"


def test_profile(bundles, sample):
    profile = json.loads(bundles("linear_regression")[2].files["profile"])
    age, make = profile["columns"]["age"], profile["columns"]["make"]
    values = [row.age for row in sample.select("age").collect()]
    assert (age["min"], age["max"], len(age["quantiles"])) == (min(values), max(values), 101)
    assert sum(n for _, n in make["categories"]) + make["other"] + make["nulls"] == profile["rows"] == 400
    assert profile["columns"]["slope"]["nans"] == 8 and profile["outputs"]["prediction"]["nulls"] == 0


def test_same_input_same_bundle(bundles, sample, tmp_path):
    folder, model, bundle, digest = bundles("forest_regression")
    again = export(
        model, tmp_path, sample=sample, name="forest_regression",
        version=bundle.manifest["version"], created="2026-01-31T10:20:30.123Z",
    )  # fmt: skip
    assert again == digest
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in folder.iterdir()}


CHANGES = {
    "blocks": (b'"F64"', b'"U32"'),
    "golden": (b'"in"', b'"IN"'),
    "bundle": (b'"params"', b'"parms" '),
}


@pytest.mark.parametrize("role", CHANGES)
def test_the_check_can_fail(bundles, tmp_path, role):
    """A changed file is found by its digest, and a manifest with matching names by its rules."""
    folder = shutil.copytree(bundles("tree_regression")[0], tmp_path / "bundle")
    path = folder / "bundle.json" if role == "bundle" else next(folder.glob(f"{role}-*"))
    changed = path.read_bytes().replace(*CHANGES[role], 1)
    path.write_bytes(changed)
    (folder / f"bundle-{hashlib.sha256(changed).hexdigest()[:16]}.json").write_bytes(changed)
    with pytest.raises(Bad):
        Bundle(folder)
