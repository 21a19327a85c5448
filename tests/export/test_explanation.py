# SPDX-License-Identifier: Apache-2.0
"""What explain says before an export: the same inputs, outputs and promises, and every reason at once."""

from __future__ import annotations

import pytest
from pyspark.ml import Pipeline, PipelineModel, Transformer
from pyspark.ml import classification as c
from pyspark.ml import feature as f
from pyspark.ml import regression as r
from scored_export import Refused, explain, export
from scored_export.exactness import exactness
from scored_export.plan import default_output, make_plan
from scored_export.platform import ask_platform
from scored_export.result import Pruned
from scored_export.live import live_stages
from scored_export.saved import read_stages
from scored_export.values import type_name

PREDICTOR = ("predictionCol", "rawPredictionCol", "probabilityCol")


def estimators():
    """All kinds of predictors whose promises differ, and what decides it."""
    tree = {"maxDepth": 2}
    return [
        r.LinearRegression(labelCol="price"),
        c.LogisticRegression(labelCol="dear"),
        c.LogisticRegression(labelCol="dear", rawPredictionCol=""),
        c.LogisticRegression(labelCol="dear", thresholds=[0.3, 0.7]),
        c.LogisticRegression(labelCol="dear", family="multinomial", thresholds=[0.3, 0.7]),
        c.LogisticRegression(labelCol="band", thresholds=[0.2, 0.5, 0.3]),
        r.DecisionTreeRegressor(labelCol="price", varianceCol="var", leafCol="leaf", **tree),
        c.RandomForestClassifier(labelCol="band", numTrees=2, **tree).setThresholds([0.2, 0.5, 0.3]),
        c.GBTClassifier(labelCol="dear", maxIter=2, **tree),
        c.GBTClassifier(labelCol="dear", maxIter=2, **tree).setThresholds([0.3, 0.7]),
        r.GBTRegressor(labelCol="price", maxIter=2, **tree),
        r.LinearRegression(labelCol="price", featuresCol="normal"),
    ]


@pytest.fixture(scope="module")
def features(cars):
    return Pipeline(
        stages=[
            f.StringIndexer(inputCols=["fuel"], outputCols=["fuel_i"], handleInvalid="keep"),
            f.VectorAssembler(inputCols=["age", "km", "fuel_i"], outputCol="features", handleInvalid="keep"),
        ]
    ).fit(cars)


@pytest.fixture(scope="module")
def predictors(cars, features):
    """A fitted pipeline of all of them, whose columns have names of their own."""
    normal = f.Normalizer(inputCol="features", outputCol="normal", p=3.0)
    ready = normal.transform(features.transform(cars.limit(60))).cache()
    fitted = []
    for i, estimator in enumerate(estimators()):
        for param in filter(estimator.hasParam, PREDICTOR):
            name = estimator.getOrDefault(param)
            estimator.set(estimator.getParam(param), f"{name}{i}" if name else "")
        fitted.append(estimator.fit(ready))
    return PipelineModel(stages=[features, normal, *fitted])


def test_it_foretells_the_export(spark, sample, predictors, tmp_path):
    predictors.save(str(tmp_path))
    plan = make_plan(read_stages(spark, str(tmp_path)), live_stages(predictors), sample, lambda text: None)
    told = explain(predictors, sample)
    assert told.refused == ()
    types = {field.name: type_name(field.dataType) for field in plan.inputs}
    assert {i.name: i.type for i in told.inputs} == types
    assert [o.name for o in told.outputs] == default_output(plan)
    every = (*told.outputs, *told.others)
    promised = exactness(plan.needs, ask_platform(spark), None)
    assert {o.name: {"tier": o.tier, "why": o.why} for o in every} == promised
    assert len({o.why for o in every}) >= 4
    assert [(s.name, s.uid) for s in told.stages] == [(s.saved.name, s.saved.uid) for s in plan.stages]
    assert explain(str(tmp_path), sample) == told


