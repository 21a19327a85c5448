# SPDX-License-Identifier: Apache-2.0
"""Linear models, naive Bayes and clusters: a pipeline a twist of their parameters."""

from __future__ import annotations

from typing import Any

from pyspark.ml.classification import LinearSVC, NaiveBayes
from pyspark.ml.clustering import KMeans
from pyspark.ml.regression import GeneralizedLinearRegression

from pipelines.table import Stages, _outs, nums, pipeline, turned, upto, va
from rows import Code, Number, Vec


def svc(tag: str, outs: str = "rp", f: str = "f", **more: Any) -> Any:
    """LinearSVC."""
    names = {"rawPredictionCol": "", **_outs(tag, outs)}
    return LinearSVC(labelCol="target_b", featuresCol=f, maxIter=8, **names, **more)


@turned(
    Vec("v", size=7),
    nums("x", 2),
    twists=[
        dict(),
        dict(threshold=0.5),
        dict(threshold=-1.5, regParam=0.3),
        dict(fitIntercept=False),
        dict(standardization=False, regParam=0.01),
        dict(threshold=1e300),
        dict(outs="p"),
        dict(outs="r", regParam=2.0),
        dict(outs="p", threshold=0.25, fitIntercept=False),
        dict(aggregationDepth=3, tol=1e-2),
    ],
    ci=(1,),
)
def vector_machine(**twist: Any) -> Stages:
    return [svc("a", f="v", **twist), va("v x0 x1"), svc("b", **twist)]


FAMILIES = [
    *[dict(family="gaussian", link=link) for link in ("identity", "log", "inverse")],
    *[dict(family="binomial", link=link) for link in ("logit", "cloglog", "probit")],
    *[dict(family="poisson", link=link) for link in ("log", "identity", "sqrt")],
    *[dict(family="gamma", link=link) for link in ("inverse", "identity", "log")],
    *[dict(family=family) for family in ("gaussian", "binomial", "poisson", "gamma")],
    *[dict(family="tweedie", variancePower=v) for v in (0.0, 1.0, 1.5, 2.0)],
    *[
        dict(family="tweedie", variancePower=v, linkPower=p)
        for v, p in ((1.5, 0.0), (1.5, 1.0), (1.2, 0.5), (1.7, -1.0), (1.5, -0.5), (0.0, 1.0), (2.0, 0.0))
    ],
]


@turned(
    nums("x", 3, low=0.0, high=1.0),
    Number("size", low=0.0, high=2.0, null=True, nan=True),
    Number("many", "int", low=0, high=3, null=True),
    Number("positive", low=1.0, high=6.0),
    twists=FAMILIES,
    ci=(5, 18),
)
def generalized(**twist: Any) -> Stages:
    label = "target_b" if twist["family"] == "binomial" else "positive"
    given = dict(featuresCol="f", labelCol=label, regParam=0.1, maxIter=3, **twist)
    return [
        va(upto("x", 3)),
        GeneralizedLinearRegression(predictionCol="p", **given),
        GeneralizedLinearRegression(predictionCol="q", linkPredictionCol="l", offsetCol="size", **given),
        GeneralizedLinearRegression(predictionCol="o", offsetCol="many", fitIntercept=False, **given),
        GeneralizedLinearRegression(predictionCol="", linkPredictionCol="m", **given),
    ]


@pipeline(Vec("v", size=5), Number("w", "float"), Number("positive", low=1.0, high=6.0))
def generalized_vectors() -> Stages:
    given = dict(featuresCol="v", regParam=0.2, maxIter=2)
    return [
        GeneralizedLinearRegression(labelCol="target_b", family="binomial", predictionCol="p0", **given),
        GeneralizedLinearRegression(labelCol="positive", family="poisson", predictionCol="p1", **given),
        GeneralizedLinearRegression(
            labelCol="target_y", offsetCol="w", predictionCol="p2", linkPredictionCol="l2", **given
        ),
    ]


def bayes(tag: str, kind: str, y: str, outs: str, thresholds: Any = None, **more: Any) -> Any:
    """NaiveBayes."""
    from pipelines.table import _classes

    made = NaiveBayes(labelCol=f"target_{y}", featuresCol="f", modelType=kind, **_classes(tag, outs), **more)
    return made.setThresholds(thresholds) if thresholds else made


KINDS = [
    dict(y="k", outs="rqp"),
    dict(y="b", outs="rqp", smoothing=0.1),
    dict(y="k", outs="qp", smoothing=5.0),
    dict(y="k", outs="rp"),
    dict(y="b", outs="p"),
    dict(y="k", outs="rqp", thresholds=[0.2, 0.5, 0.3]),
    dict(y="k", outs="p", thresholds=[0.9, 0.0, 0.3]),
    dict(y="b", outs="qp", thresholds=[0.9, 0.2]),
    dict(y="b", outs="r", smoothing=1e-9),
    dict(y="k", outs="q"),
]


@turned(nums("x", 5, low=0.0, high=6.0, bounded=True), twists=KINDS, ci=(5,))
def counts(**twist: Any) -> Stages:
    return [va(upto("x", 5)), bayes("m", "multinomial", **twist), bayes("c", "complement", **twist)]


@turned([Code(f"c{i}", values=(0.0, 1.0)) for i in range(6)], twists=KINDS, ci=(7,))
def ones(**twist: Any) -> Stages:
    return [va(upto("c", 6)), bayes("b", "bernoulli", **twist), bayes("m", "multinomial", **twist)]


@turned(nums("x", 4), twists=KINDS, ci=(0,))
def gaussians(**twist: Any) -> Stages:
    return [va(upto("x", 4)), bayes("g", "gaussian", **twist)]


CLUSTERS = [
    dict(k=2),
    dict(k=3),
    dict(k=7, initMode="random"),
    dict(k=12, maxIter=1),
    dict(k=40, maxIter=2),
    dict(k=120, maxIter=1, initMode="random"),
    dict(k=2, distanceMeasure="cosine"),
    dict(k=9, distanceMeasure="cosine", initMode="random"),
    dict(k=5, tol=0.5, solver="block"),
    dict(k=4, seed=9, initSteps=4),
]


@turned(Vec("v", size=6, plain=True), nums("x", 2, low=1.0, high=5.0), twists=CLUSTERS, ci=(3,))
def clusters(**twist: Any) -> Stages:
    given = {"seed": 3, **twist}
    return [
        va("v x0 x1"),
        KMeans(featuresCol="f", predictionCol="a", **given),
        KMeans(featuresCol="f", predictionCol="b", **{**given, "distanceMeasure": "euclidean"}),
    ]


@pipeline(nums("x", 90, high=9.0))
def wide_clusters() -> Stages:
    return [va(upto("x", 90)), KMeans(featuresCol="f", predictionCol="a", k=110, maxIter=1, seed=5)]
