# SPDX-License-Identifier: Apache-2.0
"""What the classes of a classifier are called: found where Spark's own metadata has it, and nowhere else."""

from __future__ import annotations

import json
import random

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml import classification as c
from pyspark.ml import feature as f
from pyspark.sql import functions as F
from scored_export import export, labels
from scored_export.plan import make_plan
from scored_export.live import live_stages
from scored_export.saved import read_stages

KINDS = ["setosa", "versicolor", "virginica"]


@pytest.fixture(scope="module")
def flowers(spark):
    """Rows of three kinds, the last the most frequent, so that Spark's order is not that of the alphabet."""
    draw = random.Random(7)
    rows = []
    for i in range(120):
        kind = min(2, i % 4)
        rows.append((draw.gauss(kind * 3, 0.5), draw.gauss(-kind, 0.5), KINDS[kind], f"\0{kind % 2}"))
    return spark.createDataFrame(rows, "length double, width double, kind string, odd string").cache()


@pytest.fixture(scope="module")
def found(spark, flowers, tmp_path_factory):
    """Return a function that gives the labels that an export of a model finds."""

    def find(model):
        path = str(tmp_path_factory.mktemp("model") / "saved")
        model.write().save(path)
        saved = read_stages(spark, path)
        plan = make_plan(saved, live_stages(model), flowers.select("length", "width"), str)
        return labels.class_labels(saved, plan)

    return find


@pytest.fixture(scope="module")
def asked(flowers, found):
    """Return a function that fits stages, and gives the model and its labels."""

    def make(*stages):
        model = Pipeline(stages=list(stages)).fit(flowers)
        return model, found(model)

    return make


@pytest.fixture(scope="module")
def published(flowers, tmp_path_factory):
    """Return a function that exports a model, and gives the manifest."""

    def make(model):
        folder = tmp_path_factory.mktemp("labels")
        export(model, folder, sample=flowers.select("length", "width"), name="flowers")
        return json.loads((folder / "bundle.json").read_text())

    return make


def assembler():
    return f.VectorAssembler(inputCols=["length", "width"], outputCol="features")


def indexer(column="kind", out="label", **params):
    return f.StringIndexer(inputCol=column, outputCol=out, **params)


def tree(**params):
    return c.DecisionTreeClassifier(maxDepth=2, **params)


def values(model, frame, column="label"):
    """What Spark itself says the values of an indexed column are called."""
    return list(model.transform(frame).schema[column].metadata["ml_attr"]["vals"])


@pytest.mark.parametrize("order", ["frequencyDesc", "alphabetAsc"])
def test_the_labels_are_those_of_spark(asked, flowers, order):
    model, given = asked(indexer(stringOrderType=order), assembler(), tree())
    named = values(model, flowers)
    assert sorted(named) == KINDS and (named == KINDS) == (order == "alphabetAsc")
    assert given == dict.fromkeys(["prediction", "probability", "rawPrediction"], named)
    near = model.transform(flowers.filter(F.col("length") > 5)).select("prediction").head()[0]
    assert named[int(near)] == "virginica"


def test_the_manifest_has_them(flowers, published):
    stages = [indexer(handleInvalid="keep"), assembler(), tree()]
    model = Pipeline(stages=stages).fit(flowers)
    named = model.stages[0].labels
    text = f.IndexToString(inputCol="prediction", outputCol="text", labels=named)
    manifest = published(PipelineModel(stages=[*model.stages, text]))
    assert manifest["labels"]["probability"] == [*named, "__unknown"]
    out = manifest["example"]["out"]
    assert len(out["probability"]) == 4 and out["text"] == named[int(out["prediction"])]


def test_texts_that_the_manifest_cannot_hold_are_left_out(asked):
    assert asked(indexer("odd"), assembler(), tree())[1] == {}


def test_an_unknown_label_is_a_class_under_keep(asked, flowers):
    model, given = asked(indexer(handleInvalid="keep"), assembler(), tree())
    assert model.stages[-1].numClasses == 4
    assert given["prediction"] == values(model, flowers) == [*model.stages[0].labels, "__unknown"]


def test_each_classifier_has_its_own(asked):
    columns = {"predictionCol": "p", "probabilityCol": "", "rawPredictionCol": "r", "labelCol": "second"}
    _, given = asked(
        indexer("kind", "first", stringOrderType="alphabetDesc"),
        indexer("kind", "second", stringOrderType="alphabetAsc"),
        assembler(),
        tree(labelCol="first"),
        tree(**columns),
    )
    first = dict.fromkeys(["prediction", "probability", "rawPrediction"], KINDS[::-1])
    assert given == first | dict.fromkeys(["p", "r"], KINDS)


def test_the_indexer_of_several_columns(asked):
    several = f.StringIndexer(inputCols=["odd", "kind"], outputCols=["odd_i", "label"])
    _, given = asked(several, assembler(), tree())
    assert sorted(given["probability"]) == KINDS


def test_a_pipeline_in_a_pipeline(asked):
    inner = Pipeline(stages=[indexer(stringOrderType="alphabetAsc")])
    _, given = asked(inner, assembler(), tree())
    assert given["prediction"] == KINDS


def test_a_label_that_is_a_range_has_no_text(asked):
    bucket = f.Bucketizer(inputCol="length", outputCol="label", splits=[float("-inf"), 1.5, float("inf")])
    assert asked(indexer(out="other"), bucket, assembler(), tree())[1] == {}


def test_an_indexer_outside_of_the_pipeline_is_not_guessed(flowers, found):
    known = indexer().fit(flowers)
    model = Pipeline(stages=[assembler(), tree()]).fit(known.transform(flowers))
    assert found(model) == {}


def test_a_classifier_of_fewer_classes_than_labels(flowers, found):
    """It was fitted where the last label did not come and its metadata was lost."""
    known = indexer(stringOrderType="alphabetAsc").fit(flowers)
    few = known.transform(flowers).filter("label < 2").withColumn("label", F.col("label") + 0)
    fitted = tree().fit(assembler().transform(few))
    assert found(PipelineModel(stages=[known, assembler(), fitted]))["prediction"] == KINDS[:2]


def test_a_classifier_of_more_classes_than_labels(flowers, found):
    """Then the indexer is not what made its labels."""
    known = indexer(stringOrderType="alphabetAsc").fit(flowers.filter("kind < 'virginica'"))
    all_kinds = indexer().fit(flowers).transform(flowers)
    fitted = tree().fit(assembler().transform(all_kinds))
    assert found(PipelineModel(stages=[known, assembler(), fitted])) == {}


def test_limits():
    can = labels._can_stand
    assert can(["a" * 1024, ""]) and can([str(i) for i in range(1000)])
    assert not can(["a" * 1025]) and not can([str(i) for i in range(1001)]) and not can(["ä" * 513])
    assert not can(["a\0"]) and not can(["\ud800"]) and not can([str(i) + "x" * 100 for i in range(1000)])