def test_nothing_is_done(spark, features):
    """This Spark is asked for its platform; without a sample no type is known, and nothing is missing."""
    scheduler = spark.sparkContext._jsc.sc().dagScheduler()  # counts all jobs; the status tracker forgets old ones

    def jobs(work):
        before = scheduler.numTotalJobs()
        return work(), scheduler.numTotalJobs() - before

    told, made = jobs(lambda: explain(features))
    assert made == jobs(lambda: ask_platform(spark))[1]
    assert told.ok and [(i.name, i.type) for i in told.inputs] == [("fuel", ""), ("age", ""), ("km", "")]
    assert [o.name for o in told.outputs] == ["features"]
    assert "can be exported" in str(told) and "fuel_i" in str(told)


class OwnModel(Transformer):
    """A stage that no bundle holds."""

    def _transform(self, dataset):
        return dataset


def test_all_reasons_at_once(spark, cars, features, sample):
    model = PipelineModel(
        stages=[
            features,
            OwnModel(),
            f.VectorAssembler(inputCols=["colour", "make"], outputCol="more"),
            f.VectorAssembler(inputCols=["make"], outputCol="yet more"),
        ]
    )
    told = explain(model, sample, output=["more", "none"])
    assert not told.ok
    for part, reason in zip(
        (
            "OwnModel cannot be exported",
            "input column 'colour' is neither in the sample nor made by an earlier stage",
            "column make has type string, vector_assembler takes",
            "output 'none' is not a column of the pipeline",
        ),
        told.refused,
    ):
        assert part in reason
    assert len(told.refused) == 4
    with pytest.raises(Refused) as refused:
        export(model, "/nowhere", sample=sample, name="m")
    assert str(refused.value) == told.refused[0]
    assert str(told).startswith("is refused, for 4 reasons\n")
    assert "OwnModel" in told._repr_html_()


def test_what_is_no_model(spark, sample, tmp_path):
    for model, says in (
        (
            f.StringIndexer(inputCol="make", outputCol="i"),
            "StringIndexer is not a fitted model; call fit first",
        ),
        (Pipeline(stages=[]), "Pipeline is not a fitted model"),
        (7, "int is not a fitted model"),
        (str(tmp_path), "holds no model saved by Spark"),
    ):
        told = explain(model, sample)
        assert not told.ok and says in told.refused[0], told.refused
    assert "a list says no types" in explain(f.Binarizer(), [{"a": 1}]).refused[0]


def test_a_label_that_the_sample_lacks(spark, cars, sample):
    label = f.StringIndexer(inputCol="band", outputCol="label", handleInvalid="keep").fit(cars)
    features = f.VectorAssembler(inputCols=["age"], outputCol="features")
    model = PipelineModel(stages=[label, features])
    told = explain(model, sample.select("age", "make"))
    assert told.ok and [o.name for o in told.outputs] == ["features"] and told.others == ()
    assert told.left_out == (
        Pruned("make", "no stage reads it"),
        Pruned("label", "the sample lacks what StringIndexerModel makes it of", label.uid),
    )
    skip = label.copy({label.handleInvalid: "skip"})
    assert "'band' is neither in the sample" in explain(skip, sample).refused[0]


def test_what_this_platform_does_not_reproduce(spark, predictors, sample, monkeypatch):
    model = PipelineModel(stages=[*predictors.stages[:1], predictors.stages[2]])
    other = {**ask_platform(spark), "blas": "native"}
    monkeypatch.setattr("scored_export.explanation.ask_platform", lambda spark: other)
    told = explain(model, sample)
    assert "column prediction0 cannot be reproduced: Spark's BLAS is native" in told.refused[0]
    assert told.outputs[0].tier == "refused"
    allowed = explain(model, sample, allow_inexact=4)
    assert allowed.ok and (allowed.outputs[0].tier, allowed.outputs[0].ulp) == ("ulp", 4)
    assert "within 4 ulp" in str(allowed)
