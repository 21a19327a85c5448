# SPDX-License-Identifier: Apache-2.0
"""Networks, factors, mixtures, survival and steps: a pipeline a twist of their parameters."""

from __future__ import annotations

from typing import Any

from pyspark.ml.classification import FMClassifier, MultilayerPerceptronClassifier
from pyspark.ml.clustering import BisectingKMeans, GaussianMixture
from pyspark.ml.recommendation import ALS
from pyspark.ml.regression import AFTSurvivalRegression, FMRegressor, IsotonicRegression

from pipelines.table import Stages, _classes, nums, pipeline, turned, va
from rows import Code, Number, Vec


def perceptron(tag: str, layers: list[int], y: str = "k", outs: str = "rqp", f: str = "f", **more: Any) -> Any:
    """MultilayerPerceptronClassifier."""
    thresholds = more.pop("thresholds", None)
    given = {"labelCol": f"target_{y}", "featuresCol": f, "seed": 7, "maxIter": 6, "layers": layers}
    made = MultilayerPerceptronClassifier(**{**given, **_classes(tag, outs), **more})
    return made.setThresholds(thresholds) if thresholds else made


@turned(
    Vec("v", size=4),
    nums("x", 3),
    twists=[
        dict(hidden=[]),
        dict(hidden=[5]),
        dict(hidden=[3, 4, 2], outs="qp"),
        dict(hidden=[8], outs="rp"),
        dict(hidden=[2], outs="p"),
        dict(hidden=[33, 17], y="b"),
        dict(hidden=[4], thresholds=[0.2, 0.5, 0.3]),
        dict(hidden=[1], thresholds=[0.9, 0.0, 0.1], outs="p"),
        dict(hidden=[6], stepSize=0.5, solver="gd"),
        dict(hidden=[10], blockSize=1, outs="q"),
        dict(hidden=[7], y="b", outs="r"),
    ],
    ci=(6,),
)
def perceptrons(hidden: list[int], **twist: Any) -> Stages:
    classes = 2 if twist.get("y") == "b" else 3
    return [
        perceptron("a", [4, *hidden, classes], f="v", **twist),
        va("v x0 x1 x2"),
        perceptron("b", [7, *hidden, classes], **twist),
    ]


@pipeline(Vec("v", size=1030, plain=True), train=40)
def wide_perceptron() -> Stages:
    return [perceptron("a", [1030, 1000, 3], f="v", maxIter=1)]


MACHINES = [
    dict(),
    dict(factorSize=1),
    dict(factorSize=3, regParam=0.2),
    dict(fitIntercept=False),
    dict(fitLinear=False),
    dict(fitIntercept=False, fitLinear=False, factorSize=2),
    dict(solver="gd", stepSize=0.1),
    dict(initStd=1.0, maxIter=1),
    dict(miniBatchFraction=0.5, seed=2),
    dict(factorSize=16, initStd=0.5),
]
OUTS = ("rqp", "qp", "rp", "p", "q", "r", "rqp", "rqp", "qp", "p")


@turned(
    Vec("v", size=5, dense=True),  # Spark cannot fit these models on sparse vectors
    nums("x", 3, high=7.875),
    twists=[dict(outs=outs, cut=i == 7, **m) for i, (outs, m) in enumerate(zip(OUTS, MACHINES))],
    ci=(2,),
)
def machines(outs: str, cut: bool, **twist: Any) -> Stages:
    given = {"seed": 1, "maxIter": 4, **twist}
    names = _classes("c", outs)
    made = FMClassifier(labelCol="target_b", featuresCol="f", **names, **given)
    return [
        va("v x0 x1 x2"),
        made.setThresholds([0.3, 0.6]) if cut else made,
        FMRegressor(labelCol="target_y", featuresCol="f", predictionCol="r", **given),
        FMRegressor(labelCol="target_y", featuresCol="v", predictionCol="s", **given),
    ]


@turned(
    Vec("v", size=4, plain=True),
    nums("x", 2),
    Number("age", low=0.5, high=9.0),
    Code("event", values=(0.0, 1.0)),
    twists=[
        dict(),
        dict(fitIntercept=False),
        dict(quantiles=[0.5]),
        dict(quantiles=[0.01, 0.99, 0.999999]),
        dict(maxIter=2, quantiles=[0.1, 0.2, 0.3, 0.4]),
        dict(prediction=""),
        dict(quantiles=None),
        dict(aggregationDepth=3, maxIter=1),
        dict(quantiles=[1e-300, 0.5, 0.9999999999999999], prediction=""),
        dict(fitIntercept=False, quantiles=[0.25], maxIter=3),
    ],
    ci=(8,),
)
def survival(quantiles: Any = (0.1, 0.5, 0.9), prediction: str = "p", **twist: Any) -> Stages:
    given = dict(labelCol="age", censorCol="event", predictionCol=prediction, **{"maxIter": 5, **twist})
    if quantiles:
        given |= dict(quantilesCol="q", quantileProbabilities=list(quantiles))
    return [
        va("v x0 x1"),
        AFTSurvivalRegression(featuresCol="f", **given),
        AFTSurvivalRegression(**{**given, "featuresCol": "v", "predictionCol": "p2", "quantilesCol": "q2"}),
    ]


@turned(
    Number("x", null=True, nan=True),
    Code("c", values=(-1.0, 0.0, 1.0, 2.5, 4.0), fractions=(-0.0, 0.5, 2.0)),
    Vec("v", size=3),
    twists=[dict(isotonic=i, index=k, y=y) for y in "yk" for i in (True, False) for k in (0, 1, 2)],
    ci=(5,),
)
def steps(isotonic: bool, index: int, y: str) -> Stages:
    given = dict(isotonic=isotonic, labelCol=f"target_{y}")
    return [
        IsotonicRegression(featuresCol="x", predictionCol="a", **given),
        IsotonicRegression(featuresCol="c", predictionCol="b", **given),
        IsotonicRegression(featuresCol="v", predictionCol="d", featureIndex=index, **given),
        va("c x", mode="keep"),
        IsotonicRegression(featuresCol="f", predictionCol="e", featureIndex=1, **given),
    ]


TREES = [
    dict(k=2, maxIter=1),
    dict(k=2),
    dict(k=5, maxIter=2),
    dict(k=16, seed=4),
    dict(k=4, minDivisibleClusterSize=40.0),
    dict(k=6, minDivisibleClusterSize=0.1),
    dict(k=3, distanceMeasure="cosine"),
    dict(k=11, distanceMeasure="cosine", maxIter=1),
    dict(k=60, maxIter=1),
    dict(k=7, seed=99),
]


@turned(Vec("v", size=5, plain=True), nums("x", 2, low=1.0, high=5.0), twists=TREES, ci=(2,))
def halves(**twist: Any) -> Stages:
    given = {"seed": 3, **twist}
    return [
        va("v x0 x1"),
        BisectingKMeans(featuresCol="f", predictionCol="a", **given),
        BisectingKMeans(featuresCol="f", predictionCol="b", **{**given, "distanceMeasure": "euclidean"}),
    ]


@turned(
    Vec("v", size=3),
    nums("x", 2),
    twists=[
        dict(k=2),
        dict(k=3, probability=""),
        dict(k=4, maxIter=3),
        dict(k=5, maxIter=2),
        dict(k=2, tol=1.0),
        dict(k=6, seed=5),
        dict(k=2, maxIter=1, probability=""),
        dict(k=3, aggregationDepth=3),
        dict(k=7, maxIter=1),
        dict(k=3, tol=0.1, maxIter=8),
    ],
    ci=(1,),
)
def mixtures(probability: str = "q", **twist: Any) -> Stages:
    given = {"seed": 3, "maxIter": 4, **twist}
    return [
        GaussianMixture(featuresCol="v", probabilityCol=probability, predictionCol="p", **given),
        va("v x0 x1"),
        GaussianMixture(featuresCol="f", probabilityCol="b", predictionCol="c", **given),
    ]


PEOPLE = tuple(range(-3, 14))
THINGS = tuple(map(float, range(20)))
RATINGS = [
    dict(rank=3),
    dict(rank=1),
    dict(rank=10, implicitPrefs=True),
    dict(rank=4, nonnegative=True),
    dict(rank=8, regParam=1.0),
    dict(rank=9, alpha=3.0, implicitPrefs=True, regParam=1.0),
    dict(rank=2, numUserBlocks=1, numItemBlocks=1),
    dict(rank=5, seed=8, maxIter=1),
    dict(rank=30),
    dict(rank=7, maxIter=2),
]


def recommender(cold: str, **twist: Any) -> ALS:
    """ALS of whole ratings."""
    given = {"seed": 2, "maxIter": 3, "ratingCol": "target_k", "coldStartStrategy": cold, **twist}
    return ALS(userCol="u", itemCol="i", **given)


@turned(
    Code("u", "int", values=PEOPLE, unseen=True),
    Code("i", values=THINGS, fractions=(77.0, -0.0, 2147483647.0, -2147483648.0)),
    twists=RATINGS,
    ci=(0,),
)
def ratings(**twist: Any) -> Stages:
    return [recommender("nan", **twist)]


@turned(Code("u", "int", values=PEOPLE), Code("i", values=THINGS, fractions=(-0.0,)), twists=RATINGS, ci=(3,))
def ratings_dropped(**twist: Any) -> Stages:
    return [recommender("drop", **twist)]


@pipeline(
    Code("u", "bigint", values=PEOPLE),
    Code("i", "float", values=THINGS, fractions=(2147483648.0, -0.0)),
    Number("x"),
)
def ratings_of_wide_ids() -> Stages:
    return [
        ALS(userCol="u", itemCol="i", ratingCol="target_y", rank=6, seed=1, maxIter=2),
        va("x prediction", mode="keep"),
        IsotonicRegression(featuresCol="f", featureIndex=0, labelCol="target_y", predictionCol="s"),
    ]
